// The doctor of a profile under plain Node: opens no site, and asks a running one only whether it answers.
import path from 'node:path';
import { systemClock } from '#base/clock.ts';
import type { HeadlessSiteOptions } from '#headless/open-headless-site.ts';
import { reachRunningSite } from '#headless/reach-site.ts';
import { type DoctorReport, examineSite } from '#host/doctor/doctor.ts';
import { createFileKeyStore, siteKeyFile } from '#host/file-key-store.ts';
import { createPinnedTransport } from '#host/pinned-transport.ts';
import { createTrainingHost, openForkedChannel } from '#site/site.ts';

/** Ends the training process and the connections that it needed. */
export async function examineHeadlessSite(options: HeadlessSiteOptions): Promise<DoctorReport> {
  const profile = path.resolve(options.profile);
  const openKeyStore = () => createFileKeyStore({ file: options.keyFile ?? siteKeyFile(profile), profile });
  const transport = createPinnedTransport();
  const trainingHost = createTrainingHost({ openChannel: openForkedChannel });
  const ports = { paths: { profile }, clock: systemClock, transport, trainingHost };
  try {
    return await examineSite({ ports, openKeyStore, isAnswering: () => isAnswering(profile) });
  } finally {
    await trainingHost.close();
    await transport.close();
  }
}

async function isAnswering(profile: string): Promise<boolean> {
  try {
    const running = await reachRunningSite(profile);
    await running?.close();
    return running !== undefined;
  } catch {
    return false; // an endpoint file that another account may have written is no answer
  }
}

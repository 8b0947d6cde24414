// kill -9 of the HL7 v2 listener between its answer and the import: nothing that was acknowledged is lost, and what a sender sends
// again is not there twice.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { toBase64 } from '#base/bytes.ts';
import { openInbox } from '#site/ingest/sources/inbox.ts';
import { type IngestSite, openIngestSite, steward } from '#support/ingest-site.ts';
import { openMllpSender } from '#support/mllp-sender.ts';

const program = fileURLToPath(new URL('../support/mllp-process.ts', import.meta.url));
let site: IngestSite | undefined;
let child: ChildProcess | undefined;
afterEach(() => {
  child?.kill('SIGKILL');
  site?.close();
});

const message = (index: number): string =>
  [
    `MSH|^~\\&|LAB|HOSP|SITE|SITE|20200304101500||ORU^R01|m${index}|P|2.5.1`,
    `PID|1||${1_000 + (index % 20)}^^^WARD&1.2.3.4&ISO^MR||Byron${index % 20}^Ada||19500501|F`,
    `OBR|1|P${index}|F${index}|24321-2^BMP^LN|||20200304101500`,
    `OBX|1|NM|2951-2^Sodium^LN||${120 + index}|mmol/L|||||F`,
    '',
  ].join('\r');

async function startListener(profile: string): Promise<number> {
  const started = spawn(process.execPath, [program, profile], { stdio: ['ignore', 'pipe', 'inherit'] });
  child = started;
  const [first] = await new Promise<Buffer[]>((resolve) =>
    started.stdout.once('data', (chunk) => resolve([chunk])),
  );
  return Number(first?.toString());
}

/** Sends messages one after the other; the ids that were acknowledged before the connection broke. */
async function sendAll(port: number, indexes: readonly number[], killAfter: number): Promise<number[]> {
  const sender = await openMllpSender(port);
  const acknowledged: number[] = [];
  for (const index of indexes) {
    const sent = sender.send(message(index));
    // Killed while a message is on its way.
    if (acknowledged.length === killAfter) child?.kill('SIGKILL');
    const answer = await sent;
    if (answer === undefined) break;
    if (answer[1] === `MSA|AA|m${index}`) acknowledged.push(index);
  }
  sender.close();
  return acknowledged;
}

/** Imports what waits in the inbox, as the site does when it opens. */
async function drain({ ingest }: IngestSite, profile: string): Promise<number> {
  const inbox = openInbox({ profile, linkageKey: new Uint8Array(32).fill(22) });
  let count = 0;
  for (let item = await inbox.take(); item !== undefined; item = await inbox.take()) {
    const parts: Uint8Array[] = [];
    for await (const part of item.read()) parts.push(part);
    const bytes = Buffer.concat(parts);
    const files = [{ name: item.header.name, size: bytes.length }];
    const { batchId } = ingest.openBatch({ files, mapping: null, actor: steward });
    ingest.push({ batchId, fileIndex: 0, offset: 0, bytes: toBase64(bytes), isLast: true });
    ingest.closeBatch(batchId);
    await item.remove();
    count += 1;
  }
  await inbox.close();
  return count;
}

describe('a killed HL7 v2 listener', () => {
  it('has every message that it acknowledged, once', async () => {
    const opened = openIngestSite();
    site = opened;
    const profile = path.join(opened.folder, 'inbox-profile');
    mkdirSync(profile, { mode: 0o700 });
    const values = (): number[] =>
      (
        opened.store.prepare('SELECT value_number FROM subject_fact ORDER BY 1').all() as {
          value_number: number;
        }[]
      ).map(({ value_number }) => value_number);
    const all = Array.from({ length: 60 }, (_, index) => index);
    let left = all;
    const acknowledged = new Set<number>();
    for (const killAfter of [7, 1, 19]) {
      const port = await startListener(profile);
      for (const index of await sendAll(port, left, killAfter)) acknowledged.add(index);
      // The sender begins again with the last that was answered: it does not know that we have it.
      left = all.slice(Math.max(0, acknowledged.size - 1));
    }
    expect(acknowledged.size).toBeGreaterThanOrEqual(25);
    // Sealed: nothing of a message can be read on the disk.
    const files = readdirSync(path.join(profile, 'inbox')).map((name) =>
      readFileSync(path.join(profile, 'inbox', name)),
    );
    expect(Buffer.concat(files).includes('Byron')).toBe(false);
    const drained = await drain(opened, profile);
    expect(drained).toBeGreaterThanOrEqual(acknowledged.size);
    for (const index of acknowledged)
      expect(values().filter((value) => value === 120 + index)).toHaveLength(1);
    // The sender sends everything again.
    const port = await startListener(profile);
    expect(await sendAll(port, all, Number.POSITIVE_INFINITY)).toEqual(all);
    child?.kill('SIGKILL');
    await drain(opened, profile);
    expect(values()).toEqual(all.map((index) => 120 + index));
    expect(await drain(opened, profile)).toBe(0);
  });
});

// A site without a window: keys in a file or under a passphrase, pinned transport, training in a forked process.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '#base/clock.ts';
import { createLogger } from '#base/logger.ts';
import { createFileKeyStore, siteKeyFile } from '#host/file-key-store.ts';
import { createPassphraseKeyStore, readPassphraseFile } from '#host/passphrase-key-store.ts';
import { createPinnedTransport } from '#host/pinned-transport.ts';
import {
  createTrainingHost,
  initialiseSite,
  type KeyStore,
  type NewSite,
  openForkedChannel,
  openSite,
  type Site,
  type SitePorts,
} from '#site/site.ts';

export interface HeadlessSiteOptions {
  /** Profile folder, absolute or relative to the working folder. */
  readonly profile: string;
  /** Key file outside the profile; undefined for the default place. */
  readonly keyFile: string | undefined;
}

/** From source it lies in its stage's folder, in a bundle beside the chunk that starts it. */
const trainingProcess = new URL(
  import.meta.url.endsWith('.ts') ? '../site/training/training-process.ts' : './training-process.js',
  import.meta.url,
);

/** The ports of a site that runs under plain Node. The training process starts with the first job. */
export function headlessPorts(options: HeadlessSiteOptions): SitePorts {
  const profile = path.resolve(options.profile);
  return {
    paths: { profile },
    keyStore: headlessKeyStore({ file: options.keyFile ?? siteKeyFile(profile), profile }),
    clock: systemClock,
    transport: createPinnedTransport(),
    trainingHost: createTrainingHost({
      openChannel: (threads, most) => openForkedChannel(threads, most, trainingProcess),
    }),
    logger: createLogger('site'),
  };
}

/**
 * Under a passphrase where `CONSILIUM_PASSPHRASE_FILE` names the file that holds it, else in the 0600 key file alone. Asks nobody:
 * a service never hangs on a prompt.
 */
function headlessKeyStore(place: { readonly file: string; readonly profile: string }): KeyStore {
  const passphraseFile = process.env.CONSILIUM_PASSPHRASE_FILE;
  if (passphraseFile === undefined) return createFileKeyStore(place);
  return createPassphraseKeyStore({
    ...place,
    passphrase: readPassphraseFile(passphraseFile, place.profile),
  });
}

/** Opens an existing profile. @throws SiteError NOT_INITIALISED, PROFILE_IN_USE. */
export function openHeadlessSite(options: HeadlessSiteOptions): Promise<Site> {
  return openSite(headlessPorts(options));
}

/** Makes a profile (mode 0700) and its keys. */
export async function initialiseHeadlessSite(options: HeadlessSiteOptions & NewSite): Promise<void> {
  mkdirSync(path.resolve(options.profile), { recursive: true, mode: 0o700 });
  const ports = headlessPorts(options);
  const { name, timeZone, identifierAuthorities, keepsPixels } = options;
  await initialiseSite(ports, { name, timeZone, identifierAuthorities, keepsPixels });
  await ports.trainingHost.close();
}

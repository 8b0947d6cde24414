// Makes a profile: folder, keys, store, first trust list. Killed half-way, it can be run again and goes on with the same keys.
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { systemClock } from '#base/clock.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { plainText } from '#federation/records/fields.ts';
import { EnrolmentError } from './enrolment/index.ts';
import { openConsortium } from './open-consortium.ts';
import { keyFileOf, loadPorts, type ProfileOptions, requireLock } from './profile.ts';
import { createConsortiumKeys } from './store/consortium-keys.ts';
import { saveConsortiumKeys } from './store/key-file.ts';
import { ProfileError } from './store/profile-error.ts';

export interface InitialisedConsortium {
  readonly name: string;
  readonly url: string | null;
  /** Key id of the root key: sites pin the key itself through their invitation. */
  readonly rootKeyId: string;
  readonly certificateDigest: string;
}

export interface InitialiseOptions extends ProfileOptions {
  readonly name: string;
  /** https origin where sites will reach the consortium; where it is not said, the one that `serve` listens at. */
  readonly url?: string | undefined;
}

/** @throws ProfileError PROFILE_EXISTS, PROFILE_IN_USE and those of the key file; EnrolmentError BAD_REQUEST. */
export async function initialiseConsortium(options: InitialiseOptions): Promise<InitialisedConsortium> {
  const { profile, name, url } = options;
  const isOrigin =
    url === undefined || (URL.canParse(url) && url.startsWith('https://') && new URL(url).origin === url);
  if (!isOrigin || !plainText(200).safeParse(name).success) {
    throw new EnrolmentError(
      'BAD_REQUEST',
      'A consortium has a name of up to 200 characters; its URL is https://HOST:PORT.',
    );
  }
  mkdirSync(profile, { recursive: true, mode: 0o700 });
  chmodSync(profile, 0o700);
  const lock = requireLock(profile);
  try {
    const keyFile = keyFileOf(options);
    if (!existsSync(keyFile)) {
      const nowMs = (options.clock ?? systemClock).nowMs();
      const host = url === undefined ? 'localhost' : new URL(url).hostname;
      saveConsortiumKeys(keyFile, profile, await createConsortiumKeys({ host, nowMs }));
    }
    const ports = loadPorts(options);
    const consortium = openConsortium(ports);
    try {
      if (consortium.isBegun)
        throw new ProfileError('PROFILE_EXISTS', 'There is a consortium in this profile already.');
      consortium.begin(name, url);
    } finally {
      consortium.close();
    }
    const rootKeyId = createSigningKey(ports.keys.rootSeed).keyId;
    return { name, url: url ?? null, rootKeyId, certificateDigest: consortium.certificateDigest };
  } finally {
    lock.release();
  }
}

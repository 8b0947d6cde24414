// What enrolment fixed once: which consortium, at which address, under which certificate and root key.
import { z } from 'zod';
import type { Store } from '#site/store/index.ts';
import { AgreementError } from './agreement-error.ts';

const consortiumSettings = z.strictObject({
  /** This site's id in the consortium. */
  siteId: z.string(),
  /** The consortium's name as its trust list gives it. */
  consortium: z.string(),
  /** Base address, https, without a slash at the end. */
  url: z.string(),
  /** sha256 of the consortium's certificate (DER), lower-case hexadecimal. */
  certificateDigest: z.string(),
  /** Ed25519 SubjectPublicKeyInfo (DER) of the root key, base64. */
  rootPublicKey: z.string(),
});
export type ConsortiumSettings = Readonly<z.infer<typeof consortiumSettings>>;

const SETTING = 'consortium';

export function loadConsortiumSettings(store: Store): ConsortiumSettings | undefined {
  const row = store.get(store.query.selectFrom('setting').select('value').where('name', '=', SETTING));
  return row === undefined ? undefined : consortiumSettings.parse(JSON.parse(row.value));
}

/** The name of the consortium that the site has joined, as the trust list gives it; undefined before. */
export function consortiumOf(store: Store): string | undefined {
  return loadConsortiumSettings(store)?.consortium;
}

/** @throws AgreementError NOT_ENROLLED. */
export function requireConsortiumSettings(store: Store): ConsortiumSettings {
  const settings = loadConsortiumSettings(store);
  if (settings === undefined)
    throw new AgreementError('NOT_ENROLLED', 'This site has not joined a consortium.');
  return settings;
}

/**
 * Writes the settings once, in the caller's transaction.
 * @throws AgreementError ALREADY_ENROLLED: a second invitation must not move a site to another root key.
 */
export function saveConsortiumSettings(store: Store, settings: ConsortiumSettings): void {
  if (loadConsortiumSettings(store) !== undefined) {
    throw new AgreementError('ALREADY_ENROLLED', 'This site has joined a consortium already.');
  }
  const value = JSON.stringify(consortiumSettings.parse(settings));
  store.run(store.query.insertInto('setting').values({ name: SETTING, value }));
}

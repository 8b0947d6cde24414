// The keys of a trust list, ready to be asked: whose key is it, for what, for which site, and does it hold at that moment.
import { fromBase64, toBase64 } from '#base/bytes.ts';
import { verifyReceivingPublicKey } from '#federation/crypto/receiving-key.ts';
import { keyIdOf, verifySigningPublicKey } from '#federation/crypto/signing-key.ts';
import { RecordError } from '#federation/records/record-error.ts';
import type { KeyRole, TrustedKey, TrustList } from '#federation/records/trust-list.ts';

/** Roles that speak for one site. The others speak for the consortium. */
const SITE_ROLES: ReadonlySet<KeyRole> = new Set(['site-signing', 'site-log', 'steward']);

export interface TrustedKeys {
  find(keyId: string): TrustedKey | undefined;
  /** Keys of a role, of one site where `siteId` is given. Also those that hold no more: ask `isKeyValid`. */
  withRole(role: KeyRole, siteId?: string): TrustedKey[];
  /** Version of the trust list; 0 for a root key alone. */
  readonly version: number;
}

/** What a signature must come from. `siteId` undefined: any site or the consortium. */
export interface KeyUse {
  readonly role: KeyRole;
  readonly siteId?: string | undefined;
  readonly atMs: number;
}

/**
 * The keys of a verified trust list.
 * @throws RecordError BAD_STATEMENT when an entry contradicts itself: a key id that is not the digest of its key, a weak
 * key, one key in two roles (security.md E22), a site key without a site, a steward without a name.
 */
export function createTrustedKeys(trustList: TrustList): TrustedKeys {
  const keys = new Map<string, TrustedKey>();
  for (const key of trustList.keys) {
    verifyEntry(key);
    if (keys.has(key.keyId)) throw badEntry('a key is listed twice');
    keys.set(key.keyId, key);
  }
  return trustedKeysOf(keys, trustList.version);
}

/** Trust in the consortium's root key alone, pinned at enrolment: enough to verify a trust list. */
export function createRootTrust(rootPublicKey: Uint8Array): TrustedKeys {
  const root: TrustedKey = {
    keyId: keyIdOf(rootPublicKey),
    role: 'root',
    siteId: null,
    person: null,
    publicKey: toBase64(rootPublicKey),
    notBefore: '1970-01-01T00:00:00.000Z',
    notAfter: '9999-12-31T23:59:59.999Z',
    revokedAt: null,
  };
  verifyEntry(root);
  return trustedKeysOf(new Map([[root.keyId, root]]), 0);
}

/** Whether the key holds at `atMs`: from notBefore, up to but not at notAfter and revokedAt. */
export function isKeyValid(key: TrustedKey, atMs: number): boolean {
  const isRevoked = key.revokedAt !== null && atMs >= Date.parse(key.revokedAt);
  return !isRevoked && atMs >= Date.parse(key.notBefore) && atMs < Date.parse(key.notAfter);
}

/** The key with this id if it may be used so, else undefined. */
export function findKeyFor(trust: TrustedKeys, keyId: string, use: KeyUse): TrustedKey | undefined {
  const key = trust.find(keyId);
  return key !== undefined && reasonAgainst(key, use) === undefined ? key : undefined;
}

/**
 * The key with this id, if it may be used so.
 * @throws RecordError KEY_NOT_TRUSTED: unknown, of another role or site, not yet or no more valid, revoked (security.md E9).
 */
export function requireKey(trust: TrustedKeys, keyId: string, use: KeyUse): TrustedKey {
  const key = findKeyFor(trust, keyId, use);
  if (key !== undefined) return key;
  const known = trust.find(keyId);
  throw new RecordError('KEY_NOT_TRUSTED', 'The signature is by a key that is not trusted for this.', {
    details: {
      keyId,
      expected: { role: use.role, siteId: use.siteId ?? null },
      found: known === undefined ? 'an unknown key' : reasonAgainst(known, use),
    },
  });
}

/** The public key (SPKI) of an entry. */
export function publicKeyOf(key: TrustedKey): Uint8Array {
  return fromBase64(key.publicKey);
}

function reasonAgainst(key: TrustedKey, { role, siteId, atMs }: KeyUse): string | undefined {
  if (key.role !== role) return 'another role';
  if (siteId !== undefined && key.siteId !== siteId) return 'another site';
  if (!isKeyValid(key, atMs)) return 'not valid at this time';
  return undefined;
}

function trustedKeysOf(keys: ReadonlyMap<string, TrustedKey>, version: number): TrustedKeys {
  const isOf = (key: TrustedKey, role: KeyRole, siteId?: string): boolean =>
    key.role === role && (siteId === undefined || key.siteId === siteId);
  return {
    version,
    find: (keyId) => keys.get(keyId),
    withRole: (role, siteId) => [...keys.values()].filter((key) => isOf(key, role, siteId)),
  };
}

function verifyEntry(key: TrustedKey): void {
  if (SITE_ROLES.has(key.role) !== (key.siteId !== null))
    throw badEntry('a site key without a site, or the reverse');
  if ((key.role === 'steward') !== (key.person !== null))
    throw badEntry('a steward without a name, or the reverse');
  try {
    const publicKey = publicKeyOf(key);
    if (keyIdOf(publicKey) !== key.keyId) throw badEntry('a key id that is not the digest of its key');
    if (key.role === 'receiving') verifyReceivingPublicKey(publicKey);
    else verifySigningPublicKey(publicKey);
  } catch (cause) {
    if (cause instanceof RecordError) throw cause;
    throw badEntry('a key that must not be used', cause);
  }
}

function badEntry(what: string, cause?: unknown): RecordError {
  return new RecordError('BAD_STATEMENT', `The trust list holds ${what}.`, { cause });
}

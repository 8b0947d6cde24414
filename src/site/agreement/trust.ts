// The trust list as this site accepted it: signed by the pinned root key, never older than the one before (TUF rules, E12).
import { fromBase64 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import {
  createRootTrust,
  createTrustedKeys,
  type TrustedKeys,
  verifyRecord,
} from '#federation/records/record.ts';
import { type TrustList, trustListRecord } from '#federation/records/trust-list.ts';
import type { Store } from '#site/store/index.ts';
import { AgreementError } from './agreement-error.ts';

export interface CheckedTrustList {
  readonly list: TrustList;
  /** sha256 of the statement's bytes. */
  readonly digest: string;
  readonly trust: TrustedKeys;
}

export interface TrustListCheck {
  readonly envelope: Uint8Array;
  /** Ed25519 SubjectPublicKeyInfo (DER) of the root key, base64. */
  readonly rootPublicKey: string;
  readonly nowMs: number;
}

/** @throws RecordError for what the root key did not sign, AgreementError EXPIRED. */
export function checkTrustList(check: TrustListCheck): CheckedTrustList {
  const checked = readTrustList(check);
  refuseExpired(checked.list, check.nowMs);
  return checked;
}

function readTrustList({ envelope, rootPublicKey, nowMs }: TrustListCheck): CheckedTrustList {
  const trust = createRootTrust(fromBase64(rootPublicKey));
  const { predicate, digest } = verifyRecord(trustListRecord, envelope, { trust, atMs: nowMs });
  return { list: predicate, digest, trust: createTrustedKeys(predicate) };
}

/** Stops a consortium (or whoever answers for it) from freezing a site at an old list by sending nothing newer. */
function refuseExpired(list: TrustList, nowMs: number): void {
  if (Date.parse(list.expires) > nowMs) return;
  throw new AgreementError('EXPIRED', 'The trust list has expired.', {
    details: { version: list.version, expires: list.expires },
  });
}

/** The accepted list with the highest version. @throws AgreementError EXPIRED, NOT_ENROLLED. */
export function loadTrustList(store: Store, rootPublicKey: string): CheckedTrustList {
  const known = loadLatestTrustList(store, rootPublicKey);
  refuseExpired(known.list, store.clock.nowMs());
  return known;
}

/** The same, also when it has expired: enough to show what was accepted under it. @throws AgreementError NOT_ENROLLED. */
export function loadLatestTrustList(store: Store, rootPublicKey: string): CheckedTrustList {
  const known = readLatest(store, rootPublicKey);
  if (known === undefined) throw new AgreementError('NOT_ENROLLED', 'This site has accepted no trust list.');
  return known;
}

/**
 * Stores a list in the caller's transaction; undefined when it is the one that is stored.
 * @throws RecordError for what the root key did not sign; AgreementError EXPIRED, or ROLLBACK when it is older than the
 * stored one or another one of the same version.
 */
export function storeTrustList(
  store: Store,
  envelope: Uint8Array,
  rootPublicKey: string,
): CheckedTrustList | undefined {
  const nowMs = store.clock.nowMs();
  const checked = checkTrustList({ envelope, rootPublicKey, nowMs });
  const known = readLatest(store, rootPublicKey);
  if (known?.digest === checked.digest) return undefined;
  const { version } = checked.list;
  if (known !== undefined && known.list.version >= version) {
    throw new AgreementError('ROLLBACK', 'The trust list is not newer than the accepted one.', {
      details: { expected: known.list.version + 1, found: version },
    });
  }
  const row = { version, envelope, accepted_at: isoTime(nowMs) };
  store.run(store.query.insertInto('trust_list').values(row));
  return checked;
}

function readLatest(store: Store, rootPublicKey: string): CheckedTrustList | undefined {
  const query = store.query.selectFrom('trust_list').selectAll().orderBy('version', 'desc').limit(1);
  const row = store.get(query);
  if (row === undefined) return undefined;
  return readTrustList({ envelope: row.envelope, rootPublicKey, nowMs: Date.parse(row.accepted_at) });
}

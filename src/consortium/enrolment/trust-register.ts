// The trust list: who may sign what, signed by the root key under a version that only rises (TUF; security.md E12, E22).
import { toBase64 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import type { ConsortiumStore, Foundation } from '#consortium/store/index.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { keyIdOf, type SigningKey } from '#federation/crypto/signing-key.ts';
import {
  createRootTrust,
  createTrustedKeys,
  encodeStatement,
  signStatement,
  type TrustedKeys,
  verifyRecord,
} from '#federation/records/record.ts';
import {
  type KeyRole,
  type TrustedKey,
  type TrustList,
  trustListRecord,
} from '#federation/records/trust-list.ts';
import { EnrolmentError } from './enrolment-error.ts';

const dayMs = 24 * 60 * 60 * 1000;
const LIST_DAYS = 90;
/** A list with less time left is signed again, so that a site that is seldom on line still gets a valid one. */
const RENEW_DAYS = 60;
const KEY_DAYS = 5 * 365;

export interface SignedTrust {
  readonly list: TrustList;
  /** DSSE. */
  readonly envelope: Uint8Array;
  readonly keys: TrustedKeys;
}

export interface TrustRegister {
  /** The list in force; signed again first where it is about to expire. @throws EnrolmentError NOT_INITIALISED. */
  current(): SignedTrust;
  /** Signs the first list, of the consortium's own keys. Call inside a transaction. */
  begin(consortium: string): void;
  /** Signs the next version with `keys` added. Call inside a transaction. */
  add(keys: readonly TrustedKey[]): void;
}

export function openTrustRegister(options: Foundation): TrustRegister {
  let cached: SignedTrust | undefined;
  const load = (): SignedTrust => {
    const version = latestVersion(options.store);
    if (cached?.list.version === version) return cached;
    const loaded = loadTrust(options);
    // What a transaction has signed may be rolled back, and another list get its version.
    if (!options.store.inTransaction) cached = loaded;
    return loaded;
  };
  const next = (list: TrustList, keys: readonly TrustedKey[]): void =>
    sign(options, { consortium: list.consortium, version: list.version + 1, keys: [...list.keys, ...keys] });
  return {
    current: () => {
      const { list } = load();
      if (Date.parse(list.expires) - options.store.clock.nowMs() < RENEW_DAYS * dayMs) {
        options.store.transaction(() => next(list, []));
      }
      return load();
    },
    begin: (consortium) => sign(options, { consortium, version: 1, keys: ownKeys(options) }),
    add: (keys) => next(load().list, keys),
  };
}

/** A key's entry in the list, valid from a day before now. */
export function createTrustedKey(
  key: {
    readonly role: KeyRole;
    readonly siteId: string | null;
    readonly person: string | null;
    readonly publicKey: Uint8Array;
  },
  nowMs: number,
): TrustedKey {
  return {
    keyId: keyIdOf(key.publicKey),
    role: key.role,
    siteId: key.siteId,
    person: key.person,
    publicKey: toBase64(key.publicKey),
    // A day of grace for a site whose clock is behind.
    notBefore: isoTime(nowMs - dayMs),
    notAfter: isoTime(nowMs + KEY_DAYS * dayMs),
    revokedAt: null,
  };
}

function ownKeys({ store, signers }: Foundation): TrustedKey[] {
  const own: readonly (readonly [KeyRole, Pick<SigningKey, 'publicKey'>])[] = [
    ['root', signers.root],
    ['plan', signers.plan],
    ['model', signers.model],
    ['receiving', signers.receiving],
    ['consortium-log', signers.log],
  ];
  const nowMs = store.clock.nowMs();
  return own.map(([role, { publicKey }]) =>
    createTrustedKey({ role, siteId: null, person: null, publicKey }, nowMs),
  );
}

function sign(
  { store, signers, log }: Foundation,
  content: Pick<TrustList, 'consortium' | 'version' | 'keys'>,
): void {
  const nowMs = store.clock.nowMs();
  const predicate: TrustList = {
    ...content,
    issuedAt: isoTime(nowMs),
    expires: isoTime(nowMs + LIST_DAYS * dayMs),
  };
  const statement = encodeStatement(trustListRecord, { predicate });
  const envelope = signStatement(statement, [signers.root]);
  const row = { version: predicate.version, envelope, issued_at: predicate.issuedAt };
  store.run(store.query.insertInto('trust_list').values(row));
  log.append({
    actor: 'system',
    action: 'trust-list-signed',
    outcome: 'success',
    object: `trust-list:${sha256Hex(statement)}`,
    detail: { version: predicate.version, keyCount: predicate.keys.length },
  });
}

function latestVersion(store: ConsortiumStore): number {
  const row = store.get(
    store.query.selectFrom('trust_list').select('version').orderBy('version', 'desc').limit(1),
  );
  if (row === undefined) throw new EnrolmentError('NOT_INITIALISED', 'This profile holds no consortium yet.');
  return row.version;
}

/** Checks the stored list against the root key again: a changed database does not make a key trusted. */
function loadTrust({ store, signers }: Foundation): SignedTrust {
  const version = latestVersion(store);
  const row = store.get(store.query.selectFrom('trust_list').selectAll().where('version', '=', version));
  if (row === undefined) throw new EnrolmentError('NOT_INITIALISED', 'This profile holds no consortium yet.');
  const { predicate } = verifyRecord(trustListRecord, row.envelope, {
    trust: createRootTrust(signers.root.publicKey),
    atMs: Date.parse(row.issued_at),
  });
  return { list: predicate, envelope: row.envelope, keys: createTrustedKeys(predicate) };
}

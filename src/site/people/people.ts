// Who may act at this site, and the keys they and the site act with. Each person's key opens with the person's secret alone.
import { fromBase64, toBase64 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { BugError, isCodedError } from '#base/coded-error.ts';
import { unwrapSeed, wrapSeed } from '#federation/crypto/secret-wrap.ts';
import { createSigningKey, type SigningKey } from '#federation/crypto/signing-key.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { plainText } from '#federation/records/fields.ts';
import { type Actor, type AuditLog, type Role, systemActor } from '#site/audit/index.ts';
import type { KeyStore, SiteKeys, WrappedPersonKey } from '#site/ports.ts';
import type { Store } from '#site/store/index.ts';
import { PeopleError } from './people-error.ts';
import { clearFailures, countFailure, refuseLocked } from './sign-in-guard.ts';
import type { RandomBytes } from './site-keys.ts';

export interface Person {
  /** Printed name, as it stands on approvals. */
  readonly name: string;
  readonly role: Role;
}

export interface Credentials {
  readonly name: string;
  readonly secret: string;
}

/** A person whose public key the consortium lists. */
export interface PersonKey extends Person {
  /** Ed25519 SubjectPublicKeyInfo (DER). */
  readonly publicKey: Uint8Array;
}

export interface People {
  list(): Person[];
  /** Everybody with their public keys, in the order of their names. */
  keys(): PersonKey[];
  /**
   * Adds a person with a key of their own under `secret`.
   * @throws PeopleError PERSON_EXISTS, BAD_PERSON_NAME, SECRET_TOO_SHORT.
   */
  add(person: Person, secret: string, actor: Actor): Person;
  /** @throws PeopleError SIGN_IN_REFUSED, SIGN_IN_LOCKED, PERSON_KEY_MISSING. */
  signIn(credentials: Credentials): Person;
  /** The person's own key for one signature; the secret is asked each time (21 CFR 11.200). @throws as `signIn`. */
  unlockSigner(credentials: Credentials): SigningKey;
  /** Signs updates and requests. */
  siteSigner(): SigningKey;
  /** Signs checkpoints of the audit log. */
  logSigner(): SigningKey;
  /** 32 bytes that key the pseudonyms of one research study; made and saved on first use. */
  researchStudyKey(researchStudyId: string): Uint8Array;
}

export interface PeopleOptions {
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly keyStore: KeyStore;
  readonly random?: RandomBytes;
}

/** Fewest characters of a secret (NIST SP 800-63B section 5.1.1.1). */
export const MIN_SECRET_LENGTH = 8;

const personName = plainText(100);

/** @throws PeopleError KEYS_MISSING when the key store is empty. */
export function openPeople({ store, auditLog, keyStore, random = systemRandom }: PeopleOptions): People {
  const keys = loadKeys(keyStore);
  const siteSigner = createSigningKey(keys.siteSigningSeed);
  const logSigner = createSigningKey(keys.siteLogSeed);
  const context: Context = { store, auditLog, keyStore, random };
  return {
    list: () => listKeys(store).map(({ name, role }) => ({ name, role })),
    keys: () => listKeys(store),
    add: (person, secret, actor) => addPerson(context, { person, secret, actor }),
    signIn: (credentials) => signIn(context, credentials),
    unlockSigner: (credentials) => checkSecret(context, credentials).signer,
    siteSigner: () => siteSigner,
    logSigner: () => logSigner,
    researchStudyKey: (researchStudyId) => loadResearchStudyKey(context, researchStudyId),
  };
}

type Context = Required<PeopleOptions>;

function loadKeys(keyStore: KeyStore): SiteKeys {
  const keys = keyStore.load();
  if (keys === undefined)
    throw new PeopleError('KEYS_MISSING', 'This site has no keys; initialise it first.');
  return keys;
}

function listKeys(store: Store): PersonKey[] {
  const rows = store.all(store.query.selectFrom('person').selectAll().orderBy('name'));
  return rows.map((row) => ({
    name: row.name,
    role: row.role as Role,
    publicKey: fromBase64(row.public_key),
  }));
}

/** One spelling for names that look the same. */
function normaliseName(name: string): string {
  return name.normalize('NFC').trim();
}

interface NewPerson {
  readonly person: Person;
  readonly secret: string;
  readonly actor: Actor;
}

function addPerson(
  { store, auditLog, keyStore, random }: Context,
  { person, secret, actor }: NewPerson,
): Person {
  const name = normaliseName(person.name);
  if (!personName.safeParse(name).success) {
    throw new PeopleError('BAD_PERSON_NAME', 'A name has 1 to 100 printable characters.');
  }
  if ([...secret].length < MIN_SECRET_LENGTH) {
    throw new PeopleError('SECRET_TOO_SHORT', 'The secret is too short.', {
      details: { expected: MIN_SECRET_LENGTH },
    });
  }
  if (findPerson(store, name) !== undefined) {
    throw new PeopleError('PERSON_EXISTS', 'There is a person of this name already.');
  }
  const seed = random(32);
  const { publicKey, keyId } = createSigningKey(seed);
  const wrapped = wrapSeed(seed, secret, name);
  const keys = loadKeys(keyStore);
  // The key comes first: a crash in between leaves a key without a person, which the next try replaces.
  keyStore.save({ ...keys, people: [...keys.people.filter((other) => other.name !== name), wrapped] });
  store.transaction(() => {
    const row = {
      name,
      role: person.role,
      public_key: toBase64(publicKey),
      added_at: isoTime(store.clock.nowMs()),
    };
    store.run(store.query.insertInto('person').values(row));
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action: 'person-added',
      object: name,
      outcome: 'success',
      detail: { role: person.role, keyId },
    });
  });
  return { name, role: person.role };
}

function findPerson(store: Store, name: string): PersonKey | undefined {
  return listKeys(store).find((person) => person.name === name);
}

function signIn(context: Context, credentials: Credentials): Person {
  const { person } = checkSecret(context, credentials);
  context.store.transaction(() => {
    context.auditLog.append({
      actor: person.name,
      role: person.role,
      action: 'signed-in',
      outcome: 'success',
    });
  });
  return { name: person.name, role: person.role };
}

/** Opens a person's key with the secret; every caller counts towards the same lock, so none is a way round it. */
function checkSecret(
  context: Context,
  { name, secret }: Credentials,
): { person: PersonKey; signer: SigningKey } {
  const { store, keyStore } = context;
  const person = findPerson(store, normaliseName(name));
  if (person === undefined) {
    // The same work and the same answer as for a wrong secret: nobody learns who works here.
    openSeed(createDecoy(), secret);
    // The name that was typed is not logged: it may be a secret in the wrong field.
    throw refuseSignIn(context, systemActor, 'UNKNOWN_PERSON');
  }
  try {
    refuseLocked(store, person.name);
  } catch (error) {
    refuseSignIn(context, person, 'SIGN_IN_LOCKED');
    throw error;
  }
  const wrapped = loadKeys(keyStore).people.find((key) => key.name === person.name);
  if (wrapped === undefined) throw missingKey(context, person);
  const seed = openSeed(wrapped, secret);
  if (seed === undefined) throw countRefusal(context, person);
  const signer = createSigningKey(seed);
  // Stops a key file in which somebody put a key of their own under another's name.
  if (toBase64(signer.publicKey) !== toBase64(person.publicKey)) throw missingKey(context, person);
  clearFailures(store, person.name);
  return { person, signer };
}

function openSeed(wrapped: WrappedPersonKey, secret: string): Uint8Array | undefined {
  try {
    return unwrapSeed(wrapped, secret);
  } catch (error) {
    if (isCodedError(error, 'WRONG_SECRET')) return undefined;
    throw error;
  }
}

/** A wrapped key that no secret opens; its parameters are those of a real one. */
function createDecoy(): WrappedPersonKey {
  const scrypt = { N: 2 ** 17, r: 8, p: 1, salt: new Uint8Array(16) };
  return { name: 'decoy', scrypt, sealedSeed: new Uint8Array(60) };
}

function countRefusal(context: Context, person: PersonKey): PeopleError {
  return context.store.transaction(() => {
    const { isLocked } = countFailure(context.store, person.name);
    return refuseSignIn(context, person, isLocked ? 'WRONG_SECRET_LOCKED' : 'WRONG_SECRET');
  });
}

function refuseSignIn({ store, auditLog }: Context, actor: Actor, reason: string): PeopleError {
  store.transaction(() => {
    const { name, role } = actor;
    auditLog.append({ actor: name, role, action: 'sign-in-refused', outcome: 'refused', reason });
  });
  return new PeopleError('SIGN_IN_REFUSED', 'Name or secret is wrong.');
}

function missingKey(context: Context, person: PersonKey): PeopleError {
  refuseSignIn(context, person, 'PERSON_KEY_MISSING');
  return new PeopleError(
    'PERSON_KEY_MISSING',
    'The key file does not hold the key that this person was added with.',
  );
}

function loadResearchStudyKey(context: Context, researchStudyId: string): Uint8Array {
  const { store, auditLog, keyStore, random } = context;
  const keys = loadKeys(keyStore);
  if (Object.hasOwn(keys.researchStudyKeys, researchStudyId)) {
    const known = keys.researchStudyKeys[researchStudyId];
    if (known !== undefined) return known;
  }
  // An outer transaction could take the entry back after the key was saved.
  if (store.inTransaction) throw new BugError('a research-study key is made outside of any transaction');
  const key = random(32);
  store.transaction(() =>
    auditLog.append({
      actor: systemActor.name,
      role: systemActor.role,
      action: 'key-created',
      object: 'research-study-key',
      researchStudyId,
      outcome: 'success',
    }),
  );
  // Stops a key from coming into use unseen: its entry is durable first. A crash in between leaves an entry without a key,
  // and the next use makes both. Pseudonyms are made only once the key is durable.
  keyStore.save({ ...keys, researchStudyKeys: { ...keys.researchStudyKeys, [researchStudyId]: key } });
  return key;
}

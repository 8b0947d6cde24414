// Takes a site's enrolment request: a valid one-time code, every key proven by its own signature, no key known already (E25).
import { fromBase64 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { BugError, CodedError, isCodedError } from '#base/coded-error.ts';
import type { Foundation } from '#consortium/store/index.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { keyIdOf } from '#federation/crypto/signing-key.ts';
import { type EnrolmentRequest, enrolmentRequestRecord } from '#federation/records/enrolment-request.ts';
import { readUnverified, type UnverifiedRecord } from '#federation/records/record.ts';
import { EnrolmentError } from './enrolment-error.ts';
import { siteAlreadyEnrolled } from './invitations.ts';
import { createTrustedKey, type TrustRegister } from './trust-register.ts';

/**
 * Enrols the site and gives the new trust list (DSSE). The same request again gives the list in force: a site that lost the
 * answer may repeat itself. A refusal is logged; nothing of it is stored.
 * @throws EnrolmentError; RecordError WRONG_TYPE, BAD_STATEMENT; CryptoError BAD_KEY.
 */
export function enrolSite(foundation: Foundation, register: TrustRegister, envelope: Uint8Array): Uint8Array {
  const { store, log } = foundation;
  let siteId: string | undefined;
  try {
    const request = readUnverified(enrolmentRequestRecord, envelope);
    siteId = request.predicate.siteId;
    requireProofs(request);
    store.transaction(() => {
      const invited = useInvitation(foundation, request);
      if (invited !== undefined) addSite(foundation, register, { ...request.predicate, name: invited.name });
    });
    return register.current().envelope;
  } catch (error) {
    if (!(error instanceof CodedError) || error instanceof BugError) throw error;
    const object = siteId === undefined ? undefined : `site:${siteId}`;
    store.transaction(() =>
      log.append({
        actor: 'unknown',
        action: 'site-enrolled',
        outcome: 'refused',
        reason: error.code,
        object,
      }),
    );
    throw error;
  }
}

/** Stops somebody from enrolling a key that another owns: each key must have signed this very request. */
function requireProofs(request: UnverifiedRecord<EnrolmentRequest>): void {
  const { keys } = request.predicate;
  const count = (role: string): number => keys.filter((key) => key.role === role).length;
  const isComplete = count('site-signing') === 1 && count('site-log') === 1 && count('steward') >= 1;
  const areStewardsNamed = keys.every(({ role, person }) => (role === 'steward') === (person !== null));
  if (!isComplete || !areStewardsNamed) {
    throw new EnrolmentError(
      'KEYS_INCOMPLETE',
      'A site enrols one signing key, one log key and its named stewards.',
      {
        details: { expected: { 'site-signing': 1, 'site-log': 1, steward: 'one or more' } },
      },
    );
  }
  for (const { publicKey, role } of keys) requireProof(request, decode(publicKey), role);
}

function requireProof(
  request: UnverifiedRecord<EnrolmentRequest>,
  publicKey: Uint8Array,
  role: string,
): void {
  try {
    request.verifySignedBy(publicKey);
  } catch (cause) {
    if (!isCodedError(cause, 'BAD_SIGNATURE')) throw cause;
    throw new EnrolmentError('NO_PROOF_OF_POSSESSION', 'A key in the request did not sign it.', {
      cause,
      details: { role },
    });
  }
}

/** Uses up the invitation and gives the hospital's name in it; undefined when this very request used it before. */
function useInvitation(
  { store }: Foundation,
  request: UnverifiedRecord<EnrolmentRequest>,
): { readonly name: string } | undefined {
  const { invitationCode, siteId } = request.predicate;
  const nowMs = store.clock.nowMs();
  const codeDigest = sha256Hex(decode(invitationCode));
  const row = store.get(
    store.query.selectFrom('invitation').selectAll().where('code_digest', '=', codeDigest),
  );
  if (row === undefined)
    throw new EnrolmentError('INVITATION_UNKNOWN', 'The consortium did not make this invitation.');
  if (row.used_at !== null) {
    if (row.request_digest === request.digest) return undefined;
    throw new EnrolmentError('INVITATION_USED', 'The invitation has been used.');
  }
  if (nowMs >= Date.parse(row.expires_at)) {
    throw new EnrolmentError('INVITATION_EXPIRED', 'The invitation has expired.', {
      details: { expired: row.expires_at },
    });
  }
  // Stops one invited hospital from joining in another's name.
  if (row.site_id !== siteId) {
    throw new EnrolmentError('OTHER_SITE', 'The invitation is for another site.', {
      details: { found: siteId },
    });
  }
  const used = { used_at: isoTime(nowMs), request_digest: request.digest };
  store.run(store.query.updateTable('invitation').set(used).where('code_digest', '=', codeDigest));
  return { name: row.name };
}

function addSite({ store, log }: Foundation, register: TrustRegister, request: EnrolmentRequest): void {
  const { siteId, name } = request;
  const nowMs = store.clock.nowMs();
  if (
    store.get(store.query.selectFrom('site').select('site_id').where('site_id', '=', siteId)) !== undefined
  ) {
    throw siteAlreadyEnrolled(siteId);
  }
  const { keys: trusted } = register.current();
  const keys = request.keys.map(({ role, person, publicKey }) =>
    createTrustedKey({ role, siteId, person, publicKey: decode(publicKey) }, nowMs),
  );
  const isRepeated = new Set(keys.map(({ keyId }) => keyId)).size !== keys.length;
  if (isRepeated || keys.some(({ keyId }) => trusted.find(keyId) !== undefined)) {
    throw new EnrolmentError(
      'KEY_ALREADY_ENROLLED',
      'A key in the request is enrolled already, or named twice.',
    );
  }
  register.add(keys);
  const signing = request.keys.find(({ role }) => role === 'site-signing');
  const signingKeyId = keyIdOf(decode(signing?.publicKey ?? ''));
  const row = { site_id: siteId, name, signing_key_id: signingKeyId, enrolled_at: isoTime(nowMs) };
  store.run(store.query.insertInto('site').values(row));
  const detail = { name, keys: keys.map(({ keyId, role, person }) => ({ keyId, role, person })) };
  log.append({
    actor: `site:${siteId}`,
    action: 'site-enrolled',
    outcome: 'success',
    object: `site:${siteId}`,
    detail,
  });
}

function decode(text: string): Uint8Array {
  try {
    return fromBase64(text);
  } catch (cause) {
    throw new EnrolmentError('KEYS_INCOMPLETE', 'A key or code in the request is not canonical base64.', {
      cause,
    });
  }
}

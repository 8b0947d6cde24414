// Joins a consortium: pins what the invitation says, proves possession of every key, keeps the trust list (security.md E25).
import { z } from 'zod';
import { toBase64 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { isCodedError } from '#base/coded-error.ts';
import { keyIdOf, type SigningKey } from '#federation/crypto/signing-key.ts';
import { type EnrolmentRequest, enrolmentRequestRecord } from '#federation/records/enrolment-request.ts';
import { encodeStatement, signStatement } from '#federation/records/record.ts';
import { findKeyFor } from '#federation/records/trusted-keys.ts';
import { type Invitation, parseInvitation } from '#federation/sync-contract/invitation.ts';
import { type ConsortiumSettings, checkTrustList } from '#site/agreement/index.ts';
import type { Store } from '#site/store/index.ts';
import { createConsortiumClient } from './consortium-client.ts';
import { EnrolmentError } from './enrolment-error.ts';
import { createHttpsExchange } from './https-exchange.ts';
import type { SyncOptions } from './sync-once.ts';
import { createTraffic, saveTraffic } from './traffic.ts';

export interface EnrolmentOptions extends Omit<SyncOptions, 'reevaluateConsent'> {
  /** `consilium-invitation:…` as the consortium's operator gave it. */
  readonly invitation: string;
  /** The key of every steward of this site, opened with each one's secret: it signs that its owner asks to be trusted. */
  readonly stewards: readonly SigningKey[];
}

/**
 * Enrols this site. May be repeated with the same invitation when the answer was lost.
 * @throws EnrolmentError, AgreementError ALREADY_ENROLLED, SyncError of the consortium's answer, RecordError.
 */
export async function enrol(
  options: EnrolmentOptions,
): Promise<{ readonly siteId: string; readonly consortium: string }> {
  const { store, auditLog, agreement, actor } = options;
  try {
    const invitation = openInvitation(options);
    const trustList = await request(options, invitation);
    return accept(options, invitation, trustList);
  } catch (error) {
    // What the agreement refuses it has logged itself.
    if (isCodedError(error) && error.code !== 'BUG' && agreement.settings() === undefined) {
      store.transaction(() =>
        auditLog.append({
          actor: actor.name,
          role: actor.role,
          action: 'enrolment-refused',
          outcome: 'refused',
          reason: error.code,
        }),
      );
    }
    throw error;
  }
}

function openInvitation({
  store,
  agreement,
  invitation: text,
  people,
  stewards,
}: EnrolmentOptions): Invitation {
  const settings = agreement.settings();
  if (settings !== undefined) {
    throw new EnrolmentError('ALREADY_ENROLLED', 'This site has joined a consortium already.', {
      details: { found: settings.siteId },
    });
  }
  const invitation = parseInvitation(text);
  if (Date.parse(invitation.expires) <= store.clock.nowMs()) {
    throw new EnrolmentError('INVITATION_EXPIRED', 'The invitation has expired; ask for another one.', {
      details: { expires: invitation.expires },
    });
  }
  const signing = new Set(stewards.map(({ keyId }) => keyId));
  const known = people.keys().filter(({ role }) => role === 'steward');
  const missing = known.filter(({ publicKey }) => !signing.has(keyIdOf(publicKey)));
  if (known.length === 0 || missing.length > 0 || signing.size !== known.length) {
    throw new EnrolmentError(
      'STEWARD_SIGNATURE_MISSING',
      'Every steward of this site signs the enrolment; there is at least one.',
      {
        details: { expected: Math.max(1, known.length), found: known.length - missing.length },
      },
    );
  }
  return invitation;
}

async function request(options: EnrolmentOptions, invitation: Invitation): Promise<Uint8Array> {
  const { store, transport, people, stewards } = options;
  const signers = [people.siteSigner(), people.logSigner(), ...stewards];
  const statement = encodeStatement(enrolmentRequestRecord, {
    predicate: enrolmentPredicate(options, invitation, loadRequestTime(store, invitation.code)),
  });
  const traffic = createTraffic();
  const signer = people.siteSigner();
  const { clock } = store;
  const exchange = createHttpsExchange({ transport, address: invitation, signer, clock, traffic });
  const client = createConsortiumClient(exchange);
  try {
    return await client.postEnrolment(signStatement(statement, signers));
  } finally {
    saveTraffic(store, traffic.totals());
  }
}

function enrolmentPredicate(
  { people }: EnrolmentOptions,
  invitation: Invitation,
  requestedAt: string,
): EnrolmentRequest {
  const stewardKeys = people.keys().filter(({ role }) => role === 'steward');
  return {
    siteId: invitation.siteId,
    name: invitation.name,
    invitationCode: invitation.code,
    keys: [
      { role: 'site-signing', person: null, publicKey: toBase64(people.siteSigner().publicKey) },
      { role: 'site-log', person: null, publicKey: toBase64(people.logSigner().publicKey) },
      ...stewardKeys.map(({ name, publicKey }) => ({
        role: 'steward' as const,
        person: name,
        publicKey: toBase64(publicKey),
      })),
    ],
    requestedAt,
  };
}

/** Accepts an answer that lists every key of ours in its role: a consortium that dropped a steward is found out now. */
function accept(options: EnrolmentOptions, invitation: Invitation, envelope: Uint8Array) {
  const { store, agreement, people, stewards, actor } = options;
  const nowMs = store.clock.nowMs();
  const { rootPublicKey, siteId, url, certificateDigest } = invitation;
  const { list, trust } = checkTrustList({ envelope, rootPublicKey, nowMs });
  const wanted = [
    { role: 'site-signing', key: people.siteSigner() },
    { role: 'site-log', key: people.logSigner() },
    ...stewards.map((key) => ({ role: 'steward' as const, key })),
  ] as const;
  const missing = wanted.filter(
    ({ role, key }) => findKeyFor(trust, key.keyId, { role, siteId, atMs: nowMs }) === undefined,
  );
  if (missing.length > 0) {
    throw new EnrolmentError('KEYS_NOT_LISTED', "The consortium's trust list lacks keys of this site.", {
      details: { expected: missing.map(({ role }) => role) },
    });
  }
  const settings: ConsortiumSettings = {
    siteId,
    consortium: list.consortium,
    url,
    certificateDigest,
    rootPublicKey,
  };
  agreement.recordEnrolment(settings, envelope, actor);
  return { siteId, consortium: list.consortium };
}

const requestTime = z.strictObject({ code: z.string(), requestedAt: z.string() });
const SETTING = 'enrolment-request';

/** The same time for the same invitation: a repeated request is the same statement, which the consortium answers again. */
function loadRequestTime(store: Store, code: string): string {
  const row = store.get(store.query.selectFrom('setting').select('value').where('name', '=', SETTING));
  const known = row === undefined ? undefined : requestTime.parse(JSON.parse(row.value));
  if (known?.code === code) return known.requestedAt;
  const requestedAt = isoTime(store.clock.nowMs());
  const value = JSON.stringify({ code, requestedAt });
  store.run(
    store.query
      .insertInto('setting')
      .values({ name: SETTING, value })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value })),
  );
  return requestedAt;
}

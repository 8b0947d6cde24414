import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toBase64 } from '#base/bytes.ts';
import { createSigningKey, type SigningKey } from '#federation/crypto/signing-key.ts';
import { enrolmentRequestRecord } from '#federation/records/enrolment-request.ts';
import { readUnverified } from '#federation/records/record.ts';
import { encodeInvitation, type Invitation } from '#federation/sync-contract/invitation.ts';
import { SyncError } from '#federation/sync-contract/sync-error.ts';
import { type Agreement, openAgreement } from '#site/agreement/index.ts';
import { systemActor } from '#site/audit/index.ts';
import { enrol, loadTraffic } from '#site/sync/index.ts';
import { type ConsortiumTransport, createConsortiumTransport } from '#support/consortium-transport.ts';
import { ada, ben, personKeys } from '#support/enrolled-site.ts';
import { refusalCodeOf } from '#support/refusal-code.ts';
import { createSignedConsortium, type SignedConsortium } from '#support/signed-consortium.ts';
import { createSiteFoundation, type SiteFoundation } from '#support/site-foundation.ts';

const siteId = 'cleveland';
let site: SiteFoundation;
let agreement: Agreement;
let consortium: SignedConsortium;
let transport: ConsortiumTransport;
beforeEach(() => {
  site = createSiteFoundation(siteId);
  agreement = openAgreement(site);
  consortium = createSignedConsortium(site.clock);
  addSteward(ada.name, personKeys.ada);
  trustSite();
  transport = createConsortiumTransport(consortium, site.clock, {
    trustList: consortium.trustList().envelope,
    plan: new Uint8Array(),
    openRound: undefined,
    models: [],
    logSize: undefined,
  });
});
afterEach(() => site.close());

const addSteward = (name: string, key: SigningKey): void => {
  const row = {
    name,
    role: 'steward',
    public_key: toBase64(key.publicKey),
    added_at: '2026-11-01T00:00:00.000Z',
  };
  site.store.run(site.store.query.insertInto('person').values(row));
};
const trustSite = (): void => {
  consortium.trust('site-signing', site.people.siteSigner(), { siteId });
  consortium.trust('site-log', site.people.logSigner(), { siteId });
  consortium.trust('steward', personKeys.ada, { siteId, person: ada.name });
};
const invitation = (changes: Partial<Invitation> = {}): string =>
  encodeInvitation({
    url: 'https://consortium.example:8443',
    certificateDigest: 'c'.repeat(64),
    rootPublicKey: toBase64(consortium.keys.root.publicKey),
    code: toBase64(new Uint8Array(16).fill(5)),
    siteId,
    name: 'Cleveland Clinic',
    expires: '2026-11-28T08:00:00.000Z',
    ...changes,
  });
const attempt = (text = invitation(), stewards = [personKeys.ada]): Promise<string> => {
  const options = { ...site, agreement, transport, actor: systemActor, invitation: text, stewards };
  return refusalCodeOf(enrol(options));
};

describe('enrolment', () => {
  it('sends every public key with a signature of its own and keeps what the invitation pins', async () => {
    expect(await attempt()).toBe('none');
    expect(transport.requests).toEqual(['POST /v1/enrolments']);
    const request = readUnverified(enrolmentRequestRecord, transport.bodies[0] ?? new Uint8Array());
    expect(request.predicate).toMatchObject({ siteId, name: 'Cleveland Clinic' });
    expect(request.predicate.keys.map(({ role, person }) => [role, person])).toEqual([
      ['site-signing', null],
      ['site-log', null],
      ['steward', ada.name],
    ]);
    expect(agreement.requireSettings()).toEqual({
      siteId,
      consortium: 'Test consortium',
      url: 'https://consortium.example:8443',
      certificateDigest: 'c'.repeat(64),
      rootPublicKey: toBase64(consortium.keys.root.publicKey),
    });
    expect(agreement.trustedKeys().version).toBe(1);
    expect(site.events()).toEqual(['trust-list-accepted success', 'enrolled success']);
    expect(loadTraffic(site.store).sent.enrolment).toBe(transport.bodies[0]?.length);
  });

  it('sends no private key and no secret', async () => {
    await attempt();
    const { siteSigningSeed, siteLogSeed, storeKey } = site.keyStore.load() ?? {
      siteSigningSeed: new Uint8Array(),
    };
    const body = Buffer.from(transport.bodies[0] ?? new Uint8Array());
    const statement = Buffer.from(JSON.parse(body.toString()).payload, 'base64');
    for (const secret of [siteSigningSeed, siteLogSeed ?? new Uint8Array(), storeKey ?? new Uint8Array()]) {
      expect(secret).toHaveLength(32);
      for (const place of [body, statement]) {
        expect(place.includes(toBase64(secret))).toBe(false);
        expect(place.includes(Buffer.from(secret))).toBe(false);
      }
    }
  });

  it('repeats the very same statement when the answer was lost', async () => {
    transport.intercept = () => {
      throw new SyncError('TIMED_OUT', 'The answer was lost.');
    };
    expect(await attempt()).toBe('TIMED_OUT');
    expect(agreement.settings()).toBeUndefined();
    site.clock.advance(3_600_000);
    transport.intercept = () => undefined;
    expect(await attempt()).toBe('none');
    const [first, second] = transport.bodies.map(
      (body) => readUnverified(enrolmentRequestRecord, body).digest,
    );
    expect(first).toBe(second);
    expect(site.events()).toEqual([
      'enrolment-refused refused TIMED_OUT',
      'trust-list-accepted success',
      'enrolled success',
    ]);
  });

  it('happens once', async () => {
    await attempt();
    expect(await attempt()).toBe('ALREADY_ENROLLED');
    expect(transport.requests).toHaveLength(1);
  });

  const stranger = createSigningKey(new Uint8Array(32).fill(6));
  it.each<[string, () => Promise<string>, string]>([
    ['a text that is no invitation', () => attempt('hello'), 'BAD_INVITATION'],
    [
      'an invitation with a foreign character',
      () => attempt(invitation().replace('consilium-invitation:', 'consilium-invitation:x')),
      'BAD_INVITATION',
    ],
    [
      'an expired invitation',
      () => attempt(invitation({ expires: '2026-11-21T08:00:00.000Z' })),
      'INVITATION_EXPIRED',
    ],
    ['a steward who did not sign', () => attempt(invitation(), []), 'STEWARD_SIGNATURE_MISSING'],
    [
      'the key of somebody else in place of the steward’s',
      () => attempt(invitation(), [stranger]),
      'STEWARD_SIGNATURE_MISSING',
    ],
    [
      'one steward of two',
      () => {
        addSteward(ben.name, personKeys.ben);
        return attempt();
      },
      'STEWARD_SIGNATURE_MISSING',
    ],
  ])('is refused before anything is sent: %s', async (_case, work, code) => {
    expect(await work()).toBe(code);
    expect(transport.requests).toEqual([]);
    expect(site.events()).toEqual([`enrolment-refused refused ${code}`]);
  });

  it.each<[string, () => Uint8Array, string]>([
    [
      'signed by another root than the invitation pins',
      () => createSignedConsortium(site.clock, 'other').trustList().envelope,
      'KEY_NOT_TRUSTED',
    ],
    [
      'without the keys of this site',
      () => createSignedConsortium(site.clock).trustList().envelope,
      'KEYS_NOT_LISTED',
    ],
    [
      'that lists them for another site',
      () => {
        const elsewhere = createSignedConsortium(site.clock);
        elsewhere.trust('site-signing', site.people.siteSigner(), { siteId: 'hungary' });
        elsewhere.trust('site-log', site.people.logSigner(), { siteId: 'hungary' });
        elsewhere.trust('steward', personKeys.ada, { siteId: 'hungary', person: ada.name });
        return elsewhere.trustList().envelope;
      },
      'KEYS_NOT_LISTED',
    ],
    [
      'that has expired',
      () => consortium.trustList({ expires: '2026-11-21T08:00:00.000Z' }).envelope,
      'EXPIRED',
    ],
  ])('is refused for an answer %s', async (_case, answer, code) => {
    transport.state.trustList = answer();
    expect(await attempt()).toBe(code);
    expect(agreement.settings()).toBeUndefined();
    expect(site.store.all(site.store.query.selectFrom('trust_list').selectAll())).toEqual([]);
    expect(site.events()).toEqual([`enrolment-refused refused ${code}`]);
  });

  it('gives the consortium’s own refusal', async () => {
    transport.intercept = () => ({
      status: 409,
      headers: {},
      body: Buffer.from('{"ok":false,"error":{"code":"INVITATION_USED","message":"used","details":{}}}'),
    });
    expect(await attempt()).toBe('INVITATION_USED');
  });
});

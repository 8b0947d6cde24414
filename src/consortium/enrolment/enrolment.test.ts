import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromBase64, toBase64, utf8 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { createSigningKey, type SigningKey } from '#federation/crypto/signing-key.ts';
import { type EnrolmentRequest, enrolmentRequestRecord } from '#federation/records/enrolment-request.ts';
import { createRootTrust, encodeStatement, signStatement, verifyRecord } from '#federation/records/record.ts';
import { trustListRecord } from '#federation/records/trust-list.ts';
import { parseInvitation } from '#federation/sync-contract/invitation.ts';
import {
  type ConsortiumWorld,
  enrol,
  enrolmentPredicate,
  openWorld,
  readLog,
  type SiteKeys,
  siteKeysOf,
  startMs,
  url,
} from '#support/consortium-world.ts';

const dayMs = 24 * 60 * 60 * 1000;

let folder: string;
let world: ConsortiumWorld;
let site: SiteKeys;
let invitation: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'consilium-enrolment-'));
  world = await openWorld({ storeFile: join(folder, 'consortium.db') });
  site = siteKeysOf('cleveland');
  ({ invitation } = await world.consortium.operations.invite({
    siteId: 'cleveland',
    name: 'Cleveland Clinic',
  }));
});

afterEach(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

interface RequestChange {
  readonly predicate?: Partial<EnrolmentRequest>;
  readonly signers?: readonly SigningKey[];
}

function requestOf({ predicate, signers }: RequestChange = {}): Uint8Array {
  const whole = { ...enrolmentPredicate(site, invitation, startMs), ...predicate };
  const statement = encodeStatement(enrolmentRequestRecord, { predicate: whole });
  return signStatement(statement, [...(signers ?? [site.signing, site.log, site.steward])]);
}

async function trustedKeyCount(): Promise<number> {
  const known = await enrol(world, 'observer');
  const { body } = await world.send(known, 'trustList');
  const rootKey = createSigningKey(world.keys.rootSeed).publicKey;
  const { predicate } = verifyRecord(trustListRecord, body, {
    trust: createRootTrust(rootKey),
    atMs: startMs,
  });
  return predicate.keys.filter(({ siteId }) => siteId === 'cleveland').length;
}

describe('an invitation', () => {
  it('carries the address, the certificate, the root key and 128 bits, for seven days', () => {
    const parsed = parseInvitation(invitation);
    const { certificateDigest } = world.consortium;
    expect(parsed).toMatchObject({ url, certificateDigest, siteId: 'cleveland', name: 'Cleveland Clinic' });
    expect(parsed.rootPublicKey).toBe(toBase64(createSigningKey(world.keys.rootSeed).publicKey));
    expect(fromBase64(parsed.code)).toHaveLength(16);
    expect(parsed.expires).toBe(isoTime(startMs + 7 * dayMs));
  });

  it.each([
    ['Not An Id', 'Name'],
    ['cleveland', ''],
    ['../x', 'Name'],
  ])('is refused for %s, "%s"', async (siteId, name) => {
    await expect(world.consortium.operations.invite({ siteId, name })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    });
  });

  it('is refused for a site that is enrolled', async () => {
    await world.send(site, 'enrol', { body: requestOf() });
    const again = world.consortium.operations.invite({ siteId: 'cleveland', name: 'Cleveland' });
    await expect(again).rejects.toMatchObject({ code: 'SITE_ALREADY_ENROLLED' });
  });
});

describe('an enrolment', () => {
  it('adds the keys under the next version of the trust list', async () => {
    const { status, body } = await world.send(site, 'enrol', { body: requestOf() });
    expect(status).toBe(201);
    const rootKey = createSigningKey(world.keys.rootSeed).publicKey;
    const { predicate } = verifyRecord(trustListRecord, body, {
      trust: createRootTrust(rootKey),
      atMs: startMs,
    });
    expect(predicate.version).toBe(2);
    const added = predicate.keys
      .filter(({ siteId }) => siteId === 'cleveland')
      .map(({ role, person }) => [role, person]);
    expect(added).toEqual([
      ['site-signing', null],
      ['site-log', null],
      ['steward', 'Steward of cleveland'],
    ]);
    expect((await world.send(site, 'trustList')).body).toEqual(body);
  });

  it('may be repeated when its answer was lost, and adds nothing', async () => {
    const body = requestOf();
    const first = await world.send(site, 'enrol', { body });
    expect(await world.send(site, 'enrol', { body })).toEqual(first);
    expect((await world.consortium.operations.status({})).sites).toHaveLength(1);
  });

  const mallory = createSigningKey(sha256(utf8('mallory')));
  const keyOf = (
    role: 'site-signing' | 'site-log' | 'steward',
    key: SigningKey,
    person: string | null = null,
  ) => ({
    role,
    person,
    publicKey: toBase64(key.publicKey),
  });
  const refused: readonly [what: string, code: string, change: () => RequestChange][] = [
    [
      'an unknown code',
      'INVITATION_UNKNOWN',
      () => ({ predicate: { invitationCode: toBase64(new Uint8Array(16)) } }),
    ],
    ["another site's id", 'OTHER_SITE', () => ({ predicate: { siteId: 'hungary' } })],
    ['a key that did not sign', 'NO_PROOF_OF_POSSESSION', () => ({ signers: [site.signing, site.log] })],
    [
      "a signature by another than the key's owner",
      'NO_PROOF_OF_POSSESSION',
      () => ({ signers: [site.signing, site.log, mallory] }),
    ],
    [
      'no log key',
      'KEYS_INCOMPLETE',
      () => ({
        predicate: {
          keys: [
            keyOf('site-signing', site.signing),
            keyOf('steward', site.steward, 'A'),
            keyOf('steward', site.log, 'B'),
          ],
        },
      }),
    ],
    [
      'a steward without a name',
      'KEYS_INCOMPLETE',
      () => ({
        predicate: {
          keys: [
            keyOf('site-signing', site.signing),
            keyOf('site-log', site.log),
            keyOf('steward', site.steward),
          ],
        },
      }),
    ],
    [
      'one key in two roles',
      'KEY_ALREADY_ENROLLED',
      () => ({
        predicate: {
          keys: [
            keyOf('site-signing', site.signing),
            keyOf('site-log', site.signing),
            keyOf('steward', site.steward, 'A'),
          ],
        },
      }),
    ],
    [
      "the consortium's own key",
      'KEY_ALREADY_ENROLLED',
      () => {
        const plan = createSigningKey(world.keys.planSeed);
        const keys = [
          keyOf('site-signing', site.signing),
          keyOf('site-log', plan),
          keyOf('steward', site.steward, 'A'),
        ];
        return { predicate: { keys }, signers: [site.signing, plan, site.steward] };
      },
    ],
  ];

  it.each(refused)('with %s is %s, logged, and enrols nobody', async (_what, code, change) => {
    const answer = await world.send(site, 'enrol', { body: requestOf(change()) });
    expect(answer.code).toBe(code);
    const last = readLog(join(folder, 'consortium.db'), world.keys).at(-1);
    expect(last).toEqual({ action: 'site-enrolled', outcome: 'refused', reason: code });
    expect((await world.consortium.operations.status({})).sites).toEqual([]);
    expect(await trustedKeyCount()).toBe(0);
    expect(
      (await world.send(site, 'enrol', { body: requestOf() })).status,
      'the invitation still works',
    ).toBe(201);
  });

  it('with a used invitation is refused', async () => {
    await world.send(site, 'enrol', { body: requestOf() });
    const other = requestOf({ predicate: { requestedAt: isoTime(startMs + 1) } });
    expect((await world.send(site, 'enrol', { body: other })).code).toBe('INVITATION_USED');
  });

  it('with a second invitation for the same site is refused', async () => {
    const second = await world.consortium.operations.invite({ siteId: 'cleveland', name: 'Cleveland' });
    await world.send(site, 'enrol', { body: requestOf() });
    invitation = second.invitation;
    expect((await world.send(site, 'enrol', { body: requestOf() })).code).toBe('SITE_ALREADY_ENROLLED');
  });

  it('after seven days is refused', async () => {
    world.clock.advance(7 * dayMs);
    expect((await world.send(site, 'enrol', { body: requestOf() })).code).toBe('INVITATION_EXPIRED');
  });

  it("with another site's key is refused", async () => {
    await world.send(site, 'enrol', { body: requestOf() });
    ({ invitation } = await world.consortium.operations.invite({ siteId: 'hungary', name: 'Hungary' }));
    expect((await world.send(site, 'enrol', { body: requestOf() })).code).toBe('KEY_ALREADY_ENROLLED');
  });

  it('that is no envelope is refused', async () => {
    expect((await world.send(site, 'enrol', { body: utf8('{}') })).code).toBe('BAD_STATEMENT');
  });
});

describe('the trust list', () => {
  it('is signed again before it expires, under a higher version', async () => {
    await world.send(site, 'enrol', { body: requestOf() });
    const before = (await world.consortium.operations.status({})).trustListVersion;
    world.clock.advance(29 * dayMs);
    expect((await world.consortium.operations.status({})).trustListVersion).toBe(before);
    world.clock.advance(2 * dayMs);
    expect((await world.consortium.operations.status({})).trustListVersion).toBe(before + 1);
  });
});

import { describe, expect, it } from 'vitest';
import { isoTime } from '#base/clock.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { modelUpdateRecord } from '#federation/records/model-update.ts';
import { verifyRecord } from '#federation/records/record.ts';
import { verifyApprovals } from '#federation/records/sealed-update.ts';
import { createTrustedKeys } from '#federation/records/trusted-keys.ts';
import {
  approvalEnvelope,
  flip,
  keys,
  nowMs,
  payload,
  refusalOf,
  signingKeyOf,
  trust,
  trustEntries,
  trustEntry,
  trustListOf,
  trustWith,
  updateEnvelope,
} from '#support/signed-world.ts';

const update = verifyRecord(modelUpdateRecord, updateEnvelope(), { trust, atMs: nowMs });
const byAnna = approvalEnvelope(update.digest);
const byBen = approvalEnvelope(update.digest, { person: { name: 'Ben', role: 'steward' } }, [keys.ben]);

const check = (approvals: Uint8Array[], requiredStewards = 1, trusted = trust): Promise<string> =>
  refusalOf(() => verifyApprovals({ approvals, update, trust: trusted, atMs: nowMs, requiredStewards }));

describe('approvals', () => {
  it('by as many stewards as the plan asks for are taken', async () => {
    expect(await check([byAnna])).toBe('nothing');
    expect(await check([byAnna, byBen], 2)).toBe('nothing');
  });
});

describe('E11: approvals that approve nothing', () => {
  const zita = { name: 'Zita', role: 'steward' } as const;
  it.each([
    ['no approval', [], 1],
    ['one of two stewards', [byAnna], 2],
    ['the same steward twice', [byAnna, byAnna], 2],
    ['of another update', [approvalEnvelope(sha256Hex(payload))], 1],
    ['of another update beside a good one', [byAnna, approvalEnvelope(sha256Hex(payload))], 1],
    ['a refusal', [approvalEnvelope(update.digest, { decision: 'refuse', reason: 'too few' })], 1],
    [
      'a refusal beside an approval',
      [byBen, approvalEnvelope(update.digest, { decision: 'refuse', reason: 'no' })],
      1,
    ],
    [
      'a steward of another site',
      [approvalEnvelope(update.digest, { siteId: 'hungary', person: zita }, [keys.zita])],
      1,
    ],
    ['for another research study', [approvalEnvelope(update.digest, { researchStudyId: 'other' })], 1],
    ['for another round', [approvalEnvelope(update.digest, { round: 3 })], 1],
    [
      "in another steward's printed name",
      [approvalEnvelope(update.digest, { person: { name: 'Ben', role: 'steward' } })],
      1,
    ],
  ])('%s: NOT_APPROVED', async (_name, approvals, requiredStewards) => {
    expect(await check(approvals, requiredStewards)).toBe('NOT_APPROVED');
  });

  it('one person with two keys counts once', async () => {
    const second = signingKeyOf('second key of anna');
    const entries = [
      ...trustEntries,
      trustEntry(second.publicKey, { role: 'steward', siteId: 'cleveland', person: 'Anna' }),
    ];
    const twice = [byAnna, approvalEnvelope(update.digest, {}, [second])];
    expect(await check(twice, 2, createTrustedKeys(trustListOf(entries)))).toBe('NOT_APPROVED');
  });
});

describe('E9 and E2: approvals that are none', () => {
  it.each([
    ["the site's own key", approvalEnvelope(update.digest, {}, [keys.cleveland]), trust, 'KEY_NOT_TRUSTED'],
    [
      'an unknown key',
      approvalEnvelope(update.digest, {}, [signingKeyOf('stranger')]),
      trust,
      'KEY_NOT_TRUSTED',
    ],
    [
      "another site's steward in this site's name",
      approvalEnvelope(update.digest, {}, [keys.zita]),
      trust,
      'KEY_NOT_TRUSTED',
    ],
    ['a revoked steward', byAnna, trustWith(keys.anna, { revokedAt: isoTime(nowMs - 1) }), 'KEY_NOT_TRUSTED'],
    ['an update statement', updateEnvelope(), trust, 'KEY_NOT_TRUSTED'],
    ['a flipped byte', flip(byAnna, 200), trust, 'BAD_SIGNATURE'],
    ['no envelope', payload, trust, 'BAD_STATEMENT'],
  ])('%s: %s', async (_name, envelope, trusted, code) => {
    expect(await check([envelope], 1, trusted)).toBe(code);
  });
});

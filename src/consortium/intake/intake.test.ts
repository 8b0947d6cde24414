import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { openConsortiumStore, type ReceivedUpdateRow } from '#consortium/store/index.ts';
import { sha256, sha256Hex } from '#federation/crypto/digest.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import type { RoundOpening } from '#federation/records/round.ts';
import { SUM_PARTS } from '#federation/statistics/exact-sums.ts';
import { encodeSafetensors } from '#federation/tensors/safetensors.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import {
  beginSampleStudy,
  buildUpdate,
  type ConsortiumWorld,
  enrol,
  fetchOpening,
  openWorld,
  payloadOf,
  readLog,
  type SiteKeys,
  sendUpdate,
  startMs,
  type UpdateChange,
} from '#support/consortium-world.ts';
import { samplePlan } from '#support/sample-plan.ts';
import { createShownLog } from '#support/shown-log.ts';

const { researchStudyId } = samplePlan;
const dayMs = 24 * 60 * 60 * 1000;

let folder: string;
let storeFile: string;
let world: ConsortiumWorld;
let cleveland: SiteKeys;
let hungary: SiteKeys;
let opening: RoundOpening;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'consilium-intake-'));
  storeFile = join(folder, 'consortium.db');
  world = await openWorld({ storeFile });
  ({ cleveland, hungary } = await beginSampleStudy(world));
  await world.consortium.operations.openRound({ researchStudyId });
  opening = await fetchOpening(world, cleveland);
});

afterEach(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

/** Updates that the open round counts, by site. */
async function received(): Promise<string[]> {
  const { researchStudies } = await world.consortium.operations.status({});
  return (researchStudies[0]?.rounds ?? []).flatMap((round) => round.received.map(({ siteId }) => siteId));
}

function refusals(): (string | null)[] {
  return readLog(storeFile, world.keys)
    .filter(({ action, outcome }) => action === 'update-received' && outcome === 'refused')
    .map(({ reason }) => reason);
}

/** Closes the statistics round, so that training is open. */
async function openTraining(): Promise<RoundOpening> {
  for (const site of [cleveland, hungary]) {
    const { status } = await sendUpdate(world, site, await buildUpdate(world, site, opening));
    expect(status).toBe(200);
  }
  await world.consortium.operations.openRound({ researchStudyId });
  opening = await fetchOpening(world, cleveland);
  expect(opening.kind).toBe('training');
  return opening;
}

async function lastDigest(siteId: string): Promise<string | null> {
  const { researchStudies } = await world.consortium.operations.status({});
  const all = (researchStudies[0]?.rounds ?? []).flatMap((round) => round.received);
  return all.filter((update) => update.siteId === siteId).at(-1)?.updateDigest ?? null;
}

describe('an honest update', () => {
  it('is counted once, with a receipt and a log entry', async () => {
    const answer = await sendUpdate(world, cleveland, await buildUpdate(world, cleveland, opening));
    expect(answer.code).toBeUndefined();
    expect(await received()).toEqual(['cleveland']);
    expect(readLog(storeFile, world.keys).at(-1)).toEqual({
      action: 'update-received',
      outcome: 'success',
      reason: null,
    });
  });

  it('gives the same receipt when it comes again: same file, other name, sealed anew (E4)', async () => {
    const built = await buildUpdate(world, cleveland, opening);
    const first = await sendUpdate(world, cleveland, built);
    const again = await sendUpdate(world, cleveland, built);
    const resealed = await sendUpdate(world, cleveland, await built.sealAgain());
    expect([again, resealed].map(({ status }) => status)).toEqual([200, 200]);
    expect(again.body).toEqual(first.body);
    expect(resealed.body).toEqual(first.body);
    expect(await received()).toEqual(['cleveland']);
    expect(readLog(storeFile, world.keys).filter(({ reason }) => reason === 'REPLAY')).toHaveLength(2);
  });

  it('gives the same receipt when it comes again after its round was closed', async () => {
    const built = await buildUpdate(world, cleveland, opening);
    const first = await sendUpdate(world, cleveland, built);
    await sendUpdate(world, hungary, await buildUpdate(world, hungary, opening));
    world.clock.advance(30 * dayMs);
    const late = await sendUpdate(world, cleveland, built);
    expect(late).toEqual(first);
    const { researchStudies } = await world.consortium.operations.status({});
    expect(researchStudies[0]?.models.map(({ round }) => round)).toEqual([0, 1]);
  });

  it('cannot be followed by a different one for the same round', async () => {
    await sendUpdate(world, cleveland, await buildUpdate(world, cleveland, opening));
    const second = await sendUpdate(
      world,
      cleveland,
      await buildUpdate(world, cleveland, opening, { exampleCount: 11 }),
    );
    expect([second.status, second.code]).toEqual([409, 'ALREADY_RECEIVED']);
    expect(refusals()).toEqual(['ALREADY_RECEIVED']);
    expect(await received()).toEqual(['cleveland']);
  });
});

const foreignKey = createSigningKey(sha256(utf8('nobody knows this key')));
const later = isoTime(startMs + dayMs);
const earlier = isoTime(startMs - dayMs);
const digestOf = (text: string): string => sha256Hex(utf8(text));

/** What a site sends with another sum of squares of its first feature. */
function statisticsWithSquares(sumOfSquares: number): TensorMap {
  const payload = payloadOf('statistics', 10, 'x');
  payload.get('statistics/sums')?.data.set([sumOfSquares, 0, 0, 0], SUM_PARTS);
  return payload;
}

describe('a refused update', () => {
  const attacks: readonly [id: string, what: string, code: string, change: () => UpdateChange][] = [
    ['E5', 'another attempt', 'STALE_ROUND', () => ({ update: { attempt: 2 } })],
    ['E5', 'a later round', 'STALE_ROUND', () => ({ update: { round: 2 } })],
    ['E5', 'an older base', 'WRONG_BASE', () => ({ update: { baseModelDigest: digestOf('older') } })],
    [
      'E6',
      'another research study outside than inside',
      'MIXUP',
      () => ({ header: { researchStudyId: 'other' } }),
    ],
    ['E6', 'another round outside than inside', 'MIXUP', () => ({ header: { round: 2 } })],
    ['E6', 'a research study that is not here', 'MIXUP', () => ({ update: { researchStudyId: 'other' } })],
    ['E6', 'another plan', 'WRONG_PLAN', () => ({ update: { planDigest: digestOf('plan') } })],
    [
      'E7',
      "another update's payload",
      'SUBSTITUTED',
      () => ({ payloadBytes: encodeSafetensors(payloadOf('statistics', 99, 'x')) }),
    ],
    [
      'E8',
      'a statement meant for another recipient',
      'WRONG_RECIPIENT',
      () => ({
        header: { recipientKeyId: opening.recipientKeyId },
        update: { recipientKeyId: digestOf('other') },
      }),
    ],
    ['E9', 'a statement signed by an unknown key', 'KEY_NOT_TRUSTED', () => ({ updateSigner: foreignKey })],
    ['E9', 'a file signed by an unknown key', 'KEY_NOT_TRUSTED', () => ({ transportSigner: foreignKey })],
    ['E9', 'a statement signed by a steward', 'KEY_NOT_TRUSTED', () => ({ updateSigner: cleveland.steward })],
    [
      'E9',
      'an approval signed by the site',
      'KEY_NOT_TRUSTED',
      () => ({ approvalSigner: cleveland.signing }),
    ],
    ['E11', 'no approval', 'NOT_APPROVED', () => ({ approvalOf: 'nothing' })],
    ['E11', "another update's approval", 'NOT_APPROVED', () => ({ approvalOf: 'another update' })],
    [
      'E11',
      'a refusal by the steward',
      'NOT_APPROVED',
      () => ({ approval: { decision: 'refuse', reason: 'too few' } }),
    ],
    ['E11', "another site's steward", 'KEY_NOT_TRUSTED', () => ({ approvalSigner: hungary.steward })],
    [
      'E16',
      'a tensor too many',
      'BAD_TENSORS',
      () => ({
        payload: new Map([...payloadOf('statistics', 10, 'x'), ...payloadOf('evaluation', 10, 'x')]),
      }),
    ],
    [
      'E16',
      'the tensors of another kind of round',
      'BAD_TENSORS',
      () => ({ payload: payloadOf('training', 10, 'x') }),
    ],
    [
      'E16',
      'another manifest than it claims',
      'BAD_TENSORS',
      () => ({ update: { tensorManifestDigest: digestOf('manifest') } }),
    ],
    [
      'E16',
      'a count that is not the one it signed',
      'BAD_TENSORS',
      () => ({ payload: payloadOf('statistics', 12, 'x') }),
    ],
    [
      'E16',
      'sums that no data have',
      'BAD_TENSORS',
      () => ({
        payload: statisticsWithSquares(1),
      }),
    ],
    [
      'R5',
      'more examples than any hospital has',
      'BAD_STATEMENT',
      () => ({ unfit: { exampleCount: 10_000_001 } }),
    ],
    [
      'R5',
      'more patients than any hospital has',
      'BAD_STATEMENT',
      () => ({ unfit: { patientCount: 10_000_001 } }),
    ],
    [
      'R5',
      "sums that overflow with another site's",
      'BAD_TENSORS',
      () => ({
        payload: statisticsWithSquares(1.7e308),
      }),
    ],
    [
      'A4',
      'a log of more entries than any has',
      'BAD_STATEMENT',
      () => ({ unfit: { auditCheckpoint: { size: 1_000_000_001, rootHash: digestOf('log') } } }),
    ],
    ['E17', 'too few examples', 'OUT_OF_POLICY', () => ({ exampleCount: 4 })],
    ['E17', 'too few patients', 'OUT_OF_POLICY', () => ({ update: { patientCount: 4 } })],
    ['E17', 'another kind than the round', 'OUT_OF_POLICY', () => ({ update: { updateKind: 'evaluation' } })],
    [
      'E17',
      'a clock one day ahead',
      'OUT_OF_POLICY',
      () => ({ update: { trainedFrom: later, trainedAt: later } }),
    ],
    ['E17', 'training from before the round', 'OUT_OF_POLICY', () => ({ update: { trainedFrom: earlier } })],
    ['E17', 'an end before its beginning', 'OUT_OF_POLICY', () => ({ update: { trainedAt: earlier } })],
    ['E17', 'consent evaluated tomorrow', 'OUT_OF_POLICY', () => ({ update: { consentEvaluatedAt: later } })],
    [
      'E17',
      'an approval from before the update',
      'OUT_OF_POLICY',
      () => ({ approval: { decidedAt: earlier } }),
    ],
    ['E17', 'an expired statement', 'OUT_OF_POLICY', () => ({ update: { expires: isoTime(startMs) } })],
    [
      'chain',
      'a predecessor that was not received',
      'BROKEN_CHAIN',
      () => ({ prevUpdateDigest: digestOf('before') }),
    ],
  ];

  it.each(attacks)('%s: %s is %s, logged and not counted', async (_id, _what, code, change) => {
    const answer = await sendUpdate(world, cleveland, await buildUpdate(world, cleveland, opening, change()));
    expect(answer.code).toBe(code);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(refusals()).toEqual([code]);
    expect(await received()).toEqual([]);
  });

  it("E6: another site's file in this site's session is MIXUP", async () => {
    const foreign = await buildUpdate(world, hungary, opening);
    const answer = await sendUpdate(world, cleveland, foreign);
    expect(answer.code).toBe('MIXUP');
    expect(refusals()).toEqual(['MIXUP']);
    expect(await received()).toEqual([]);
  });

  it('E6: a file under a name it was not made for is MIXUP', async () => {
    const { file } = await buildUpdate(world, cleveland, opening);
    const answer = await sendUpdate(world, cleveland, { file, bundleId: digestOf('another name') });
    expect(answer.code).toBe('MIXUP');
  });

  it('a site that the plan does not name is NOT_A_PARTICIPANT', async () => {
    const stranger = await enrol(world, 'switzerland');
    const answer = await sendUpdate(world, stranger, await buildUpdate(world, stranger, opening));
    expect([answer.status, answer.code]).toEqual([403, 'NOT_A_PARTICIPANT']);
    expect(await received()).toEqual([]);
  });

  it('E5: an update of the round before is STALE_ROUND in the next', async () => {
    const late = await buildUpdate(world, cleveland, opening, { exampleCount: 17 });
    await openTraining();
    const answer = await sendUpdate(world, cleveland, late);
    expect(answer.code).toBe('STALE_ROUND');
  });

  it('E5: an update after the closing time is STALE_ROUND', async () => {
    world.clock.advance(15 * dayMs);
    const now = isoTime(world.clock.nowMs());
    const built = await buildUpdate(world, cleveland, opening, {
      update: { expires: isoTime(world.clock.nowMs() + dayMs), trainedAt: now },
    });
    expect((await sendUpdate(world, cleveland, built)).code).toBe('STALE_ROUND');
  });

  it('E17: a delta longer than the norm bound of the plan is OUT_OF_POLICY', async () => {
    const training = await openTraining();
    const before = await lastDigest('cleveland');
    const scaled = payloadOf('training', 10, 'cleveland');
    const kernel = { shape: [2, 1], data: Float32Array.from([9, 9]) };
    const change = { payload: new Map([...scaled, ['weights/kernel', kernel]]), prevUpdateDigest: before };
    const answer = await sendUpdate(world, cleveland, await buildUpdate(world, cleveland, training, change));
    expect(answer.code).toBe('OUT_OF_POLICY');
    const honest = await buildUpdate(world, cleveland, training, { prevUpdateDigest: before });
    expect((await sendUpdate(world, cleveland, honest)).status).toBe(200);
  });

  it('an update that leaves out the one before it is BROKEN_CHAIN', async () => {
    const training = await openTraining();
    const answer = await sendUpdate(world, cleveland, await buildUpdate(world, cleveland, training));
    expect(answer.code).toBe('BROKEN_CHAIN');
  });

  it('E2: a flipped byte anywhere in the file is refused and logged', async () => {
    const { file, bundleId } = await buildUpdate(world, cleveland, opening);
    const places = Array.from({ length: 24 }, (_, index) => Math.floor((index * (file.length - 1)) / 23));
    for (const place of places) {
      const flipped = file.slice();
      flipped[place] = (flipped[place] ?? 0) ^ 1;
      const answer = await sendUpdate(world, cleveland, { file: flipped, bundleId });
      expect(answer.status, `byte ${place}`).toBeGreaterThanOrEqual(400);
      expect([
        'BAD_SIGNATURE',
        'DECRYPT_FAILED',
        'BAD_BUNDLE',
        'BAD_STATEMENT',
        'KEY_NOT_TRUSTED',
        'WRONG_TYPE',
      ]).toContain(answer.code);
    }
    expect(refusals()).toHaveLength(places.length);
    expect(await received()).toEqual([]);
    expect((await sendUpdate(world, cleveland, { file, bundleId })).status).toBe(200);
  });

  it('E3: a cut or longer file is refused', async () => {
    const { file, bundleId } = await buildUpdate(world, cleveland, opening);
    for (const changed of [file.slice(0, -1), new Uint8Array([...file, 0]), new Uint8Array()]) {
      expect((await sendUpdate(world, cleveland, { file: changed, bundleId })).status).toBeGreaterThanOrEqual(
        400,
      );
    }
    expect(await received()).toEqual([]);
  });
});

describe("what an update says of its site's log (A4)", () => {
  const show = (oldSize: number, size: number, forkedAt?: number) =>
    world.send(cleveland, 'logCheckpoint', { body: createShownLog(cleveland, forkedAt).show(oldSize, size) });
  const stating = (
    size: number,
    { forkedAt, before = null }: { forkedAt?: number; before?: string | null } = {},
  ): UpdateChange => ({
    update: { auditCheckpoint: { size, rootHash: createShownLog(cleveland, forkedAt).root(size) } },
    prevUpdateDigest: before,
  });
  const send = async (change: UpdateChange) =>
    (await sendUpdate(world, cleveland, await buildUpdate(world, cleveland, opening, change))).code;

  it('is refused where the site showed another root at that size', async () => {
    await show(0, 50);
    expect(await send(stating(50, { forkedAt: 9 }))).toBe('LOG_ROLLBACK');
    expect(refusals()).toEqual(['LOG_ROLLBACK']);
    expect(await received()).toEqual([]);
    expect(await send(stating(50))).toBeUndefined();
  });

  it('may be older than the last checkpoint shown: the update was built before', async () => {
    await show(0, 50);
    expect(await send(stating(20))).toBeUndefined();
  });

  it('is refused where it is shorter than, or other than, in the update before', async () => {
    const honest = buildUpdate(world, cleveland, opening, stating(40));
    expect((await sendUpdate(world, cleveland, await honest)).status).toBe(200);
    await sendUpdate(world, hungary, await buildUpdate(world, hungary, opening));
    await world.consortium.operations.openRound({ researchStudyId });
    opening = await fetchOpening(world, cleveland);
    const before = await lastDigest('cleveland');
    expect(await send(stating(39, { before }))).toBe('LOG_ROLLBACK');
    expect(await send(stating(40, { before, forkedAt: 9 }))).toBe('LOG_ROLLBACK');
    expect(await send(stating(41, { before }))).toBeUndefined();
  });

  it('binds the checkpoints that the site shows from then on', async () => {
    expect(await send(stating(40))).toBeUndefined();
    expect((await show(0, 39)).code).toBe('LOG_ROLLBACK');
    expect((await show(0, 40, 9)).code).toBe('LOG_ROLLBACK');
    expect((await show(0, 40)).code).toBeUndefined();
  });
});

describe('a site that wants the round to stay open', () => {
  it('keeps neither the others from their receipts nor the consortium from starting', async () => {
    const unfit = { exampleCount: Number.MAX_SAFE_INTEGER };
    const lie = await buildUpdate(world, cleveland, opening, { unfit });
    expect((await sendUpdate(world, cleveland, lie)).code).toBe('BAD_STATEMENT');
    expect((await sendUpdate(world, hungary, await buildUpdate(world, hungary, opening))).status).toBe(200);
    await world.close();
    world = await openWorld({ storeFile, isReopened: true, clock: world.clock });
    expect(await received()).toEqual(['hungary']);
    const honest = await buildUpdate(world, cleveland, opening);
    expect((await sendUpdate(world, cleveland, honest)).status).toBe(200);
    const { researchStudies } = await world.consortium.operations.status({});
    expect(researchStudies[0]?.models.map(({ round }) => round)).toEqual([0, 1]);
  });

  it('fails alone even where a count that breaks the sum is stored already', async () => {
    expect((await sendUpdate(world, cleveland, await buildUpdate(world, cleveland, opening))).status).toBe(
      200,
    );
    storeAs('hungary', { example_count: 0 });
    await world.close();
    world = await openWorld({ storeFile, isReopened: true, clock: world.clock });
    expect(readLog(storeFile, world.keys).at(-1)).toMatchObject({
      action: 'round-closed',
      outcome: 'failed',
    });
    const again = await sendUpdate(world, hungary, await buildUpdate(world, hungary, opening));
    expect(again.code).toBe('ALREADY_RECEIVED');
    expect((await world.consortium.operations.status({})).researchStudies[0]?.models).toHaveLength(1);
  });

  /** Stores cleveland's update once more in the name of another site, with other columns. */
  function storeAs(siteId: string, columns: Partial<ReceivedUpdateRow>): void {
    const store = openConsortiumStore({ file: storeFile, key: world.keys.storeKey, clock: world.clock });
    const row = store.get(store.query.selectFrom('received_update').selectAll());
    if (row === undefined) throw new Error('nothing was received');
    const other = { ...row, update_digest: digestOf(siteId), sequence: 99, site_id: siteId, ...columns };
    store.run(store.query.insertInto('received_update').values(other));
    store.close();
  }
});

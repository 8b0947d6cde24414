// E5, E15-E17: an insider who has every key of a hospital signs, approves and seals other claims or tensors than the pipeline made.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import type { ModelUpdate } from '#federation/records/model-update.ts';
import { encodeSafetensors, parseSafetensors } from '#federation/tensors/safetensors.ts';
import type { Tensor, TensorMap } from '#federation/tensors/tensor.ts';
import {
  type AttackedFederation,
  type SealedFile,
  startAttackedFederation,
} from '#support/attacked-federation.ts';
import { type Attack, claimsOf, lie, seal, statementText } from '#support/forged-update.ts';

let federation: AttackedFederation;
/** Of the statistics round, never sent in it. */
let early: SealedFile;
/** Of the training round. */
let genuine: SealedFile;
let attack: Attack;
/** The model that the statistics round started from. */
let earlyBase: string;
const dayMs = 86_400_000;

beforeAll(async () => {
  federation = await startAttackedFederation();
  await federation.openRound();
  early = await federation.cleveland.sealed();
  earlyBase = (await federation.open(early)).update.predicate.baseModelDigest;
  await federation.finishRound();
  await federation.openRound();
  genuine = await federation.cleveland.sealed();
  attack = { federation, site: federation.cleveland, opened: await federation.open(genuine) };
});
afterAll(() => federation.close());

async function expectRefused(file: SealedFile, code: string): Promise<void> {
  const events = () => federation.log().filter(({ action }) => action === 'update-received');
  const before = events().length;
  const answer = await federation.send(attack.site, file);
  expect(answer.code).toBe(code);
  const [event, ...more] = events().slice(before);
  expect(event).toMatchObject({ actor: 'site:cleveland', outcome: 'refused', reason: code });
  expect(more).toEqual([]);
  expect(await federation.counted()).toEqual([]);
}

const later = (milliseconds: number) => isoTime(federation.clock.nowMs() + milliseconds);

describe('E15: a statement', () => {
  it.each<[string, (text: string) => string]>([
    ['with a count twice', (text) => text.replace('"exampleCount":', '"exampleCount":1,"exampleCount":')],
    ['with a round twice, spelt otherwise', (text) => text.replace('"round":', '"\\u0072ound":9,"round":')],
    ['with __proto__', (text) => text.replace('"predicate":{', '"predicate":{"__proto__":{"round":2},')],
    ['with constructor', (text) => text.replace('"predicate":{', '"predicate":{"constructor":{},')],
    ['with 1e999', (text) => text.replace(/"exampleCount":\d+/, '"exampleCount":1e999')],
    ['with 2^53 + 1', (text) => text.replace(/"exampleCount":\d+/, '"exampleCount":9007199254740993')],
    ['with NaN', (text) => text.replace(/"exampleCount":\d+/, '"exampleCount":NaN')],
    ['with a fraction for a count', (text) => text.replace(/"exampleCount":\d+/, '"exampleCount":200.5')],
    ['with a text for a count', (text) => text.replace(/"exampleCount":(\d+)/, '"exampleCount":"$1"')],
    ['with a negative loss', (text) => text.replace(/"before":[0-9.]+/, '"before":-1')],
    ['with a lone surrogate', (text) => text.replace('"consilium"', '"\\ud800"')],
    ['with a line end in a text', (text) => text.replace('"consilium"', '"consilium\\n\\u202e"')],
    ['with a field of its own', (text) => text.replace('"predicate":{', '"predicate":{"patient":"x",')],
    ['without a field', (text) => text.replace(/"nonce":"[0-9a-f]+",?/, '')],
    ['with a comment behind it', (text) => `${text}//`],
    [
      'nested a thousand deep',
      (text) => text.replace('"privacy":null', `"privacy":${'['.repeat(1000)}${']'.repeat(1000)}`),
    ],
    [
      'with a privacy claim that nothing here makes',
      (text) => text.replace('"privacy":null', '"privacy":{"mechanism":"gaussian"}'),
    ],
    ['with no example', (text) => text.replace(/"exampleCount":\d+/, '"exampleCount":0')],
    ['with a byte-order mark', (text) => `\ufeff${text}`],
  ])('%s is BAD_STATEMENT', async (_what, change) => {
    const genuineText = statementText(attack);
    const statement = change(genuineText);
    expect(statement).not.toBe(genuineText);
    await expectRefused(await lie(attack, { statement }), 'BAD_STATEMENT');
  });
});

describe('E5: an update', () => {
  it('of the round before, genuine, is STALE_ROUND, also sealed anew for this round', async () => {
    // The first round's own file was sent when it closed, so what is left of it is refused or a replay, never counted here.
    const opened = await federation.open(early);
    const replay = await federation.send(attack.site, early);
    expect(replay.status).toBe(200);
    expect(await federation.counted()).toEqual([]);
    await expectRefused(
      await lie({ ...attack, opened }, { claims: { nonce: 'a'.repeat(64) } }),
      'STALE_ROUND',
    );
    await expectRefused(await seal({ ...attack, opened }, { header: { round: 2 } }), 'MIXUP');
  });

  it.each<[string, string, () => Partial<ModelUpdate>]>([
    ['of another attempt', 'STALE_ROUND', () => ({ attempt: 2 })],
    ['of the base of the round before', 'WRONG_BASE', () => ({ baseModelDigest: earlyBase })],
    ['of a base that never was', 'WRONG_BASE', () => ({ baseModelDigest: 'b'.repeat(64) })],
    ['under another plan', 'WRONG_PLAN', () => ({ planDigest: 'c'.repeat(64) })],
    ['that forgets the one before it', 'BROKEN_CHAIN', () => ({ prevUpdateDigest: null })],
    ['after one that never was', 'BROKEN_CHAIN', () => ({ prevUpdateDigest: 'd'.repeat(64) })],
  ])('%s is %s', async (_what, code, claims) => {
    await expectRefused(await lie(attack, { claims: claims() }), code);
  });

  it('of the round to come is STALE_ROUND', async () => {
    const { opened } = attack;
    const predicate = { ...opened.update.predicate, round: 3 };
    const ahead = {
      ...opened,
      header: { ...opened.header, round: 3 },
      update: { ...opened.update, predicate },
    };
    await expectRefused(await lie({ ...attack, opened: ahead }, { claims: { round: 3 } }), 'STALE_ROUND');
  });
});

const tensorsOf = (): TensorMap =>
  parseSafetensors(attack.opened.payload, { maxBytes: attack.opened.payload.length });

/** The genuine tensors with some exchanged. */
function payloadWith(changes: Record<string, Tensor | undefined>): Uint8Array {
  const tensors = new Map(tensorsOf());
  for (const [name, tensor] of Object.entries(changes)) {
    if (tensor === undefined) tensors.delete(name);
    else tensors.set(name, tensor);
  }
  return encodeSafetensors(tensors);
}

const kernel = (values: (index: number) => number, shape = [13, 1]): Tensor => ({
  shape,
  data: Float32Array.from({ length: 13 }, (_value, index) => values(index)),
});

describe('E16: tensors', () => {
  it.each<[string, () => Uint8Array]>([
    ['with NaN', () => payloadWith({ 'weights/kernel': kernel((index) => (index === 7 ? Number.NaN : 0)) })],
    ['with infinity', () => payloadWith({ 'weights/bias': { shape: [1], data: Float32Array.of(1 / 0) } })],
    ['with one too many', () => payloadWith({ 'weights/extra': { shape: [1], data: Float32Array.of(0) } })],
    [
      'that would set the normalisation',
      () => payloadWith({ 'normalisation/mean': { shape: [13], data: new Float64Array(13) } }),
    ],
    ['without the bias', () => payloadWith({ 'weights/bias': undefined })],
    ['reshaped', () => payloadWith({ 'weights/kernel': kernel(() => 0, [1, 13]) })],
    ['flattened', () => payloadWith({ 'weights/kernel': kernel(() => 0, [13]) })],
    [
      'of another precision',
      () => payloadWith({ 'weights/kernel': { shape: [13, 1], data: new Float64Array(13) } }),
    ],
    ['that are none', () => encodeSafetensors(new Map())],
  ])('%s are BAD_TENSORS', async (_what, make) => {
    const payload = make();
    await expectRefused(await lie(attack, { payload, claims: finiteClaims(payload) }), 'BAD_TENSORS');
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['with a byte behind them', (bytes) => Uint8Array.from([...bytes, 0])],
    ['cut by a byte', (bytes) => bytes.subarray(0, -1)],
    ['with a header of 2^60 bytes', (bytes) => bytes.with(7, 16)],
    ['with a header that is no JSON', (bytes) => bytes.with(8, 0x5b)],
    [
      'whose header is spelt otherwise',
      (bytes) => new Uint8Array(Buffer.from(bytes).map((b) => (b === 0x22 ? 0x27 : b))),
    ],
    [
      'with offsets that run over each other',
      (bytes) => replaceText(bytes, '"data_offsets":[4,56]', '"data_offsets":[0,52]'),
    ],
    ['that are a pickle', () => utf8('\x80\x04\x95cos\nsystem\n(S"id"\ntR.')],
    ['of nothing', () => new Uint8Array()],
  ])('%s are BAD_TENSORS', async (_what, change) => {
    const payload = change(attack.opened.payload);
    expect(Buffer.from(payload).equals(attack.opened.payload)).toBe(false);
    await expectRefused(await lie(attack, { payload }), 'BAD_TENSORS');
  });

  it('that are not those of the manifest are BAD_TENSORS', async () => {
    await expectRefused(
      await lie(attack, { claims: { tensorManifestDigest: 'f'.repeat(64) } }),
      'BAD_TENSORS',
    );
  });
});

function finiteClaims(payload: Uint8Array): Partial<ModelUpdate> {
  try {
    return claimsOf(payload);
  } catch {
    return {};
  }
}

function replaceText(bytes: Uint8Array, from: string, to: string): Uint8Array {
  return new Uint8Array(Buffer.from(Buffer.from(bytes).toString('latin1').replace(from, to), 'latin1'));
}

describe('E17: an update', () => {
  it('over the norm bound is OUT_OF_POLICY, by a hair as by a mile', async () => {
    // Fourteen equal values of 2 / sqrt(14) and a little more.
    for (const value of [(2 / Math.sqrt(14)) * 1.0001, 10, 1e19, 3e38]) {
      const bias = { shape: [1], data: Float32Array.of(value) };
      const payload = payloadWith({ 'weights/kernel': kernel(() => value), 'weights/bias': bias });
      await expectRefused(await lie(attack, { payload }), 'OUT_OF_POLICY');
    }
  });

  it.each<[string, () => Partial<ModelUpdate>]>([
    ['of fewer examples than the plan asks', () => ({ exampleCount: 19 })],
    ['of fewer patients than the plan asks', () => ({ patientCount: 19 })],
    ['of one patient with many examples', () => ({ patientCount: 1 })],
    ['of another kind', () => ({ updateKind: 'statistics' })],
    ['trained tomorrow', () => ({ trainedAt: later(dayMs) })],
    ['trained before the round was opened', () => ({ trainedFrom: later(-dayMs) })],
    ['that ends before it begins', () => ({ trainedFrom: later(-1000), trainedAt: later(-2000) })],
    ['with consent of tomorrow', () => ({ consentEvaluatedAt: later(dayMs) })],
    ['that has expired', () => ({ expires: later(-1000) })],
  ])('%s is OUT_OF_POLICY', async (_what, claims) => {
    await expectRefused(await lie(attack, { claims: claims() }), 'OUT_OF_POLICY');
  });

  it.each<[string, () => Partial<ModelUpdate>]>([
    ['of more patients than examples', () => ({ patientCount: 1_000_000 })],
    ['whose consent was evaluated years ago', () => ({ consentEvaluatedAt: '2001-01-01T00:00:00.000Z' })],
  ])('%s is OUT_OF_POLICY (a claim that cannot be true)', async (_what, claims) => {
    await expectRefused(await lie(attack, { claims: claims() }), 'OUT_OF_POLICY');
  });
});

describe('after all that', () => {
  it('the genuine update goes in, a second one of the same round does not, and the round closes', async () => {
    expect((await federation.send(attack.site, genuine)).status).toBe(200);
    expect(await federation.counted()).toEqual(['cleveland']);
    const second = await lie(attack, { claims: { nonce: '1'.repeat(64) } });
    expect((await federation.send(attack.site, second)).code).toBe('ALREADY_RECEIVED');
    await federation.finishRound();
    const { researchStudies } = await federation.consortium.operations.status({});
    expect(researchStudies[0]?.models.at(-1)?.included.map(({ siteId }) => siteId)).toEqual([
      'cleveland',
      'switzerland',
    ]);
    expect((await federation.consortium.operations.verifyAudit({})).verified).toBe(true);
  });
});

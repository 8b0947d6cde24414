import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '#base/bytes.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { parseEnvelope } from '#federation/records/envelope.ts';
import { encodeSafetensors, parseSafetensors } from '#federation/tensors/safetensors.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import { systemActor } from '#site/audit/index.ts';
import { updateState } from '#support/draft-update.ts';
import { initialDigest, initialTensors } from '#support/enrolled-site.ts';
import { refusalCodeOf } from '#support/refusal-code.ts';
import { samplePlan } from '#support/sample-plan.ts';
import { createSignedConsortium, flipPayload } from '#support/signed-consortium.ts';
import {
  createSyncingSite,
  heldModels,
  publish,
  type SyncingSite,
  statisticsModel,
  statisticsTensors,
} from '#support/syncing-site.ts';

const { researchStudyId } = samplePlan;
let site: SyncingSite;
beforeEach(() => {
  site = createSyncingSite();
});
afterEach(() => site.close());
const models = () => heldModels(site.store);
/** Digests of a model that nobody was sent. */
const unknown = { modelDigest: 'f'.repeat(64), statementDigest: 'f'.repeat(64) };
/** Digests of a served model. */
const digestsOf = (round: number) => {
  const model = site.transport.state.models[round];
  if (model === undefined) throw new Error('no such model');
  const statementDigest = sha256Hex(parseEnvelope(model.envelope).payload);
  return { modelDigest: sha256Hex(model.tensors), statementDigest };
};
const stateOf = (updateId: string) => updateState(site.store, updateId);

describe('what the consortium published', () => {
  const hungary = (changes = {}) => [
    { siteId: 'hungary', updateDigest: 'b'.repeat(64), exampleCount: 60, weight: 1, ...changes },
  ];
  const other = encodeSafetensors(
    new Map([
      ['weights/bias', { shape: [1], data: new Float32Array([1]) }],
      ['weights/kernel', { shape: [2, 1], data: new Float32Array([0, 0]) }],
    ]),
  );
  /** What training may make of the model of the statistics round, with changes. */
  const trained = (changes: TensorMap = new Map()) => {
    const base = parseSafetensors(statisticsTensors, { maxBytes: statisticsTensors.length });
    const weights = new Map([['weights/bias', { shape: [1], data: new Float32Array([1]) }]]);
    return encodeSafetensors(new Map([...base, ...weights, ...changes]));
  };
  const withoutMine = { ...statisticsModel('a'.repeat(64)), included: hungary() };

  it.each<[string, (served: SyncingSite) => void, string]>([
    [
      'an initial model that is not the plan’s',
      (served) => {
        served.transport.state.models = [];
        publish(served, other);
      },
      'WRONG_MODEL_DIGEST',
    ],
    [
      'tensors with a flipped byte',
      ({ transport }) => {
        const [model] = transport.state.models;
        const tensors = (model?.tensors ?? new Uint8Array()).slice();
        tensors[tensors.length - 1] = 1;
        if (model !== undefined) transport.state.models[0] = { ...model, tensors };
      },
      'WRONG_MODEL_DIGEST',
    ],
    [
      'a statement with a flipped byte',
      ({ transport }) => {
        const [model] = transport.state.models;
        if (model !== undefined)
          transport.state.models[0] = { ...model, envelope: flipEnvelope(model.envelope) };
      },
      'BAD_SIGNATURE',
    ],
    [
      'a model that a site key signed',
      ({ transport, consortium, planDigest, people }) => {
        const [model] = transport.state.models;
        const { envelope } = consortium.model(initialTensors, { planDigest }, people.siteSigner());
        if (model !== undefined) transport.state.models[0] = { ...model, envelope };
      },
      'KEY_NOT_TRUSTED',
    ],
    [
      'a model of another plan',
      (served) => {
        served.transport.state.models = [];
        publish(served, initialTensors, { planDigest: 'd'.repeat(64) });
      },
      'WRONG_PLAN',
    ],
    [
      'a model of another research study',
      (served) => {
        served.transport.state.models = [];
        publish(served, initialTensors, { researchStudyId: 'another' });
      },
      'MIXUP',
    ],
    [
      'an expired model as the latest',
      (served) => {
        served.transport.state.models = [];
        publish(served, initialTensors, { expires: '2026-11-21T08:00:00.000Z' });
      },
      'EXPIRED',
    ],
    [
      'an initial model with a base',
      (served) => {
        served.transport.state.models = [];
        publish(served, initialTensors, { baseModelDigest: 'e'.repeat(64) });
      },
      'WRONG_BASE',
    ],
    [
      'an initial model made from updates',
      (served) => {
        served.transport.state.models = [];
        publish(served, initialTensors, { included: hungary() });
      },
      'INCLUSION_MISMATCH',
    ],
    [
      'a model that the log does not have',
      ({ transport }) => {
        const [model] = transport.state.models;
        transport.intercept = (_request, path) => {
          if (!path.endsWith('/proof') || model === undefined) return undefined;
          return {
            status: 200,
            headers: {},
            body: utf8('{"leaf":"{}","index":0,"hashes":[],"checkpoint":"none"}'),
          };
        };
      },
      'BAD_CHECKPOINT',
    ],
    [
      'the log entry of another model',
      (served) => {
        const seq = served.consortium.publish({ researchStudyId, round: 0, ...unknown });
        const [model] = served.transport.state.models;
        if (model !== undefined) served.transport.state.models[0] = { ...model, seq };
      },
      'MODEL_FORK',
    ],
    [
      'the log entry of other claims about the same tensors',
      (served) => {
        const { consortium, planDigest, transport } = served;
        const [model] = transport.state.models;
        const { envelope } = consortium.model(initialTensors, {
          planDigest,
          createdAt: '2026-11-20T08:00:00.000Z',
        });
        if (model !== undefined) transport.state.models[0] = { ...model, envelope };
      },
      'MODEL_FORK',
    ],
    [
      'the log entry of another round',
      (served) => {
        const seq = served.consortium.publish({ researchStudyId, round: 5, ...digestsOf(0) });
        const [model] = served.transport.state.models;
        if (model !== undefined) served.transport.state.models[0] = { ...model, seq };
      },
      'NOT_LOGGED',
    ],
  ])('is refused: %s', async (_case, lie, code) => {
    lie(site);
    expect(await refusalCodeOf(site.sync())).toBe(code);
    expect(models()).toEqual([]);
    expect(site.events()).toContain(`global-model-refused refused ${code}`);
  });

  it.each<[string, Parameters<typeof publish>[2], string]>([
    [
      'one that does not continue the last',
      { ...withoutMine, baseModelDigest: 'e'.repeat(64) },
      'WRONG_BASE',
    ],
    ['another kind than the plan has', { ...withoutMine, kind: 'training' }, 'WRONG_PLAN'],
    ['another round', { ...withoutMine, round: 2 }, 'MIXUP'],
    ['an update of this site that it never sent', statisticsModel('a'.repeat(64)), 'INCLUSION_MISMATCH'],
    [
      'a site that takes no part',
      { ...withoutMine, included: hungary({ siteId: 'zurich' }) },
      'INCLUSION_MISMATCH',
    ],
    [
      'a site twice',
      { ...withoutMine, included: [...hungary({ weight: 0.5 }), ...hungary({ weight: 0.5 })] },
      'INCLUSION_MISMATCH',
    ],
    [
      'a weight beyond its share',
      { ...withoutMine, included: hungary({ weight: 0.9 }) },
      'INCLUSION_MISMATCH',
    ],
    ['no update at all', { ...withoutMine, included: [] }, 'INCLUSION_MISMATCH'],
  ])('is refused in a later round: %s', async (_case, claims, code) => {
    await site.sync();
    publish(site, statisticsTensors, claims);
    expect(await refusalCodeOf(site.sync())).toBe(code);
    expect(models()).toHaveLength(1);
    expect(site.events()).toContain(`global-model-refused refused ${code}`);
  });

  it.each<[string, (updateId: string) => Parameters<typeof publish>[2]]>([
    ['leaves out the receipted update of this site', () => withoutMine],
    ['lists another update in its place', () => statisticsModel('a'.repeat(64))],
  ])('is refused when it %s', async (_case, claims) => {
    await site.sync();
    const { updateId } = await site.sealUpdate();
    await site.sync();
    publish(site, statisticsTensors, claims(updateId));
    expect(await refusalCodeOf(site.sync())).toBe('INCLUSION_MISMATCH');
    expect(models()).toHaveLength(1);
  });

  it('is taken without this site’s update where none was sent', async () => {
    await site.sync();
    publish(site, statisticsTensors, withoutMine);
    expect(await refusalCodeOf(site.sync())).toBe('none');
  });

  it('is refused when evaluation changed the model', async () => {
    await site.sync();
    publish(site, statisticsTensors, withoutMine);
    const training = { round: 2, attempt: 1, kind: 'training', included: hungary() } as const;
    publish(site, trained(), { ...training, baseModelDigest: sha256Hex(statisticsTensors) });
    publish(site, initialTensors, {
      ...training,
      round: 3,
      kind: 'evaluation',
      baseModelDigest: sha256Hex(trained()),
    });
    expect(await refusalCodeOf(site.sync())).toBe('WRONG_MODEL_DIGEST');
    expect(models()).toHaveLength(3);
  });

  it('is refused when statistics changed the weights', async () => {
    await site.sync();
    publish(site, trained(), withoutMine);
    expect(await refusalCodeOf(site.sync())).toBe('WRONG_MODEL_DIGEST');
    expect(models()).toHaveLength(1);
  });

  it.each([
    ['another mean', trained(new Map([['normalisation/mean', { shape: [2], data: Float64Array.of(0, 9) }]]))],
    ['no normalisation', other],
    ['tensors of its own', trained(new Map([['more', { shape: [1], data: Float64Array.of(1) }]]))],
  ])('is refused when training came with %s', async (_case, tensors) => {
    await site.sync();
    publish(site, statisticsTensors, withoutMine);
    const baseModelDigest = sha256Hex(statisticsTensors);
    publish(site, tensors, { round: 2, attempt: 1, kind: 'training', included: hungary(), baseModelDigest });
    expect(await refusalCodeOf(site.sync())).toBe('WRONG_MODEL_DIGEST');
    expect(models()).toHaveLength(2);
  });

  it('is refused when the consortium goes back to an older model', async () => {
    publish(site, statisticsTensors, withoutMine);
    await site.sync();
    site.transport.state.models.pop();
    expect(await refusalCodeOf(site.sync())).toBe('ROLLBACK');
    expect(site.events()).toContain('global-model-refused refused ROLLBACK');
  });

  it('is refused under a shorter log than the one seen', async () => {
    site.consortium.publish({ researchStudyId: 'another', round: 0, ...unknown });
    await site.sync();
    publish(site, statisticsTensors, withoutMine);
    const { storage } = site.consortium;
    // A log cut back to one entry and continued: size 2, where 2 entries were seen with another second one.
    expect(storage.leaves).toHaveLength(3);
    const forked = createSignedConsortium(site.clock);
    forked.publish({ researchStudyId, round: 0, ...unknown, modelDigest: initialDigest });
    const seq = forked.publish({ researchStudyId, round: 1, ...digestsOf(1) });
    serveLog(forked, seq);
    expect(await refusalCodeOf(site.sync())).toBe('MODEL_FORK');
    expect(models()).toHaveLength(1);
  });

  it('is refused under a longer log that does not continue the one seen', async () => {
    site.consortium.publish({ researchStudyId: 'another', round: 0, ...unknown });
    await site.sync();
    publish(site, statisticsTensors, withoutMine);
    const forked = createSignedConsortium(site.clock);
    forked.publish({ researchStudyId, round: 0, ...unknown, modelDigest: initialDigest });
    forked.publish({ researchStudyId: 'another', round: 0, ...unknown, modelDigest: 'a'.repeat(64) });
    const seq = forked.publish({ researchStudyId, round: 1, ...digestsOf(1) });
    serveLog(forked, seq);
    expect(await refusalCodeOf(site.sync())).toBe('MODEL_FORK');
    expect(site.events()).toContain('global-model-refused refused MODEL_FORK');
  });

  it('is refused under a log that was cut back', async () => {
    site.consortium.publish({ researchStudyId: 'another', round: 0, ...unknown });
    site.consortium.publish({ researchStudyId: 'another', round: 1, ...unknown });
    await site.sync();
    publish(site, statisticsTensors, withoutMine);
    const cut = createSignedConsortium(site.clock);
    cut.publish({ researchStudyId, round: 0, ...unknown, modelDigest: initialDigest });
    serveLog(cut, cut.publish({ researchStudyId, round: 1, ...digestsOf(1) }));
    expect(await refusalCodeOf(site.sync())).toBe('ROLLBACK');
  });

  /** Answers proofs from the log of another consortium that has the same keys. */
  const serveLog = (forked: ReturnType<typeof createSignedConsortium>, seq: number): void => {
    const model = site.transport.state.models[1];
    if (model !== undefined) site.transport.state.models[1] = { ...model, seq };
    Object.assign(site.consortium.storage, forked.storage);
  };

  it.each<[string, (served: SyncingSite) => void, string, string]>([
    [
      'an older trust list',
      ({ agreement, consortium }) =>
        void agreement.acceptTrustList(consortium.trustList({ version: 2 }).envelope, systemActor),
      'ROLLBACK',
      'trust-list-refused',
    ],
    [
      'another plan of the same version',
      ({ transport, consortium }) => {
        transport.state.plan = consortium.plan({ title: 'Fork' }).envelope;
      },
      'ROLLBACK',
      'plan-refused',
    ],
    [
      'a later plan with weaker protections',
      ({ transport, consortium }) => {
        const limits = { ...samplePlan.limits, maxUpdateNorm: 1_000_000 };
        transport.state.plan = consortium.plan({ version: 2, limits, purposes: ['CLINTRL'] }).envelope;
      },
      'PLAN_CHANGED',
      'plan-refused',
    ],
    [
      'a trust list by another root',
      ({ transport, consortium }) => {
        transport.state.trustList = consortium.trustList(
          { version: 2 },
          createSigningKey(new Uint8Array(32).fill(7)),
        ).envelope;
      },
      'KEY_NOT_TRUSTED',
      'trust-list-refused',
    ],
    [
      'a round on another base',
      ({ transport, consortium, planDigest }) => {
        transport.state.openRound = consortium.round({
          planDigest,
          baseModelDigest: 'e'.repeat(64),
        }).envelope;
      },
      'WRONG_BASE',
      'round-refused',
    ],
  ])('is refused: %s', async (_case, lie, code, action) => {
    lie(site);
    expect(await refusalCodeOf(site.sync())).toBe(code);
    expect(site.events()).toContain(`${action} refused ${code}`);
  });

  it('does not keep the outbox from being sent', async () => {
    await site.sync();
    const { updateId } = await site.sealUpdate();
    publish(site, statisticsTensors, { ...withoutMine, baseModelDigest: 'e'.repeat(64) });
    expect(await refusalCodeOf(site.sync())).toBe('WRONG_BASE');
    expect(stateOf(updateId)).toBe('received');
  });
});

const flipEnvelope = (envelope: Uint8Array): Uint8Array => {
  const flipped = flipPayload(envelope);
  if (!Buffer.from(flipped).equals(Buffer.from(envelope))) return flipped;
  const json = JSON.parse(new TextDecoder().decode(envelope)) as { payload: string };
  const statement = Buffer.from(json.payload, 'base64').toString().replace('"round":0', '"round":3');
  return utf8(JSON.stringify({ ...json, payload: Buffer.from(statement).toString('base64') }));
};

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isoTime } from '#base/clock.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { encodeStatement, signStatement } from '#federation/records/record.ts';
import { type Remedy, remedyRecord } from '#federation/records/remedy.ts';
import { encodeSafetensors, parseSafetensors } from '#federation/tensors/safetensors.ts';
import { systemActor } from '#site/audit/index.ts';
import { initialDigest } from '#support/enrolled-site.ts';
import { refusalCodeOf } from '#support/refusal-code.ts';
import { samplePlan } from '#support/sample-plan.ts';
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

/** As the consortium signs it: back to the initial model. */
function remedy(claims: Partial<Remedy> = {}, signer = site.consortium.keys.model): Uint8Array {
  const predicate: Remedy = {
    researchStudyId,
    planDigest: site.planDigest,
    number: 1,
    kind: 'rebuild-model',
    fromRound: 1,
    modelDigest: initialDigest,
    answers: Array.from({ length: 16 }, (_, index) => index.toString(16).padStart(64, '0')),
    decidedAt: isoTime(site.clock.nowMs()),
    ...claims,
  };
  return signStatement(encodeStatement(remedyRecord, { predicate }), [signer]);
}

const opening = (claims: { attempt: number; remedy: number }) =>
  site.consortium.round({ planDigest: site.planDigest, baseModelDigest: initialDigest, ...claims }).envelope;
const isOpen = () => site.agreement.openRound(researchStudyId)?.attempt;
const models = () =>
  site.store
    .all(site.store.query.selectFrom('model_in_force').select('round').orderBy('round'))
    .map(({ round }) => round);
const state = () => site.transport.state;

/** The site holds the model of round 1, which it took part in. */
async function syncFirstRound(): Promise<void> {
  await site.sync();
  const { updateId } = await site.sealUpdate();
  await site.sync();
  publish(site, statisticsTensors, statisticsModel(updateId));
  state().openRound = undefined;
  await site.sync();
}

describe('a remedy', () => {
  it('takes back the models since its first round; the rounds are then run again', async () => {
    await syncFirstRound();
    expect(models()).toEqual([0, 1]);
    state().remedies = [remedy()];
    state().models.length = 1;
    state().openRound = opening({ attempt: 2, remedy: 1 });
    expect((await site.sync()).received.map(({ record }) => record)).toEqual(['remedy', 'round']);
    expect(models()).toEqual([0]);
    expect(heldModels(site.store)).toHaveLength(2);
    expect(isOpen()).toBe(2);
    // The model that comes now takes the place of the one that was taken back.
    publish(site, statisticsTensors, {
      ...statisticsModel('c'.repeat(64)),
      attempt: 2,
      remedy: 1,
      included: [{ siteId: 'hungary', updateDigest: 'b'.repeat(64), exampleCount: 60, weight: 1 }],
    });
    await site.sync();
    expect(models()).toEqual([0, 1]);
    expect(heldModels(site.store)).toHaveLength(3);
  });

  it('comes through beside a later version of the plan, which waits for a person', async () => {
    await syncFirstRound();
    const later = { version: 2, title: 'Another title' };
    const { envelope, digest } = site.consortium.plan(later);
    state().plan = envelope;
    state().remedies = [remedy({ planDigest: digest })];
    state().models.length = 1;
    expect(await refusalCodeOf(site.sync())).toBe('PLAN_CHANGED');
    expect(models()).toEqual([0]);
  });

  it('ends a round that is open', async () => {
    await site.sync();
    expect(isOpen()).toBe(1);
    site.agreement.acceptRemedy(remedy(), systemActor);
    expect(isOpen()).toBeUndefined();
  });

  it('that retires the model leaves no round open, of whatever time', async () => {
    site.close();
    const plan = { withdrawal: { remedy: 'retire-model' } } as const;
    site = createSyncingSite(':memory:', plan);
    await site.sync();
    site.agreement.acceptRemedy(remedy({ kind: 'retire-model' }), systemActor);
    site.agreement.acceptRound(opening({ attempt: 2, remedy: 1 }), systemActor);
    expect(isOpen()).toBeUndefined();
  });

  it.each<[string, () => Uint8Array, string]>([
    ['that the plan does not promise', () => remedy({ kind: 'retire-model' }), 'REMEDY_NOT_AGREED'],
    ['that leaves one out', () => remedy({ number: 2 }), 'WRONG_REMEDY'],
    ['that goes back to another model', () => remedy({ modelDigest: 'd'.repeat(64) }), 'WRONG_BASE'],
    ['from a round that the plan does not have', () => remedy({ fromRound: 4 }), 'ROUND_NOT_IN_PLAN'],
    ['that a site signed', () => remedy({}, site.people.siteSigner()), 'KEY_NOT_TRUSTED'],
  ])('%s is refused, and nothing is taken back', async (_name, make, code) => {
    await syncFirstRound();
    state().remedies = [make()];
    expect(await refusalCodeOf(site.sync())).toBe(code);
    expect(models()).toEqual([0, 1]);
    const refused = site.store.prepare(
      `SELECT count(*) AS count FROM audit_leaf WHERE line LIKE '%remedy-refused%'`,
    );
    expect(refused.get()).toEqual({ count: 1 });
  });

  it('that goes back to a model that comes later is held to it then', async () => {
    await site.sync();
    const { updateId } = await site.sealUpdate();
    await site.sync();
    publish(site, statisticsTensors, statisticsModel(updateId));
    state().openRound = undefined;
    state().remedies = [remedy({ fromRound: 2, modelDigest: 'd'.repeat(64) })];
    expect(await refusalCodeOf(site.sync())).toBe('WRONG_BASE');
    expect(models()).toEqual([0]);
  });

  it('is refused a second time', async () => {
    await site.sync();
    site.agreement.acceptRemedy(remedy(), systemActor);
    expect(() => site.agreement.acceptRemedy(remedy(), systemActor)).toThrow(
      expect.objectContaining({ code: 'WRONG_REMEDY' }),
    );
  });
});

describe('after a remedy', () => {
  beforeEach(async () => {
    await syncFirstRound();
    state().remedies = [remedy()];
    state().models.length = 1;
    await site.sync();
  });

  it('a round from before it is refused', () => {
    expect(() => site.agreement.acceptRound(opening({ attempt: 2, remedy: 0 }), systemActor)).toThrow(
      expect.objectContaining({ code: 'WRONG_REMEDY' }),
    );
  });

  it('a model that was taken back is not taken over again', async () => {
    const [own] = site.store.all(site.store.query.selectFrom('outbox').select('update_id'));
    publish(site, statisticsTensors, statisticsModel(own?.update_id ?? ''));
    expect(await refusalCodeOf(site.sync())).toBe('WRONG_REMEDY');
    expect(models()).toEqual([0]);
  });

  it('a model that was taken back is not taken over under a new number either', async () => {
    const [own] = site.store.all(site.store.query.selectFrom('outbox').select('update_id'));
    publish(site, statisticsTensors, { ...statisticsModel(own?.update_id ?? ''), remedy: 1 });
    expect(await refusalCodeOf(site.sync())).toBe('WRONG_REMEDY');
    expect(models()).toEqual([0]);
  });

  it('an attempt is not opened a second time', async () => {
    state().openRound = opening({ attempt: 1, remedy: 1 });
    expect(await refusalCodeOf(site.sync())).toBe('ROLLBACK');
    expect(isOpen()).toBeUndefined();
  });

  it('a consortium that forgets the remedy is refused', async () => {
    state().remedies = [];
    expect(await refusalCodeOf(site.sync())).toBe('ROLLBACK');
  });
});

describe('a site that was away', () => {
  const rounds = ['statistics', 'training', 'training', 'training'] as const;
  const tensorsOf = (bias: number) =>
    encodeSafetensors(
      new Map([
        ...parseSafetensors(statisticsTensors, { maxBytes: statisticsTensors.length }),
        ['weights/bias', { shape: [1], data: new Float32Array([bias]) }],
      ]),
    );
  /** A model that others made, on the one before. */
  const publishNext = (bias: number, claims: { attempt: number; remedy: number }) => {
    const base = state().models.at(-1)?.tensors ?? new Uint8Array();
    return publish(site, tensorsOf(bias), {
      round: state().models.length,
      kind: 'training',
      baseModelDigest: sha256Hex(base),
      included: [{ siteId: 'hungary', updateDigest: 'b'.repeat(64), exampleCount: 60, weight: 1 }],
      ...claims,
    });
  };
  const held = () =>
    site.store.all(
      site.store.query
        .selectFrom('model_in_force')
        .select(['round', 'remedy', 'model_digest'])
        .orderBy('round'),
    );

  it('takes over two remedies and what was built between them in one sync', async () => {
    site.close();
    site = createSyncingSite(':memory:', { rounds: [...rounds] });
    await syncFirstRound();
    publishNext(1, { attempt: 1, remedy: 0 });
    await site.sync();
    const first = sha256Hex(state().models[1]?.tensors ?? new Uint8Array());
    state().models.length = 2;
    publishNext(2, { attempt: 2, remedy: 1 });
    const rebuilt = sha256Hex(tensorsOf(2));
    publishNext(3, { attempt: 1, remedy: 1 });
    state().models.length = 3;
    publishNext(4, { attempt: 2, remedy: 2 });
    state().remedies = [
      remedy({ fromRound: 2, modelDigest: first }),
      remedy({ number: 2, fromRound: 3, modelDigest: rebuilt }),
    ];
    await site.sync();
    expect(held()).toEqual([
      { round: 0, remedy: 0, model_digest: initialDigest },
      { round: 1, remedy: 0, model_digest: first },
      { round: 2, remedy: 1, model_digest: rebuilt },
      { round: 3, remedy: 2, model_digest: sha256Hex(tensorsOf(4)) },
    ]);
    expect((await site.sync()).received).toEqual([]);
  });

  it('goes on after a sync in which the remedy was carried out', async () => {
    site.close();
    site = createSyncingSite(':memory:', { rounds: [...rounds] });
    await syncFirstRound();
    const first = sha256Hex(state().models[1]?.tensors ?? new Uint8Array());
    publishNext(1, { attempt: 1, remedy: 0 });
    const signed = remedy({ fromRound: 2, modelDigest: first });
    // Between what the consortium names and what it then serves.
    site.transport.intercept = (_request, path) => {
      if (!path.endsWith('/models/2')) return undefined;
      state().remedies = [signed];
      state().models.length = 2;
      publishNext(2, { attempt: 2, remedy: 1 });
      site.transport.intercept = () => undefined;
      return undefined;
    };
    expect(await refusalCodeOf(site.sync())).toBe('WRONG_REMEDY');
    await site.sync();
    expect(held().map(({ round, remedy: number }) => [round, number])).toEqual([
      [0, 0],
      [1, 0],
      [2, 1],
    ]);
  });
});

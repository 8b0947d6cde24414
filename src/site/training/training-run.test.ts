import { beforeEach, describe, expect, it } from 'vitest';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { type AuditLog, openAuditLog } from '#site/audit/index.ts';
import { openStore, type Store } from '#site/store/index.ts';
import {
  finishTrainingRun,
  type NewTrainingRun,
  recoverTrainingRuns,
  startTrainingRun,
} from '#site/training/index.ts';

const actor = { name: 'Ida Investigator', role: 'investigator' as const };
let store: Store;
let auditLog: AuditLog;

beforeEach(() => {
  store = openStore({ file: ':memory:', key: new Uint8Array(32), clock: { nowMs: () => 1_800_000_000_000 } });
  const signer = createSigningKey(new Uint8Array(32).fill(3));
  auditLog = openAuditLog({
    store,
    signer,
    origin: 'test.example/site/log',
    bootId: 'boot',
    softwareVersion: '0',
  });
  store.run(
    store.query.insertInto('cohort').values({
      cohort_id: 'cohort',
      research_study_id: 'heart-disease',
      round: 2,
      cohort_digest: '',
      consent_snapshot_digest: '',
      selection: '{}',
      frozen_at: '',
    }),
  );
});

const newRun = (): NewTrainingRun => ({
  store,
  auditLog,
  actor,
  kind: 'training',
  researchStudyId: 'heart-disease',
  round: 2,
  attempt: 1,
  cohortId: 'cohort',
  seed: new Uint8Array(32),
  engine: { name: 'wasm', version: '4.22.0', device: 'CPU', reason: 'a test', passedOver: [] },
});
const actions = () =>
  store
    .all(store.query.selectFrom('audit_leaf').select('line').orderBy('seq'))
    .map(({ line }) => JSON.parse(line).action as string);
const states = () =>
  store.all(
    store.query.selectFrom('training_run').select(['run_id', 'state', 'result', 'tensors', 'engine']),
  );

describe('the record of a training run', () => {
  it('is written with its audit events, from start to result', () => {
    const { runId } = startTrainingRun(newRun());
    expect(states()).toMatchObject([{ run_id: runId, state: 'running', engine: 'wasm 4.22.0' }]);
    const outcome = { state: 'done' as const, tensors: Uint8Array.of(1, 2), result: { lossAfter: 0.5 } };
    finishTrainingRun({ store, auditLog, actor, kind: 'training', runId, outcome });
    const [run] = states();
    expect(run).toMatchObject({ state: 'done', result: '{"lossAfter":0.5}' });
    expect([...(run?.tensors ?? [])]).toEqual([1, 2]);
    expect(actions()).toEqual(['training-started', 'training-finished']);
  });

  it.each([
    [{ state: 'failed' as const, code: 'TRAINING_DIVERGED' }, 'failed', 'training-failed'],
    [{ state: 'cancelled' as const }, 'cancelled', 'training-cancelled'],
  ])('ends as %o without a result', (outcome, state, action) => {
    const { runId } = startTrainingRun(newRun());
    finishTrainingRun({ store, auditLog, actor, kind: 'training', runId, outcome });
    expect(states()).toMatchObject([{ state, result: null, tensors: null }]);
    expect(actions().at(-1)).toBe(action);
  });

  it('ends once: a second end is refused and leaves no event', () => {
    const { runId } = startTrainingRun(newRun());
    const end = {
      store,
      auditLog,
      actor,
      kind: 'training' as const,
      runId,
      outcome: { state: 'cancelled' as const },
    };
    finishTrainingRun(end);
    expect(() => finishTrainingRun(end)).toThrow(
      expect.objectContaining({ code: 'TRAINING_RUN_NOT_RUNNING' }),
    );
    expect(actions()).toHaveLength(2);
  });

  it('marks a run of a killed process failed, and leaves the runs of this process alone', () => {
    const own = startTrainingRun(newRun());
    store.run(
      store.query.insertInto('training_run').values({
        run_id: 'of-a-killed-process',
        research_study_id: 'heart-disease',
        round: 2,
        attempt: 1,
        cohort_id: 'cohort',
        state: 'running',
        started_at: '',
      }),
    );
    const next = startTrainingRun(newRun());
    expect(Object.fromEntries(states().map(({ run_id, state }) => [run_id, state]))).toEqual({
      [own.runId]: 'running',
      [next.runId]: 'running',
      'of-a-killed-process': 'failed',
    });
    expect(actions()).toEqual(['training-started', 'crash-recovered', 'training-started']);
    expect(recoverTrainingRuns({ store, auditLog })).toBe(0);
  });

  it('leaves neither row nor event when its audit event cannot be written', () => {
    const broken: AuditLog = {
      ...auditLog,
      append: () => {
        throw new Error('disk full');
      },
    };
    expect(() => startTrainingRun({ ...newRun(), auditLog: broken })).toThrow('disk full');
    expect(states()).toEqual([]);
  });
});

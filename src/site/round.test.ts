import { describe, expect, it } from 'vitest';
import { fromUtf8 } from '#base/bytes.ts';
import { aggregateRound } from '#federation/aggregation/aggregate-round.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { encodeCanonicalJson } from '#federation/records/canonical-json.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { updateReview } from '#ipc/schema.ts';
import { listEvaluations } from '#site/evaluation/index.ts';
import { startTrainingRun, TrainingError } from '#site/training/index.ts';
import { listUpdates, reviewUpdate } from '#site/update/index.ts';
import { ada, siteId } from '#support/enrolled-site.ts';
import { createRoundSite, researchStudyId } from '#support/round-site.ts';
import { actor, run } from '#support/run-round.ts';
import { loadBaseModel } from './base-model.ts';

describe('a statistics round', () => {
  it('leaves a draft with counts and sums that the consortium can pool', async () => {
    const site = createRoundSite();
    site.open('statistics');
    const { events, payload, update } = await run(site);
    expect(events.map((event) => (event.kind === 'phase' ? event.phase : event.kind))).toEqual([
      'cohort',
      'statistics',
      'update',
      'done',
    ]);
    expect(payload.get('statistics/count')?.data).toEqual(Float64Array.of(20));
    expect(payload.get('statistics/sums')?.data[0]).toBe(20 * 50 + 190);
    expect(update.predicate).toMatchObject({
      updateKind: 'statistics',
      exampleCount: 20,
      seedCommitment: null,
    });
    const { tensors: base } = loadBaseModel(site.store, {
      researchStudyId,
      baseModelDigest: update.predicate.baseModelDigest,
    });
    const { tensors } = aggregateRound({
      kind: 'statistics',
      base,
      plan: site.plan,
      updates: [{ siteId, exampleCount: 20, payload }],
    });
    expect(tensors.get('normalisation/mean')?.data[0]).toBe(59.5);
    expect(site.trainingHost.jobs).toEqual([]);
    site.close();
  });

  it('leaves what the plan asks for beside the sums, and a report of exactly that', async () => {
    const site = createRoundSite();
    site.open('statistics');
    const { payload, report, update } = await run(site);
    expect(update.predicate.exampleCount).toBe(20);
    const [age, sex, , exang] = report.statistics?.features ?? [];
    // Twenty patients of 50 to 69, two cells of ten: the first two years of either half are nobody's secret but their number.
    expect(age).toMatchObject({ kind: 'measured', name: 'age', missingCount: 0 });
    expect(age?.kind === 'measured' ? age.cells.map(({ count }) => count) : []).toEqual([10, 10]);
    expect(age?.kind === 'measured' ? age.cells.map(({ lower, upper }) => [lower, upper]) : []).toEqual([
      [null, expect.closeTo(59.4, 0)],
      [expect.closeTo(59.4, 0), null],
    ]);
    expect(sex).toEqual({ kind: 'counted', name: 'sex', missingCount: 0, oneCount: 10 });
    expect(exang).toMatchObject({ kind: 'counted', name: 'exang' });
    expect(payload.get('statistics/oneCount')?.data[1]).toBe(10);
    site.close();
  });
});

describe('a training round', () => {
  it('leaves the difference to the base, signed with every field, and a report of exactly that', async () => {
    const site = createRoundSite();
    site.open('training');
    const { events, row, update, payload, report } = await run(site);
    expect([...payload.keys()].sort()).toEqual(['weights/bias', 'weights/kernel']);
    expect(payload.get('weights/kernel')?.data).toEqual(new Float32Array(6).fill(0.5));
    const stored = site.store.get(site.store.query.selectFrom('training_run').selectAll());
    const cohort = site.store.get(site.store.query.selectFrom('cohort').selectAll());
    expect(update.digest).toBe(row.update_id);
    expect(update.subjectDigest).toBe(sha256Hex(row.payload));
    expect(update.predicate).toMatchObject({
      researchStudyId,
      siteId,
      round: 2,
      attempt: 1,
      planDigest: site.planDigest,
      recipientKeyId: site.consortium.keys.receiving.keyId,
      updateKind: 'delta',
      exampleCount: 20,
      patientCount: 20,
      cohortDigest: cohort?.cohort_digest,
      consentSnapshotDigest: cohort?.consent_snapshot_digest,
      consentEvaluatedAt: cohort?.frozen_at,
      metrics: { before: 0.7, after: 0.6, calibration: null },
      seedCommitment: sha256Hex(stored?.seed ?? new Uint8Array()),
      prevUpdateDigest: null,
    });
    expect(update.predicate.auditCheckpoint.size).toBeGreaterThan(0);
    expect(report).toMatchObject({
      plan: { version: 1, digest: site.planDigest },
      updateDigest: row.update_id,
      payloadDigest: sha256Hex(row.payload),
      payloadBytes: row.payload.length,
      l2Norm: Math.sqrt(7 * 0.25),
      notices: ['no-differential-privacy', 'no-secure-aggregation'],
      recipient: { consortium: 'Test consortium' },
      selection: { subjectCount: 30, trainingCount: 20, holdoutCount: 10, excluded: [] },
    });
    expect(row.report_digest).toBe(sha256Hex(encodeCanonicalJson(report)));
    expect(fromUtf8(encodeCanonicalJson(report))).toBe(row.report);
    expect(events.filter(({ kind }) => kind === 'progress')).toHaveLength(2);
    expect(site.events()).toEqual(
      expect.arrayContaining([
        'training-started success',
        'training-finished success',
        'update-built success',
      ]),
    );
    site.close();
  });

  it('trains on normalised rows of the training part, a constant column as 0', async () => {
    const site = createRoundSite();
    site.open('training');
    await run(site);
    const examples = site.trainingHost.jobs[0]?.examples;
    expect([examples?.count, examples?.shape]).toEqual([20, [6]]);
    const ages = Array.from({ length: 20 }, (_, row) => examples?.features[row * 6] ?? Number.NaN);
    expect(ages.sort((left, right) => left - right)[0]).toBe(-1);
    expect(Array.from({ length: 20 }, (_, row) => examples?.features[row * 6 + 5])).toEqual(
      new Array(20).fill(0),
    );
    site.close();
  });

  it('keeps the loss curve for the review, which is an audit event', async () => {
    const site = createRoundSite();
    site.open('training');
    const { row } = await run(site);
    const review = updateReview.parse(reviewUpdate(site, row.update_id, ada));
    expect(review.lossCurve).toEqual([
      { step: 1, loss: 0.7 },
      { step: 2, loss: 0.6 },
    ]);
    expect(site.events()).toContain('report-shown success');
    site.close();
  });

  // One whose statistics fit into no update is accepted by no site.
  const withoutStatistics = {
    normalisation: { scope: 'site' },
    statistics: undefined,
    rounds: ['training', 'training', 'evaluation'],
  } satisfies Partial<ResearchStudyPlan>;
  it.each<[Partial<ResearchStudyPlan>, string]>([
    [{ limits: { maxUpdateBytes: 100_000, maxUpdateNorm: 1, maxClockSkewMs: 60_000 } }, 'l2Norm'],
    [
      {
        limits: { maxUpdateBytes: 50, maxUpdateNorm: 10, maxClockSkewMs: 60_000 },
        ...withoutStatistics,
      },
      'payloadBytes',
    ],
  ])('over a limit of the plan is refused: no draft, an audit event', async (plan, field) => {
    const site = createRoundSite({ plan });
    site.open('training');
    await expect(run(site)).rejects.toMatchObject({ code: 'UPDATE_TOO_LARGE', details: { field } });
    expect(listUpdates(site.store)).toEqual([]);
    expect(site.events()).toContain('update-build-refused refused UPDATE_TOO_LARGE');
    site.close();
  });

  it('that is cancelled ends as cancelled and leaves no draft; a fresh run works', async () => {
    const site = createRoundSite();
    site.open('training');
    const abort = new AbortController();
    const train = site.trainingHost.train;
    site.trainingHost.train = async (job, control) => {
      const trained = await train(job, control);
      abort.abort();
      return trained;
    };
    await expect(run(site, abort.signal)).rejects.toMatchObject({ code: 'TRAINING_CANCELLED' });
    expect(listUpdates(site.store)).toEqual([]);
    expect(site.events()).toContain('training-cancelled failed TRAINING_CANCELLED');
    expect((await run(site)).row.state).toBe('draft');
    site.close();
  });

  it('runs afresh after a run that was killed in the middle', async () => {
    const site = createRoundSite();
    site.open('training');
    // What kill -9 leaves: a frozen cohort and a run that never ended, started by a process that is gone.
    const { cohortId } = site.cohorts.freeze({ plan: site.plan, round: 2, kind: 'training', actor });
    const gone = {
      ...site.store,
      get inTransaction() {
        return site.store.inTransaction;
      },
    };
    startTrainingRun({
      store: gone,
      auditLog: site.auditLog,
      actor,
      kind: 'training',
      researchStudyId,
      round: 2,
      attempt: 1,
      cohortId,
      seed: new Uint8Array(32),
      engine: null,
    });
    expect((await run(site)).row.state).toBe('draft');
    const states = site.store.all(
      site.store.query.selectFrom('training_run').select('state').orderBy('state'),
    );
    expect(states.map(({ state }) => state)).toEqual(['done', 'failed']);
    expect(site.events()).toContain('crash-recovered failed TRAINING_CRASHED');
    expect(site.auditLog.verify().verified).toBe(true);
    site.close();
  });

  it('goes on from the checkpoint of a run whose engine died, with its seed, and empties it there', async () => {
    const site = createRoundSite();
    site.open('training');
    const { train } = site.trainingHost;
    const asked: { checkpoint: Uint8Array | null | undefined; seed: Uint8Array }[] = [];
    let dies = true;
    site.trainingHost.train = async (job, control) => {
      asked.push({ checkpoint: control.checkpoint, seed: job.seed });
      control.onCheckpoint?.(Uint8Array.of(1, 2, 3));
      if (dies) throw new TrainingError('TRAINING_CRASHED', 'a test');
      return train(job, control);
    };
    await expect(run(site)).rejects.toMatchObject({ code: 'TRAINING_CRASHED' });
    dies = false;
    await run(site);
    expect(asked.map(({ checkpoint }) => checkpoint && [...checkpoint])).toEqual([null, [1, 2, 3]]);
    expect([...(asked[1]?.seed ?? [])]).toEqual([...(asked[0]?.seed ?? [])]);
    const rows = site.store.all(site.store.query.selectFrom('training_run').select(['state', 'tensors']));
    expect(rows.find(({ state }) => state === 'failed')?.tensors).toBe(null);
    site.close();
  });

  it('starts over where the data no longer fit the checkpoint', async () => {
    const site = createRoundSite();
    site.open('training');
    const { train } = site.trainingHost;
    let dies = true;
    site.trainingHost.train = async (job, control) => {
      control.onCheckpoint?.(Uint8Array.of(1));
      if (dies) throw new TrainingError('TRAINING_CRASHED', 'a test');
      if (control.checkpoint !== null)
        throw new TrainingError('BAD_TRAINING_JOB', 'a test', { details: { field: 'checkpoint' } });
      return train(job, control);
    };
    await expect(run(site)).rejects.toMatchObject({ code: 'TRAINING_CRASHED' });
    dies = false;
    expect((await run(site)).row.state).toBe('draft');
    site.close();
  });

  it('keeps no checkpoint once a member is erased', async () => {
    const site = createRoundSite();
    site.open('training');
    site.trainingHost.train = async (_, control) => {
      site.store.run(site.store.query.updateTable('cohort').set({ erased_training: 1 }));
      control.onCheckpoint?.(Uint8Array.of(1));
      throw new TrainingError('TRAINING_CRASHED', 'a test');
    };
    await expect(run(site)).rejects.toMatchObject({ code: 'TRAINING_CRASHED' });
    expect(site.store.get(site.store.query.selectFrom('training_run').select('tensors'))?.tensors).toBe(null);
    site.close();
  });

  it('during which a member is erased keeps nothing of what it computed', async () => {
    const site = createRoundSite();
    site.open('training');
    site.trainingHost.whileTraining = () => {
      site.store.run(site.store.query.updateTable('cohort').set({ erased_training: 1 }));
    };
    await expect(run(site)).rejects.toMatchObject({ code: 'CONSENT_CHANGED' });
    const runs = site.store.all(site.store.query.selectFrom('training_run').select(['state', 'tensors']));
    expect(runs).toEqual([{ state: 'failed', tensors: null }]);
    expect(listUpdates(site.store)).toEqual([]);
    expect(site.events()).toContain('training-failed failed CONSENT_CHANGED');
    site.close();
  });

  it('that fails in the engine ends as failed', async () => {
    const site = createRoundSite();
    site.open('training');
    site.trainingHost.whileTraining = () => {
      throw new Error('planted');
    };
    await expect(run(site)).rejects.toThrow('planted');
    expect(site.events()).toContain('training-failed failed BUG');
    site.close();
  });

  it('of statistics during which a member is erased says that it failed', async () => {
    const site = createRoundSite();
    site.open('statistics');
    site.store
      .prepare(
        'CREATE TEMP TRIGGER erased AFTER INSERT ON training_run BEGIN UPDATE cohort SET erased_training = 1; END',
      )
      .run();
    await expect(run(site)).rejects.toMatchObject({ code: 'CONSENT_CHANGED' });
    expect(site.events()).toContain('statistics-failed failed CONSENT_CHANGED');
    site.close();
  });

  it('of evaluation that fails in the engine says so', async () => {
    const site = createRoundSite();
    site.open('evaluation');
    site.trainingHost.evaluate = () => Promise.reject(new Error('planted'));
    await expect(run(site)).rejects.toThrow('planted');
    expect(site.events()).toContain('evaluation-failed failed BUG');
    site.close();
  });
});

describe('an evaluation round', () => {
  it('leaves what the holdout says of the base model, and keeps the same report here', async () => {
    const site = createRoundSite();
    site.open('evaluation');
    const { payload, update, report } = await run(site);
    expect(payload.get('evaluation/exampleCount')?.data).toEqual(Float64Array.of(10));
    expect(payload.get('evaluation/correctCount')?.data).toEqual(Float64Array.of(5));
    expect(update.predicate).toMatchObject({ updateKind: 'evaluation', exampleCount: 10, patientCount: 10 });
    expect(report.roundKind).toBe('evaluation');
    expect(listEvaluations(site.store, researchStudyId)).toMatchObject([
      {
        round: 2,
        exampleCount: 10,
        correctCount: 5,
        accuracy: 0.5,
        meanLoss: 0.5,
        modelDigest: update.predicate.baseModelDigest,
      },
    ]);
    site.close();
  });
});

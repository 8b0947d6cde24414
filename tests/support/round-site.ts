// An enrolled site with stored patients and an engine that only counts: everything a round needs but TensorFlow.
import { sha256Hex } from '#federation/crypto/digest.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import type { RoundKind } from '#federation/records/round.ts';
import { createInitialWeights } from '#federation/tensors/initial-weights.ts';
import { encodeSafetensors } from '#federation/tensors/safetensors.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import { systemActor } from '#site/audit/index.ts';
import { type Cohorts, openCohorts } from '#site/cohort/index.ts';
import { type Consents, openConsents } from '#site/consent/index.ts';
import type { EvaluationJob, TrainingHost, TrainingJob } from '#site/ports.ts';
import { createEnrolledSite, type EnrolledSite } from './enrolled-site.ts';
import { samplePlan } from './sample-plan.ts';
import { addSubject, agesOf, createTestPlan, plainDays } from './stored-subjects.ts';

export const researchStudyId = samplePlan.researchStudyId;

export interface CountingHost extends TrainingHost {
  readonly jobs: (TrainingJob | EvaluationJob)[];
  /** Added to every weight by a training. */
  step: number;
  /** Called in the middle of a training. */
  whileTraining: () => void;
}

/** Adds `step` to every weight, reports two steps, and calls the first half of the rows right. */
export function createCountingHost(): CountingHost {
  const host: CountingHost = {
    jobs: [],
    step: 0.5,
    whileTraining: () => {},
    engine: async () => ({ name: 'wasm', version: '1.2.3', device: 'CPU', reason: 'a test', passedOver: [] }),
    train: async (job, { onProgress, signal }) => {
      host.jobs.push(job);
      const pace = { stepCount: 2, examplesPerSecond: 100, remainingMs: 1 };
      onProgress({ step: 1, loss: 0.7, ...pace });
      host.whileTraining();
      if (signal.aborted) throw new Error('the host was asked to stop');
      onProgress({ step: 2, loss: 0.6, ...pace });
      const weights = new Map(
        [...job.weights].map(([name, { shape, data }]) => [
          name,
          { shape, data: Float32Array.from(data, (value) => value + host.step) },
        ]),
      );
      const optimizerState = encodeSafetensors(
        new Map([['order/counts', { shape: [1], data: Float64Array.of(host.jobs.length) }]]),
      );
      const losses = { lossBefore: 0.7, lossAfter: 0.6 };
      const run = { stepCount: 2, durationMs: 5, execution: 'eager', microBatchCount: 1 } as const;
      return { weights, ...losses, ...run, optimizerState };
    },
    evaluate: async (job) => {
      host.jobs.push(job);
      const { count } = job.examples;
      return {
        probabilities: new Float32Array(count).fill(0.5),
        lossSum: count * 0.5,
        correctCount: Math.floor(count / 2),
        metrics: { accuracy: Math.floor(count / 2) / count },
        diceBySubject: null,
      };
    },
    close: async () => {},
  };
  return host;
}

export interface RoundSite extends EnrolledSite {
  readonly plan: ResearchStudyPlan;
  readonly consents: Consents;
  readonly cohorts: Cohorts;
  readonly trainingHost: CountingHost;
  /** Opens a round of this kind on the newest model. */
  open(kind: RoundKind, attempt?: number): void;
}

const roundOf = { statistics: 1, training: 2, evaluation: 3 } as const;

/** Twenty patients to train on and ten to test with; all that is stored is for tests. */
export function createRoundSite({
  file = ':memory:',
  plan: changes = {},
}: {
  file?: string;
  plan?: Partial<ResearchStudyPlan>;
} = {}): RoundSite {
  const { participants, minimumCohort } = samplePlan;
  const wanted = createTestPlan({ researchStudyId, participants, minimumCohort, ...changes });
  const site = createEnrolledSite({ file, withRound: false, plan: wanted });
  const { plan, planDigest } = site.agreement.currentPlan(researchStudyId);
  const { store, auditLog, people } = site;
  const consents = openConsents({ store, auditLog, days: plainDays, linkageKey: new Uint8Array(32) });
  const cohorts = openCohorts({
    store,
    auditLog,
    consents,
    ages: agesOf(store),
    pseudonymKey: people.researchStudyKey,
  });
  const trainingHost = createCountingHost();
  addPatients(site, 20, 'train');
  addPatients(site, 10, 'test');
  const initial = createInitialWeights(plan.model);
  const pooled: TensorMap = new Map([
    ...initial,
    ['normalisation/mean', { shape: [6], data: Float64Array.of(60, 0.5, 200, 0.5, 0.5, 0.5) }],
    ['normalisation/scale', { shape: [6], data: Float64Array.of(10, 0.5, 50, 0.5, 0.5, 0) }],
  ]);
  const open = (kind: RoundKind, attempt = 1) => {
    const round = roundOf[kind];
    const baseModelDigest = storeModel(site, {
      tensors: kind === 'statistics' ? initial : pooled,
      round: round - 1,
    });
    const claims = { planDigest, baseModelDigest, round, attempt, kind };
    site.agreement.acceptRound(site.consortium.round(claims).envelope, systemActor);
  };
  return { ...site, plan, planDigest, consents, cohorts, trainingHost, open };
}

function addPatients({ store }: EnrolledSite, count: number, part: 'train' | 'test'): void {
  for (let index = 0; index < count; index += 1) {
    addSubject(store, `${part}-${index}`, {
      part,
      sex: index % 2 === 0 ? 'male' : 'female',
      age: 50 + index,
      cholesterol: 150 + 10 * index,
      grade: index % 3,
      consent: { researchStudyId: null },
    });
  }
}

/** Puts a model where a sync puts it after verifying it. */
export function storeModel(
  { store }: EnrolledSite,
  { tensors, round }: { tensors: TensorMap; round: number },
): string {
  const bytes = encodeSafetensors(tensors);
  const modelDigest = sha256Hex(bytes);
  const row = {
    research_study_id: researchStudyId,
    remedy: 0,
    round,
    model_digest: modelDigest,
    envelope: new Uint8Array(),
    tensors: bytes,
    verified_at: '2026-11-21T08:00:00.000Z',
  };
  store.run(
    store.query
      .insertInto('global_model')
      .values(row)
      .onConflict((conflict) => conflict.doNothing()),
  );
  return modelDigest;
}

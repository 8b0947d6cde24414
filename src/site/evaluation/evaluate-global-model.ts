// How good a global model is on this site's own holdout. The report stays here; what leaves goes through a round and a steward.
import { isoTime } from '#base/clock.ts';
import { isCodedError } from '#base/coded-error.ts';
import type { ModelSpecification } from '#federation/records/research-study-plan.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import type { Actor, AuditLog } from '#site/audit/index.ts';
import type { Examples, TrainingHost } from '#site/ports.ts';
import type { Store } from '#site/store/index.ts';

export interface GlobalModelRef {
  readonly researchStudyId: string;
  /** Round that the model closed; 0 for the initial one. */
  readonly round: number;
  readonly modelDigest: string;
}

export interface EvaluationCounts {
  readonly exampleCount: number;
  /** Right at a probability of 0.5. */
  readonly correctCount: number;
  /** In nats. */
  readonly lossSum: number;
}

export interface Evaluation extends GlobalModelRef {
  readonly exampleCount: number;
  readonly correctCount: number;
  readonly accuracy: number;
  /** In nats. */
  readonly meanLoss: number;
  readonly evaluatedAt: string;
}

export interface EvaluationContext {
  readonly store: Store;
  readonly auditLog: AuditLog;
}

export interface EvaluationRun {
  readonly model: GlobalModelRef;
  readonly specification: ModelSpecification;
  /** `weights/*` of the model. */
  readonly weights: TensorMap;
  /** Normalised holdout rows. */
  readonly examples: Examples;
  readonly actor: Actor;
}

/**
 * Evaluates a verified global model and stores the report with its audit event.
 * @throws TrainingError as the host does; the failure is an audit event too.
 */
export async function evaluateGlobalModel(
  context: EvaluationContext,
  trainingHost: TrainingHost,
  run: EvaluationRun,
): Promise<Evaluation> {
  try {
    const { correctCount, lossSum } = await trainingHost.evaluate({
      model: run.specification,
      weights: run.weights,
      examples: run.examples,
    });
    return saveEvaluation(context, {
      ...run,
      counts: { exampleCount: run.examples.count, correctCount, lossSum },
    });
  } catch (error) {
    const reason = isCodedError(error) ? error.code : 'BUG';
    context.store.transaction(() =>
      log(context, run, { action: 'evaluation-failed', outcome: 'failed', reason }),
    );
    throw error;
  }
}

/** Stores the report of an evaluation, over an earlier one of the same model: consent may have changed the holdout. */
export function saveEvaluation(
  context: EvaluationContext,
  {
    model,
    counts,
    actor,
  }: { readonly model: GlobalModelRef; readonly counts: EvaluationCounts; readonly actor: Actor },
): Evaluation {
  const { store } = context;
  const evaluatedAt = isoTime(store.clock.nowMs());
  const report = JSON.stringify(counts);
  return store.transaction(() => {
    store.run(
      store.query
        .insertInto('evaluation_report')
        .values({
          research_study_id: model.researchStudyId,
          round: model.round,
          model_digest: model.modelDigest,
          report,
          evaluated_at: evaluatedAt,
        })
        .onConflict((conflict) =>
          conflict
            .columns(['research_study_id', 'round'])
            .doUpdateSet({ model_digest: model.modelDigest, report, evaluated_at: evaluatedAt }),
        ),
    );
    log(context, { model, actor }, { action: 'evaluation-finished', outcome: 'success' });
    return toEvaluation(model, counts, evaluatedAt);
  });
}

/** The evaluations of a research study, by round, of models that count. */
export function listEvaluations(store: Store, researchStudyId: string): Evaluation[] {
  const query = store.query
    .selectFrom('evaluation_report')
    .innerJoin('model_in_force', (join) =>
      join
        .onRef('model_in_force.research_study_id', '=', 'evaluation_report.research_study_id')
        .onRef('model_in_force.round', '=', 'evaluation_report.round')
        .onRef('model_in_force.model_digest', '=', 'evaluation_report.model_digest'),
    )
    .selectAll('evaluation_report')
    .where('evaluation_report.research_study_id', '=', researchStudyId);
  return store.all(query.orderBy('evaluation_report.round')).map((row) => {
    const model = { researchStudyId, round: row.round, modelDigest: row.model_digest };
    return toEvaluation(model, JSON.parse(row.report) as EvaluationCounts, row.evaluated_at);
  });
}

function toEvaluation(model: GlobalModelRef, counts: EvaluationCounts, evaluatedAt: string): Evaluation {
  const { researchStudyId, round, modelDigest } = model;
  const { exampleCount, correctCount, lossSum } = counts;
  const accuracy = correctCount / exampleCount;
  return {
    researchStudyId,
    round,
    modelDigest,
    exampleCount,
    correctCount,
    accuracy,
    meanLoss: lossSum / exampleCount,
    evaluatedAt,
  };
}

interface EvaluationEvent {
  readonly action: 'evaluation-finished' | 'evaluation-failed';
  readonly outcome: 'success' | 'failed';
  readonly reason?: string;
}

function log(
  { auditLog }: EvaluationContext,
  run: Pick<EvaluationRun, 'model' | 'actor'>,
  event: EvaluationEvent,
): void {
  const { researchStudyId, round, modelDigest } = run.model;
  const { name: actor, role } = run.actor;
  auditLog.append({ actor, role, object: `global-model:${modelDigest}`, researchStudyId, round, ...event });
}

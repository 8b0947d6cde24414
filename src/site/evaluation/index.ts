// The evaluation stage: a global model on this site's holdout.
export {
  type Evaluation,
  type EvaluationContext,
  type EvaluationCounts,
  type EvaluationRun,
  evaluateGlobalModel,
  type GlobalModelRef,
  listEvaluations,
  saveEvaluation,
} from './evaluate-global-model.ts';

// What the site and its training process say to each other. Both ends are of the same build and the same user.
import type {
  EngineInfo,
  EvaluationJob,
  EvaluationResult,
  TrainingJob,
  TrainingProgress,
  TrainingResult,
} from '#site/ports.ts';

export type TrainingWork =
  | {
      readonly kind: 'train';
      readonly job: TrainingJob;
      /** Where the run goes on from; null starts it. */
      readonly checkpoint: Uint8Array | null;
      readonly checkpointIntervalMs: number;
      readonly memoryLimitBytes: number | null;
    }
  | { readonly kind: 'evaluate'; readonly job: EvaluationJob }
  /** Asks which engine trains such a model. */
  | { readonly kind: 'choose'; readonly job: Pick<EvaluationJob, 'model'> };

export type TrainingAnswer = TrainingResult | EvaluationResult | EngineInfo;

export type TrainingWorkRequest = TrainingWork & { readonly id: number };
export type TrainingRequest =
  | TrainingWorkRequest
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'pause'; readonly id: number };

export type TrainingReply =
  | { readonly kind: 'ready'; readonly engine: EngineInfo }
  | { readonly kind: 'progress'; readonly id: number; readonly progress: TrainingProgress }
  | { readonly kind: 'checkpoint'; readonly id: number; readonly checkpoint: Uint8Array }
  | { readonly kind: 'done'; readonly id: number; readonly result: TrainingAnswer }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: TrainingFailure };

/** A refusal as it crosses the boundary. `code` is a TrainingCode, a ModelCode, or BUG. */
export interface TrainingFailure {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

// What a shell (Electron, headless, a test) gives to openSite. The site touches the outside world through these alone.
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/logger.ts';
import type { Metric, ModelSpecification } from '#federation/records/model-specification.ts';
import type { PrivacySpecification } from '#federation/records/privacy-plan.ts';
import type { TrainingSettings } from '#federation/records/training-settings.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';

export interface SitePorts {
  readonly paths: Paths;
  readonly keyStore: KeyStore;
  readonly clock: Clock;
  readonly transport: Transport;
  readonly trainingHost: TrainingHost;
  readonly logger: Logger;
}

export interface Paths {
  /** The profile folder; holds the encrypted store and nothing readable. */
  readonly profile: string;
}

/** Where private keys rest. The file implementation keeps one 0600 file outside the profile. */
export interface KeyStore {
  /** The keys, or undefined before `site init`. @throws KeyStoreError KEY_FILE_MODE when others may read the file. */
  load(): SiteKeys | undefined;
  /** Replaces the keys atomically and durably. */
  save(keys: SiteKeys): void;
}

/** All secrets of a site. Arrays of 32 bytes unless said otherwise. */
export interface SiteKeys {
  /** Page key of the encrypted store. */
  readonly storeKey: Uint8Array;
  /** Seals names, identifiers and birth dates; keys the lookup of identifiers. */
  readonly linkageKey: Uint8Array;
  /** Keys subject ids and date offsets of this site. */
  readonly subjectKey: Uint8Array;
  /** Ed25519 seed of the key that signs updates and requests. */
  readonly siteSigningSeed: Uint8Array;
  /** Ed25519 seed of the key that signs audit checkpoints. */
  readonly siteLogSeed: Uint8Array;
  /** One pseudonym key for each research study. */
  readonly researchStudyKeys: Readonly<Record<string, Uint8Array>>;
  /** Private keys of people, each under the person's own secret. */
  readonly people: readonly WrappedPersonKey[];
}

export interface WrappedPersonKey {
  readonly name: string;
  /** scrypt parameters and salt that turn the secret into the wrapping key. */
  readonly scrypt: { readonly N: number; readonly r: number; readonly p: number; readonly salt: Uint8Array };
  /** AES-256-GCM of the 32-byte Ed25519 seed: nonce (12) then ciphertext and tag (48). */
  readonly sealedSeed: Uint8Array;
}

/** One short HTTPS request to the consortium with its certificate pinned. */
export interface Transport {
  send(request: TransportRequest): Promise<TransportResponse>;
}

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Absolute https URL. */
  readonly url: string;
  /** sha256 of the consortium's certificate (DER), lower-case hexadecimal. Any other certificate ends the connection. */
  readonly certificateDigest: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly timeoutMs: number;
  /** A longer answer is refused. */
  readonly maxResponseBytes: number;
}

export interface TransportResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface EngineInfo {
  readonly name: 'tensorflow' | 'webgpu' | 'wasm';
  readonly version: string;
  /** What computes: `CPU`, or a GPU by its maker and name. */
  readonly device: string;
  /** One sentence: why this engine. */
  readonly reason: string;
  /** The better ones, best first, and why each is not used. */
  readonly passedOver: readonly PassedOverEngine[];
}

export interface PassedOverEngine {
  readonly engine: 'cuda' | 'webgpu' | 'tensorflow';
  readonly why: string;
}

/** Examples as the plan's model takes them. */
export interface Examples {
  /** Example by example, row-major, `count` times the product of `shape`; already normalised. */
  readonly features: Float32Array;
  /** Of one example: [width] of a row of features, [rows, columns, channels] of an image. */
  readonly shape: readonly number[];
  /**
   * Example by example, as the plan's loss takes them: 0 or 1; the number of a class; values; a time and then 1 for an event or 0
   * for the end of observation; a mask of 0 and 1, row-major.
   */
  readonly labels: Float32Array;
  readonly count: number;
  /** A number for the subject of each example, where one may have several; absent: each is of another subject. */
  readonly subjects?: Uint32Array;
}

export interface TrainingJob {
  readonly model: ModelSpecification;
  readonly training: TrainingSettings;
  readonly weights: TensorMap;
  readonly examples: Examples;
  /** 32 bytes; fixes the order of batches. */
  readonly seed: Uint8Array;
  /** Carries optimizer slots and the place in the shuffled order from one round to the next; null starts anew. */
  readonly optimizerState: Uint8Array | null;
  /** How the plan wants DP-SGD; absent: gradients are taken as they are. */
  readonly privacy?: Pick<PrivacySpecification, 'clippingNorm' | 'noiseMultiplier' | 'samplingRate'>;
}

export interface TrainingProgress {
  readonly step: number;
  readonly stepCount: number;
  /** Mean loss of the batches since the last report, in nats. Of private training too: for this site's screen alone. */
  readonly loss: number;
  /** Since the run started or went on. */
  readonly examplesPerSecond: number;
  /** Time left at that pace. */
  readonly remainingMs: number;
}

export interface TrainingResult {
  readonly weights: TensorMap;
  /** Mean loss over all examples, in nats. */
  readonly lossBefore: number;
  readonly lossAfter: number;
  readonly stepCount: number;
  readonly durationMs: number;
  readonly optimizerState: Uint8Array;
  /** Whether the steps ran as a TensorFlow graph or one operation after the other. */
  readonly execution: 'graph' | 'eager';
  /** Into how many parts each batch was cut because memory ran out; 1: none. The gradient is the same. */
  readonly microBatchCount: number;
}

export interface EvaluationJob {
  readonly model: ModelSpecification;
  readonly weights: TensorMap;
  readonly examples: Examples;
}

export interface EvaluationResult {
  /**
   * What the model says, example by example: the probability of label 1, of each class, or of each pixel; of other losses the
   * values or the log hazard ratio.
   */
  readonly probabilities: Float32Array;
  /** Sum of losses over the examples, in nats. */
  readonly lossSum: number;
  /** Examples whose label or class was predicted; 0 where a model predicts neither. */
  readonly correctCount: number;
  /** What the plan measures by; null where the examples do not give it (one class alone, no pair of events). */
  readonly metrics: Readonly<Partial<Record<Metric, number | null>>>;
  /** Of masks: overlap for each subject, in the order of their numbers. */
  readonly diceBySubject: Float64Array | null;
}

/** How a site lets its engine work. */
export interface EngineSettings {
  /** Threads that an engine computes with; null leaves it to the engine. */
  readonly threads: number | null;
  /** A training process that holds more stops its run; null: no limit. */
  readonly memoryLimitBytes: number | null;
  /** Hours of the day in which runs compute; null: all. */
  readonly trainingHours: TrainingHours | null;
}

/** Minutes since local midnight, from 0 to 1439; a window whose end is not after its start runs across midnight. */
export interface TrainingHours {
  readonly fromMinute: number;
  readonly toMinute: number;
}

/** Why a run may not compute at the moment. */
export type TrainingWait = 'paused' | 'hours';

/** Asked before a run starts and while it goes on. */
export interface TrainingGate {
  /** Null: the run may compute. */
  waitsFor(): TrainingWait | null;
  /** Calls the listener after each change until the function that it gives is called. */
  onChange(listener: () => void): () => void;
}

export interface TrainingRunOptions {
  readonly onProgress: (progress: TrainingProgress) => void;
  readonly signal: AbortSignal;
  /** Of a run of the same job that was killed; null or absent: the run starts anew. */
  readonly checkpoint?: Uint8Array | null;
  /** Takes what a run can go on from. It holds weights of patients' data: encrypted or nowhere. */
  readonly onCheckpoint?: (checkpoint: Uint8Array) => void;
  /** Absent: the run may always compute. */
  readonly gate?: TrainingGate | undefined;
  readonly settings?: EngineSettings;
}

/** The engine, in a process of its own that lives for the whole run. */
export interface TrainingHost {
  /** The engine that trains such a model; without one, the engine of the processor. A GPU is tried on the model first. */
  engine(model?: ModelSpecification): Promise<EngineInfo>;
  /**
   * A run that the gate stops waits outside the engine. One whose process died goes on from its last checkpoint in another.
   * @throws TrainingError TRAINING_CANCELLED, TRAINING_CRASHED, TRAINING_DIVERGED, TRAINING_OUT_OF_MEMORY, BAD_TRAINING_JOB.
   */
  train(job: TrainingJob, options: TrainingRunOptions): Promise<TrainingResult>;
  evaluate(job: EvaluationJob): Promise<EvaluationResult>;
  close(): Promise<void>;
}

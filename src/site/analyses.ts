// Analyses run in a thread of their own, so that the site answers others meanwhile: a preview of a large store takes seconds, a report on
// its data minutes. Who asked can cancel: the thread ends, and has written nothing.
import { Worker } from 'node:worker_threads';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import type { Actor, AuditAction, AuditLog } from '#site/audit/index.ts';
import type { CohortPreview, StoreDoor } from '#site/cohort/index.ts';
import type { QualityProgress, QualityReport } from '#site/quality/index.ts';
import type { Store } from '#site/store/index.ts';
import { type AnalysisKind, type AnalysisRequest, analyse } from './analysis.ts';
import { createEventQueue } from './event-queue.ts';
import { SiteError } from './site-error.ts';

export interface AnalysisThreadData {
  readonly request: AnalysisRequest;
  readonly door: StoreDoor;
  readonly nowMs: number;
}

export type AnalysisMessage =
  | { readonly kind: 'progress'; readonly progress: QualityProgress }
  | { readonly kind: 'done'; readonly value: CohortPreview | QualityReport }
  | { readonly kind: 'failed'; readonly code: string };

/** The same shape as `qualityEvent` of the site contract. */
export type QualityEvent =
  | ({ readonly kind: 'progress' } & QualityProgress)
  | { readonly kind: 'report'; readonly report: QualityReport };

export interface Asking {
  readonly actor: Actor;
  readonly signal: AbortSignal;
}

export interface Analyses {
  /** Who would be in a round. @throws SiteError ANALYSIS_CANCELLED, ANALYSIS_FAILED. */
  preview(plan: ResearchStudyPlan, asking: Asking): Promise<CohortPreview>;
  /** What is wrong with the data. @throws SiteError ANALYSIS_CANCELLED, ANALYSIS_FAILED. */
  quality(plan: ResearchStudyPlan, asking: Asking): AsyncGenerator<QualityEvent, void, undefined>;
  /**
   * Cancels what runs, because somebody withdrew: it would count them still, and keeps what is erased in the store's log for as long as it
   * reads (C10).
   */
  outdate(): void;
  /** Cancels what runs. */
  close(): Promise<void>;
}

export interface AnalysesOptions {
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly keys: AnalysisRequest['keys'];
  /** 32 bytes. */
  readonly pseudonymKey: (researchStudyId: string) => Uint8Array;
  /** How another thread opens the store; undefined: it is read here. */
  readonly door: StoreDoor | undefined;
  /** The thread's module; another one in tests. */
  readonly entry?: URL;
}

/** Each holds all subjects in memory and uses several cores: more at once would take both from the site. */
const mostAtOnce = 2;

export function openAnalyses(options: AnalysesOptions): Analyses {
  let ending = new AbortController();
  const running = new Set<Promise<unknown>>();
  const atWork = new Set<Promise<unknown>>();
  const inTurn = async (request: AnalysisRequest, means: Running) => {
    while (atWork.size >= mostAtOnce && !means.signal.aborted)
      await Promise.race([...atWork, whenAborted(means.signal)]);
    return await keep(atWork, runAnalysis(options, request, means));
  };
  const run = (request: AnalysisRequest, asking: Asking, onProgress: Running['onProgress']) => {
    const signal = AbortSignal.any([asking.signal, ending.signal]);
    return keep(running, inTurn(request, { signal, onProgress }));
  };
  return {
    preview: async (plan, asking) => {
      const preview = await run(requestOf(options, 'preview', plan), asking, () => {});
      log(options, plan, { asking, action: 'cohort-previewed' });
      return preview as CohortPreview;
    },
    quality: (plan, asking) => {
      const queue = createEventQueue<QualityEvent>();
      const leaving = new AbortController();
      const signal = AbortSignal.any([asking.signal, leaving.signal]);
      run(requestOf(options, 'quality', plan), { ...asking, signal }, (progress) =>
        queue.push({ kind: 'progress', ...progress }),
      )
        .then((report) => {
          log(options, plan, { asking, action: 'quality-report-made' });
          queue.push({ kind: 'report', report: report as QualityReport });
          queue.end();
        })
        .catch((error: unknown) => queue.end(error));
      return untilLeft(queue.read(), leaving);
    },
    outdate: () => {
      ending.abort();
      ending = new AbortController();
    },
    close: async () => {
      ending.abort();
      await Promise.all(running);
    },
  };
}

/** Who stops reading needs no report any more. */
async function* untilLeft<T>(events: AsyncGenerator<T, void, undefined>, leaving: AbortController) {
  try {
    yield* events;
  } finally {
    leaving.abort();
  }
}

/** Gives `result` back; it is in the set until it has ended, however. */
function keep<T>(set: Set<Promise<unknown>>, result: Promise<T>): Promise<T> {
  const ended = result.catch(() => undefined).finally(() => set.delete(ended));
  set.add(ended);
  return result;
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function requestOf(
  { keys: { subjectKey, linkageKey }, pseudonymKey }: AnalysesOptions,
  kind: AnalysisKind,
  plan: ResearchStudyPlan,
): AnalysisRequest {
  return { kind, plan, keys: { subjectKey, linkageKey }, pseudonymKey: pseudonymKey(plan.researchStudyId) };
}

/** Before anybody sees the counts. */
function log(
  { store, auditLog }: AnalysesOptions,
  { researchStudyId }: ResearchStudyPlan,
  { asking: { actor }, action }: { readonly asking: Asking; readonly action: AuditAction },
): void {
  store.transaction(() =>
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action,
      researchStudyId,
      outcome: 'success',
    }),
  );
}

interface Running {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: QualityProgress) => void;
}

async function runAnalysis(
  { store, door, entry = analysisThreadEntry }: AnalysesOptions,
  request: AnalysisRequest,
  { signal, onProgress }: Running,
): Promise<CohortPreview | QualityReport> {
  if (signal.aborted) throw cancelled();
  if (door === undefined) return analyse(request, { store, door, onProgress });
  const data: AnalysisThreadData = { request, door, nowMs: store.clock.nowMs() };
  const worker = new Worker(entry, { workerData: data, env: environment(), execArgv: [] });
  try {
    return await new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(cancelled()), { once: true });
      worker.on('message', (message: AnalysisMessage) => {
        if (message.kind === 'progress') onProgress(message.progress);
        else if (message.kind === 'done') resolve(message.value);
        else reject(failed(message.code));
      });
      worker.once('error', () => reject(failed('BUG')));
      worker.once('exit', () => reject(failed('BUG')));
    });
  } finally {
    // Whatever it is at: it writes nothing.
    await worker.terminate();
  }
}

/** Beside the source in a checkout, beside the bundle in a package. */
const analysisThreadEntry = new URL(
  import.meta.url.endsWith('.ts') ? './analysis-thread.ts' : './analysis-thread.js',
  import.meta.url,
);

/** Nothing but where compiled code is kept, where it is: a thread then starts in a third of the time. */
function environment(): Record<string, string> {
  const cache = process.env.NODE_COMPILE_CACHE;
  return cache === undefined ? {} : { NODE_COMPILE_CACHE: cache };
}

function cancelled(): SiteError {
  return new SiteError('ANALYSIS_CANCELLED', 'The analysis was cancelled; nothing was stored.');
}

function failed(code: string): SiteError {
  return new SiteError('ANALYSIS_FAILED', 'The thread that read the store ended without an answer.', {
    details: { code },
  });
}

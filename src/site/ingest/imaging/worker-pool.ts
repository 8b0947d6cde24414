// Worker threads that read DICOM files: a few, kept for the whole import, replaced when one hangs or dies; the file it was at is
// refused by name and the rest of its job is done again. Attack: a file that crashes or stops the parser takes the site along.
import { Worker } from 'node:worker_threads';
import { BugError } from '#base/coded-error.ts';
import { ObjectStoreError } from '#base/segment-writer.ts';
import { type FileRefusalCode, IngestError } from '../ingest-error.ts';
import { WorkWatch } from './work-watch.ts';
import type {
  FileDecision,
  FinishedFile,
  ImagingSettings,
  JobFile,
  PreparedFile,
  WorkerReply,
  WorkerRequest,
  WorkerSettings,
  WorkerStart,
} from './worker-message.ts';

export interface Job {
  readonly files: readonly JobFile[];
  readonly imaging: ImagingSettings;
  /** Decides what becomes of each file that was read. */
  readonly decide: (files: readonly PreparedFile[]) => readonly FileDecision[];
}

export interface DoneFile {
  readonly prepared: PreparedFile;
  readonly finished: FinishedFile;
}

export interface WorkerPool {
  /** @throws ObjectStoreError when the disk is full; BugError when workers die of nothing that a file did. */
  run(job: Job): Promise<readonly DoneFile[]>;
  close(): Promise<void>;
}

export interface WorkerPoolOptions {
  readonly settings: WorkerSettings;
  readonly workerCount: number;
  readonly takeSegment: () => number | null;
  readonly giveBack: (segment: number | null) => void;
  /** How long one file may take. */
  readonly fileTimeoutMs?: number;
  /** The worker's module; another one in tests. */
  readonly entry?: URL;
}

/** Beside the source in a checkout, beside the bundle in a package. */
export const importWorkerEntry = new URL(
  import.meta.url.endsWith('.ts') ? './import-worker.ts' : './import-worker.js',
  import.meta.url,
);

interface RunningJob {
  readonly jobId: number;
  readonly job: Job;
  /** Files that took a worker along, with why. */
  readonly lost: Map<number, FileRefusalCode>;
  /** Index in the job of each file that the worker was given. */
  sent: readonly number[];
  prepared: readonly PreparedFile[];
  readonly resolve: (files: readonly DoneFile[]) => void;
  readonly reject: (error: unknown) => void;
}

interface PoolWorker {
  readonly thread: Worker;
  readonly watch: WorkWatch;
  readonly jobs: Map<number, RunningJob>;
  segment: number | null;
  isClosing: boolean;
}

const checkEveryMs = 250;
const mostDeathsWithoutCause = 3;

export function openWorkerPool(options: WorkerPoolOptions): WorkerPool {
  return new ThreadPool(options);
}

class ThreadPool implements WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #workers = new Set<PoolWorker>();
  readonly #timer: NodeJS.Timeout;
  #lastJobId = 0;
  #causelessDeaths = 0;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#stopHanging(), checkEveryMs);
    this.#timer.unref();
  }

  run(job: Job): Promise<readonly DoneFile[]> {
    return new Promise((resolve, reject) => {
      this.#lastJobId += 1;
      const running = {
        jobId: this.#lastJobId,
        job,
        lost: new Map(),
        sent: [],
        prepared: [],
        resolve,
        reject,
      };
      this.#send(this.#freest(), running);
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const worker of this.#workers) {
      worker.isClosing = true;
      for (const { reject } of worker.jobs.values())
        reject(new IngestError('READER_STOPPED', 'the site closed while it was reading'));
      await worker.thread.terminate();
      if (worker.jobs.size === 0) this.#options.giveBack(worker.segment);
    }
    this.#workers.clear();
  }

  #freest(): PoolWorker {
    const [freest] = [...this.#workers].sort((left, right) => left.jobs.size - right.jobs.size);
    if (freest !== undefined && (freest.jobs.size === 0 || this.#workers.size >= this.#options.workerCount)) {
      return freest;
    }
    return this.#start();
  }

  #start(): PoolWorker {
    const watch = new WorkWatch();
    const segment = this.#options.takeSegment();
    const start: WorkerStart = { settings: this.#options.settings, segment, watch: watch.buffer };
    const thread = new Worker(this.#options.entry ?? importWorkerEntry, {
      workerData: start,
      // Bytes of files lie outside the heap; a data set of half a million elements fits.
      resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 4, stackSizeMb: 4 },
      // A worker's own words may quote a file.
      stdout: true,
      stderr: true,
    });
    thread.stdout.resume();
    thread.stderr.resume();
    const worker: PoolWorker = { thread, watch, jobs: new Map(), segment, isClosing: false };
    this.#workers.add(worker);
    thread.on('message', (reply: WorkerReply) => this.#take(worker, reply));
    thread.on('error', () => this.#bury(worker, 'DICOM_PROCESSING_FAILED'));
    thread.on('exit', () => this.#bury(worker, 'DICOM_PROCESSING_FAILED'));
    return worker;
  }

  #send(worker: PoolWorker, running: RunningJob): void {
    running.sent = running.job.files.map((_, index) => index).filter((index) => !running.lost.has(index));
    worker.jobs.set(running.jobId, running);
    worker.thread.ref();
    const files = running.sent.map((index) => running.job.files[index] as JobFile);
    this.#post(worker, { kind: 'job', jobId: running.jobId, files, imaging: running.job.imaging });
  }

  #post(worker: PoolWorker, request: WorkerRequest): void {
    worker.thread.postMessage(request);
  }

  #take(worker: PoolWorker, reply: WorkerReply): void {
    const running = worker.jobs.get(reply.jobId);
    if (running === undefined) return;
    try {
      if (reply.kind === 'prepared') {
        running.prepared = reply.files;
        const decisions = running.job.decide(reply.files);
        this.#post(worker, { kind: 'decided', jobId: reply.jobId, decisions });
        return;
      }
      this.#release(worker, reply.jobId);
      if (reply.kind === 'failed') throw failureOf(reply);
      worker.segment = reply.segment;
      this.#causelessDeaths = 0;
      running.resolve(doneFiles(running, reply.files));
    } catch (error) {
      this.#release(worker, reply.jobId);
      running.reject(error);
    }
  }

  /** An idle worker does not keep the process alive. */
  #release(worker: PoolWorker, jobId: number): void {
    worker.jobs.delete(jobId);
    if (worker.jobs.size === 0) worker.thread.unref();
  }

  #stopHanging(): void {
    const limit = this.#options.fileTimeoutMs ?? 5_000;
    for (const worker of [...this.#workers]) {
      const current = worker.watch.current();
      if (current !== undefined && current.sinceMs > limit) this.#bury(worker, 'DICOM_TIMEOUT');
    }
  }

  /** Takes a dead or hanging worker out and gives its jobs to others, without the file that it was at. */
  #bury(worker: PoolWorker, code: FileRefusalCode): void {
    if (worker.isClosing || !this.#workers.delete(worker)) return;
    const current = worker.watch.current();
    void worker.thread.terminate();
    const guilty = current === undefined ? undefined : worker.jobs.get(current.jobId);
    const index = guilty?.sent[current?.fileIndex ?? -1];
    if (guilty !== undefined && index !== undefined) guilty.lost.set(index, code);
    else this.#causelessDeaths += 1;
    // What the worker had sealed is behind no row; its segment is not gone on with.
    for (const running of worker.jobs.values()) {
      if (this.#causelessDeaths > mostDeathsWithoutCause) running.reject(new BugError('import workers die'));
      else this.#send(this.#freest(), running);
    }
  }
}

function failureOf({ code, found }: Extract<WorkerReply, { kind: 'failed' }>): Error {
  if (code === 'OBJECT_STORE_FULL' || code === 'OBJECT_STORE_UNAVAILABLE')
    return new ObjectStoreError(code, 'Sealed objects cannot be written.', { details: { found } });
  return new BugError('an import worker failed', { details: { found } });
}

function doneFiles(running: RunningJob, finished: readonly FinishedFile[]): DoneFile[] {
  const done: DoneFile[] = [];
  for (const [index] of running.job.files.entries()) {
    const code = running.lost.get(index);
    const at = running.sent.indexOf(index);
    const [prepared, file] = [running.prepared[at], finished[at]];
    if (code !== undefined) {
      const refused = { kind: 'refused', code, field: null } as const;
      done.push({ prepared: refused, finished: refused });
    } else if (prepared !== undefined && file !== undefined) done.push({ prepared, finished: file });
    else throw new BugError('an import worker left a file out');
  }
  return done;
}

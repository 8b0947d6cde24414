// Threads that de-identify files: a hanging or dying one is replaced, and the file it was at is refused by name.
import { Worker } from 'node:worker_threads';
import { BugError } from '#base/coded-error.ts';
import type {
  DeidentifyFileCode,
  FileResult,
  WorkerJob,
  WorkerReply,
  WorkerStart,
} from './deidentify-message.ts';

/** Beside the source in a checkout, beside the bundle in a package. */
const workerEntry = new URL(
  import.meta.url.endsWith('.ts') ? './deidentify-worker.ts' : './deidentify-worker.js',
  import.meta.url,
);

export type PoolFile = WorkerJob['files'][number];

export interface DeidentifyPoolOptions {
  readonly start: WorkerStart;
  readonly workerCount: number;
  readonly fileTimeoutMs?: number;
  /** The thread's module; another one in tests. */
  readonly entry?: URL;
}

const filesOfJob = 16;
/** Files that a thread has in hand: one job that it works at and one that waits. */
const filesInHand = 2 * filesOfJob;

interface PoolWorker {
  readonly thread: Worker;
  /** In the order in which they were sent: the first is the one it is at. */
  readonly inHand: PoolFile[];
  lastWordAt: number;
  /** It runs: the start of a thread is no file's fault. */
  isOnline: boolean;
}

/** Results in the order in which they come. @throws BugError when a thread dies of nothing that a file did. */
export async function* deidentifyInPool(
  files: readonly PoolFile[],
  options: DeidentifyPoolOptions,
): AsyncGenerator<WorkerReply> {
  const pool = new DeidentifyPool(files, options);
  try {
    for (let reply = await pool.next(); reply !== undefined; reply = await pool.next()) yield reply;
  } finally {
    await pool.close();
  }
}

class DeidentifyPool {
  readonly #options: DeidentifyPoolOptions;
  readonly #waiting: PoolFile[];
  readonly #workers = new Set<PoolWorker>();
  readonly #replies: WorkerReply[] = [];
  readonly #timer: NodeJS.Timeout;
  #open: number;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(files: readonly PoolFile[], options: DeidentifyPoolOptions) {
    this.#options = options;
    this.#waiting = [...files].reverse();
    this.#open = files.length;
    // After what has arrived meanwhile: where this thread was busy, replies wait behind the timer.
    this.#timer = setInterval(() => setImmediate(() => this.#stopHanging()), 500);
    const workerCount = Math.min(options.workerCount, Math.ceil(files.length / filesOfJob));
    for (let index = 0; index < workerCount; index += 1) this.#startWorker();
  }

  async next(): Promise<WorkerReply | undefined> {
    for (;;) {
      const reply = this.#replies.shift();
      if (reply !== undefined) return reply;
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#open === 0) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const workers = [...this.#workers];
    this.#workers.clear();
    for (const { thread } of workers) await thread.terminate();
  }

  #startWorker(): void {
    const thread = new Worker(this.#options.entry ?? workerEntry, {
      workerData: this.#options.start,
      resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 8, stackSizeMb: 4 },
      // A thread's own words may quote a file.
      stdout: true,
      stderr: true,
    });
    thread.stdout.resume();
    thread.stderr.resume();
    const worker: PoolWorker = { thread, inHand: [], lastWordAt: performance.now(), isOnline: false };
    this.#workers.add(worker);
    thread.once('online', () => {
      worker.lastWordAt = performance.now();
      worker.isOnline = true;
    });
    thread.on('message', (reply: WorkerReply) => {
      // The last words of a thread that was given up: its files are another one's by now, and would be counted twice.
      if (!this.#workers.has(worker)) return;
      worker.inHand.shift();
      worker.lastWordAt = performance.now();
      this.#settle(reply);
      this.#feed(worker);
    });
    // Its end follows, and comes after all that it said; the error may come before, and would blame the wrong file.
    thread.on('error', () => undefined);
    thread.on('exit', () => this.#bury(worker, 'DICOM_PROCESSING_FAILED'));
    this.#feed(worker);
  }

  #feed(worker: PoolWorker): void {
    while (this.#waiting.length > 0 && worker.inHand.length <= filesInHand - filesOfJob) {
      const files: PoolFile[] = [];
      for (let file = this.#waiting.pop(); file !== undefined; file = this.#waiting.pop()) {
        files.push(file);
        if (files.length === filesOfJob) break;
      }
      if (worker.inHand.length === 0) worker.lastWordAt = performance.now();
      worker.inHand.push(...files);
      const job: WorkerJob = { files };
      worker.thread.postMessage(job);
    }
  }

  #settle(reply: WorkerReply): void {
    this.#open -= 1;
    this.#replies.push(reply);
    this.#wake?.();
  }

  /** Attack: a file that never ends being read stops the run. */
  #stopHanging(): void {
    const limit = this.#options.fileTimeoutMs ?? 30_000;
    for (const worker of [...this.#workers]) {
      if (worker.isOnline && worker.inHand.length > 0 && performance.now() - worker.lastWordAt > limit)
        this.#bury(worker, 'DICOM_TIMEOUT');
    }
  }

  #bury(worker: PoolWorker, code: DeidentifyFileCode): void {
    if (!this.#workers.delete(worker)) return;
    void worker.thread.terminate();
    const guilty = worker.inHand.shift();
    if (guilty === undefined) {
      this.#failure = new BugError('a de-identifying thread died idle');
      this.#wake?.();
      return;
    }
    this.#waiting.push(...worker.inHand.splice(0).reverse());
    const result: FileResult = { outcome: 'rejected', code, field: null };
    this.#startWorker();
    this.#settle({ index: guilty.index, result });
  }
}

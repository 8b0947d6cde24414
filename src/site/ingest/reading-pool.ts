// Reading workers, started when a large file comes and ended when none came for a while. Each has limits of memory and time: what goes
// beyond them is refused by name, and the site goes on.
import os from 'node:os';
import { Worker } from 'node:worker_threads';
import { IngestError } from './ingest-error.ts';
import type {
  ReadingAnswer,
  ReadingRequest,
  ReadingSession,
  ReadingTask,
  ReadingWorkerData,
} from './reading-message.ts';

/** More would wait for the one thread that writes. */
const mostWorkers = 3;
/** A block of some megabytes is read in less than a tenth of a second. */
const taskTimeoutMs = 30_000;
const idleMs = 5_000;
const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 8 };

interface PendingTask {
  readonly resolve: (answer: ReadingAnswer) => void;
  readonly reject: (error: IngestError) => void;
  readonly timer: NodeJS.Timeout;
}

export class ReadingPool {
  readonly #data: ReadingWorkerData;
  #slots: WorkerSlot[] = [];
  /** Of files that are being read. */
  readonly #sessions = new Map<number, ReadingSession>();
  #sessionCount = 0;
  #taskCount = 0;
  #next = 0;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(data: ReadingWorkerData) {
    this.#data = data;
  }

  /** How many blocks may be with workers at once: one that is read and one that waits, for each. */
  get capacity(): number {
    return workerCount() * 2;
  }

  /** Tells the workers how the blocks of a file are read. */
  open(options: Omit<ReadingSession, 'sessionId'>): number {
    clearTimeout(this.#idleTimer);
    this.#fill();
    this.#sessionCount += 1;
    const session = { ...options, sessionId: this.#sessionCount };
    this.#sessions.set(session.sessionId, session);
    for (const slot of this.#slots) slot.post({ kind: 'session', session });
    return session.sessionId;
  }

  /** Puts new workers in the place of those that ended: what one file did to them must not stop another. */
  #fill(): void {
    this.#slots = this.#slots.filter((slot) => slot.isAlive);
    while (this.#slots.length < workerCount()) {
      const slot = new WorkerSlot(this.#data);
      for (const session of this.#sessions.values()) slot.post({ kind: 'session', session });
      this.#slots.push(slot);
    }
  }

  /**
   * Reads a block; its memory moves to the worker.
   * @throws IngestError READER_STOPPED, by the promise.
   */
  read(task: Omit<ReadingTask, 'taskId'>): Promise<ReadingAnswer> {
    this.#taskCount += 1;
    if (this.#sessions.has(task.sessionId)) this.#fill();
    const slot = this.#slots[this.#next % this.#slots.length];
    this.#next += 1;
    if (slot === undefined) return Promise.reject(stopped());
    return slot.read({ ...task, taskId: this.#taskCount });
  }

  /** Ends a file's session, and workers that are not used again soon. */
  release(sessionId: number): void {
    this.#sessions.delete(sessionId);
    for (const slot of this.#slots) slot.post({ kind: 'session-end', sessionId });
    if (this.#sessions.size > 0) return;
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.close(), idleMs);
    this.#idleTimer.unref();
  }

  close(): void {
    clearTimeout(this.#idleTimer);
    for (const slot of this.#slots) slot.end();
    this.#slots = [];
  }
}

function workerCount(): number {
  return Math.max(1, Math.min(mostWorkers, os.availableParallelism()));
}

/** Nothing but where compiled code is kept, where it is: a worker then starts in a third of the time. */
function environment(): Record<string, string> {
  const cache = process.env.NODE_COMPILE_CACHE;
  return cache === undefined ? {} : { NODE_COMPILE_CACHE: cache };
}

class WorkerSlot {
  isAlive = true;
  readonly #worker: Worker;
  readonly #pending = new Map<number, PendingTask>();

  constructor(data: ReadingWorkerData) {
    // Beside this file in the source as in a bundle.
    const name = import.meta.url.endsWith('.ts') ? './reading-worker.ts' : './reading-worker.js';
    this.#worker = new Worker(new URL(name, import.meta.url), {
      workerData: data,
      resourceLimits,
      env: environment(),
      execArgv: [],
    });
    this.#worker.unref();
    this.#worker.on('message', (answer: ReadingAnswer) => this.#settle(answer));
    // Out of memory, or a bug of a reader: the message could hold a value of the file and goes nowhere.
    this.#worker.on('error', () => this.end());
    this.#worker.on('exit', () => this.end());
  }

  post(request: ReadingRequest, transfer: readonly ArrayBuffer[] = []): void {
    if (this.isAlive) this.#worker.postMessage(request, transfer);
  }

  read(task: ReadingTask): Promise<ReadingAnswer> {
    if (!this.isAlive) return Promise.reject(stopped());
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.end(), taskTimeoutMs);
      this.#pending.set(task.taskId, { resolve, reject, timer });
      this.#worker.ref();
      const { buffer } = task.bytes;
      this.post({ kind: 'task', task }, buffer instanceof ArrayBuffer ? [buffer] : []);
    });
  }

  end(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    void this.#worker.terminate();
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(stopped());
    }
    this.#pending.clear();
  }

  #settle(answer: ReadingAnswer): void {
    const pending = this.#pending.get(answer.taskId);
    if (pending === undefined) return;
    this.#pending.delete(answer.taskId);
    clearTimeout(pending.timer);
    if (this.#pending.size === 0) this.#worker.unref();
    pending.resolve(answer);
  }
}

function stopped(): IngestError {
  return new IngestError('READER_STOPPED', 'a reading worker ended before its answer');
}

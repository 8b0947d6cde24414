// Threads that each work at one request at a time, given out in the order of asking, with limits of memory and time: one that hangs or dies
// fails what it was at and is replaced. A thread says `{ kind: 'ready' }` once its code is loaded, and then one reply to each request.
import { type ResourceLimits, Worker } from 'node:worker_threads';

export type ThreadFailure = 'closed' | 'died' | 'timed-out';

export interface ThreadPoolOptions<Request> {
  /** The thread's module. */
  readonly entry: URL;
  readonly threadCount: number;
  readonly resourceLimits: ResourceLimits;
  /** What every thread begins with. */
  readonly workerData?: unknown;
  /** For one request; to load the thread's code comes beside it once. */
  readonly limitMs: (request: Request) => number;
  readonly startLimitMs: number;
  /** Memory that is handed over with a request; absent: all is copied. */
  readonly transferOf?: (request: Request) => ArrayBuffer[];
  readonly refusalOf: (failure: ThreadFailure) => Error;
}

interface Job<Request, Reply> {
  readonly request: Request;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** Threads start when there is work for them and keep no process alive while there is none. */
export class ThreadPool<Request, Reply extends { readonly kind: string }> {
  readonly #options: ThreadPoolOptions<Request>;
  readonly #waiting: Job<Request, Reply>[] = [];
  readonly #idle: PooledThread<Request, Reply>[] = [];
  readonly #busy = new Set<PooledThread<Request, Reply>>();
  /** Until they are gone. */
  readonly #threads = new Set<PooledThread<Request, Reply>>();
  #isClosed = false;

  constructor(options: ThreadPoolOptions<Request>) {
    this.#options = options;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The thread's reply. @throws what `refusalOf` makes of a thread that gave none. */
  run(request: Request): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(this.#options.refusalOf('closed'));
      this.#waiting.push({ request, resolve, reject });
      this.#next();
    });
  }

  /** Ends all threads, whatever they are at, and resolves when they are gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#options.refusalOf('closed'));
    await Promise.all([...this.#threads].map((thread) => thread.end('closed')));
  }

  #next(): void {
    if (this.#busy.size >= this.#options.threadCount) return;
    const job = this.#waiting.shift();
    if (job === undefined) return;
    const thread = this.#idle.pop() ?? this.#start();
    this.#busy.add(thread);
    thread.run(job, () => {
      this.#busy.delete(thread);
      if (!thread.isOver && !this.#isClosed) this.#idle.push(thread);
      this.#next();
    });
  }

  #start(): PooledThread<Request, Reply> {
    const thread = new PooledThread<Request, Reply>(this.#options, () => {
      this.#threads.delete(thread);
      const place = this.#idle.indexOf(thread);
      if (place >= 0) this.#idle.splice(place, 1);
    });
    this.#threads.add(thread);
    return thread;
  }
}

class PooledThread<Request, Reply extends { readonly kind: string }> {
  isOver = false;
  readonly #options: ThreadPoolOptions<Request>;
  readonly #thread: Worker;
  #isReady = false;
  #job: Job<Request, Reply> | null = null;
  #onFree: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  #end: Promise<unknown> | undefined;

  constructor(options: ThreadPoolOptions<Request>, onGone: () => void) {
    const { entry, workerData, resourceLimits } = options;
    this.#options = options;
    this.#thread = new Worker(entry, {
      workerData,
      resourceLimits,
      env: environment(),
      execArgv: [],
      // The words of a library may quote what it reads.
      stdout: true,
      stderr: true,
    });
    this.#thread.stdout.resume();
    this.#thread.stderr.resume();
    this.#thread.on('message', (reply: Reply) => this.#take(reply));
    this.#thread.on('error', () => this.end('died'));
    this.#thread.on('exit', () => {
      void this.end('died');
      onGone();
    });
  }

  run(job: Job<Request, Reply>, onFree: () => void): void {
    this.#job = job;
    this.#onFree = onFree;
    this.#thread.ref();
    this.#thread.postMessage(job.request, this.#options.transferOf?.(job.request) ?? []);
    this.#startClock();
  }

  /** Stops the thread for good; what it was at is refused. */
  async end(failure: ThreadFailure): Promise<void> {
    if (!this.isOver) {
      this.isOver = true;
      this.#finish()?.reject(this.#options.refusalOf(failure));
      this.#end = this.#thread.terminate();
    }
    await this.#end;
  }

  #startClock(): void {
    clearTimeout(this.#timer);
    if (this.#job === null) return;
    const { limitMs, startLimitMs } = this.#options;
    const limit = limitMs(this.#job.request) + (this.#isReady ? 0 : startLimitMs);
    this.#timer = setTimeout(() => this.end('timed-out'), Math.min(limit, longestTimerMs));
  }

  #take(reply: Reply): void {
    if (reply.kind === 'ready') {
      this.#isReady = true;
      this.#startClock();
      return;
    }
    this.#finish()?.resolve(reply);
  }

  #finish(): Job<Request, Reply> | null {
    clearTimeout(this.#timer);
    const job = this.#job;
    this.#job = null;
    this.#thread.unref();
    if (job !== null) this.#onFree();
    return job;
  }
}

const longestTimerMs = 2 ** 31 - 1;

/** Nothing but where compiled code is kept, where it is: no secret of the process, and a thread starts in a third of the time. */
function environment(): Record<string, string> {
  const cache = process.env.NODE_COMPILE_CACHE;
  return cache === undefined ? {} : { NODE_COMPILE_CACHE: cache };
}

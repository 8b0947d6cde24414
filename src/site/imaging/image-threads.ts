// Threads that read images ahead of whoever trains on them: a few, each at one piece of work, given out in the order of asking. One that
// dies or hangs fails what it was at, and with it the run: what it read was decoded once before, so that no patient is to blame.
import { Worker } from 'node:worker_threads';
import { BugError } from '#base/coded-error.ts';
import type { ImageAnswer, ImageAnswers, ImageReply, ImageRequest, ImageThreadData } from './image-work.ts';
import { ImagingError } from './imaging-error.ts';

export interface ImageThreadsOptions {
  /** Folder of the sealed objects. */
  readonly folder: string;
  readonly threadCount: number;
  /** How long one image may take. */
  readonly imageTimeoutMs?: number;
  /** The thread's module; another one in tests. */
  readonly entry?: URL;
}

/** Beside the source in a checkout, beside the bundle in a package. */
const imageThreadEntry = new URL(
  import.meta.url.endsWith('.ts') ? './image-thread.ts' : './image-thread.js',
  import.meta.url,
);

/** Loading the thread's code is no fault of an image. */
const startLimitMs = 60_000;

interface Job {
  readonly request: ImageRequest;
  readonly resolve: (answer: ImageAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** Threads start when there is work for them and keep no process alive while there is none. */
export class ImageThreads {
  readonly #options: ImageThreadsOptions;
  readonly #waiting: Job[] = [];
  readonly #idle: ImageThread[] = [];
  readonly #busy = new Set<ImageThread>();
  /** Until they are gone. */
  readonly #threads = new Set<ImageThread>();
  #isClosed = false;

  constructor(options: ImageThreadsOptions) {
    this.#options = options;
  }

  /** @throws ImagingError IMAGE_UNREADABLE, IMAGE_READING_STOPPED; BugError. */
  run<Kind extends keyof ImageAnswers>(
    request: Extract<ImageRequest, { readonly kind: Kind }>,
  ): Promise<ImageAnswers[Kind]> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(stopped());
      this.#waiting.push({ request, resolve: (answer) => resolve(answer as ImageAnswers[Kind]), reject });
      this.#next();
    });
  }

  /** @throws ImagingError IMAGE_READING_STOPPED when closed. */
  refuseClosed(): void {
    if (this.#isClosed) throw stopped();
  }

  /** Ends all threads, whatever they are at, and resolves when they are gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(stopped());
    await Promise.all([...this.#threads].map((thread) => thread.end(stopped())));
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

  #start(): ImageThread {
    const thread = new ImageThread(this.#options, () => this.#threads.delete(thread));
    this.#threads.add(thread);
    return thread;
  }
}

class ImageThread {
  isOver = false;
  readonly #thread: Worker;
  readonly #imageTimeoutMs: number;
  #isReady = false;
  #job: Job | null = null;
  #onFree: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;

  #end: Promise<unknown> | undefined;

  constructor(
    { folder, imageTimeoutMs = 5_000, entry = imageThreadEntry }: ImageThreadsOptions,
    onGone: () => void,
  ) {
    this.#imageTimeoutMs = imageTimeoutMs;
    this.#thread = new Worker(entry, {
      workerData: { folder } satisfies ImageThreadData,
      env: environment(),
      execArgv: [],
      // Pixels lie outside the heap.
      resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
      // A decoder's own words may quote an image.
      stdout: true,
      stderr: true,
    });
    this.#thread.stdout.resume();
    this.#thread.stderr.resume();
    this.#thread.on('message', (reply: ImageReply) => this.#take(reply));
    this.#thread.on('error', () => this.end(unreadable('THREAD_DIED')));
    this.#thread.on('exit', () => {
      void this.end(unreadable('THREAD_DIED'));
      onGone();
    });
  }

  run(job: Job, onFree: () => void): void {
    this.#job = job;
    this.#onFree = onFree;
    this.#thread.ref();
    this.#thread.postMessage(job.request, job.request.kind === 'prepare' ? [job.request.inputs.buffer] : []);
    this.#startClock();
  }

  async end(error: ImagingError): Promise<void> {
    if (!this.isOver) {
      this.isOver = true;
      this.#finish()?.reject(error);
      this.#end = this.#thread.terminate();
    }
    await this.#end;
  }

  #startClock(): void {
    clearTimeout(this.#timer);
    if (this.#job === null) return;
    const limitMs = this.#imageTimeoutMs * imageCount(this.#job.request) + (this.#isReady ? 0 : startLimitMs);
    this.#timer = setTimeout(() => this.end(unreadable('DICOM_TIMEOUT')), Math.min(limitMs, longestTimerMs));
  }

  #take(reply: ImageReply): void {
    if (reply.kind === 'ready') {
      this.#isReady = true;
      this.#startClock();
      return;
    }
    const job = this.#finish();
    if (reply.kind === 'done') job?.resolve(reply.answer);
    else if (reply.code === 'IMAGE_UNREADABLE') job?.reject(unreadable(reply.reason));
    else job?.reject(new BugError('an image thread failed', { details: { found: reply.reason } }));
  }

  #finish(): Job | null {
    clearTimeout(this.#timer);
    const job = this.#job;
    this.#job = null;
    this.#thread.unref();
    if (job !== null) this.#onFree();
    return job;
  }
}

/** Nothing but where compiled code is kept, where it is: a thread then starts in a third of the time. */
function environment(): Record<string, string> {
  const cache = process.env.NODE_COMPILE_CACHE;
  return cache === undefined ? {} : { NODE_COMPILE_CACHE: cache };
}

const longestTimerMs = 2 ** 31 - 1;

/** Frames of a segmentation are about as many as the slices that it was drawn on. */
function imageCount(request: ImageRequest): number {
  return 1 + (request.kind === 'summarise' ? request.objects.length : request.slices.length);
}

function unreadable(reason: string): ImagingError {
  return new ImagingError('IMAGE_UNREADABLE', 'A stored image cannot be read.', { details: { reason } });
}

function stopped(): ImagingError {
  return new ImagingError('IMAGE_READING_STOPPED', 'The images are not read any more.');
}

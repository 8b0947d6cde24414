// Decodes objects in threads with limits of memory and time: a file on which a decoder hangs or dies is refused by name, the thread
// replaced, and the site goes on (security.md X10). Order of requests is order of work.
import { Worker } from 'node:worker_threads';
import type { DecodeReply } from './decode-worker.ts';
import type { DecodedImage, DecodeRequest } from './decoded-image.ts';
import { DicomRefusal } from './dicom-refusal.ts';

export interface DicomDecoder {
  /**
   * Decodes frames of a file; null where it has no pixel data. The bytes are copied.
   * @throws DicomRefusal DICOM_TIMEOUT, DICOM_DECODER_FAILED, and what `decodeImage` throws
   */
  decode(bytes: Uint8Array, frameIndexes?: readonly number[]): Promise<DecodedImage | null>;
  /** Decodes every frame and keeps none: whether the file's pixels are whole. @throws as `decode` */
  check(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export interface DicomDecoderOptions {
  readonly threadCount?: number;
  /** For one file, all its frames together. */
  readonly timeoutMs?: number;
  /** The thread's module; another one in tests. */
  readonly entry?: URL;
}

/** Beside the source in a checkout, beside the bundle in a package. */
const decodeWorkerEntry = new URL(
  import.meta.url.endsWith('.ts') ? './decode-worker.ts' : './decode-worker.js',
  import.meta.url,
);

interface Job {
  readonly request: DecodeRequest;
  readonly resolve: (image: DecodedImage | null) => void;
  readonly reject: (refusal: DicomRefusal) => void;
}

/** Loading the thread's code is no fault of a file; beyond this something is wrong with the machine. */
const startLimitMs = 30_000;

/** Threads start when there is work for them and keep no process alive. */
export function openDicomDecoder(options: DicomDecoderOptions = {}): DicomDecoder {
  return new ThreadedDecoder(options);
}

class ThreadedDecoder implements DicomDecoder {
  readonly #threadCount: number;
  readonly #timeoutMs: number;
  readonly #entry: URL;
  readonly #waiting: Job[] = [];
  readonly #idle: DecodeThread[] = [];
  readonly #busy = new Set<DecodeThread>();
  #isClosed = false;

  constructor({ threadCount = 1, timeoutMs = 5_000, entry = decodeWorkerEntry }: DicomDecoderOptions) {
    this.#threadCount = threadCount;
    this.#timeoutMs = timeoutMs;
    this.#entry = entry;
  }

  decode(bytes: Uint8Array, frameIndexes?: readonly number[]): Promise<DecodedImage | null> {
    return this.#enqueue({ bytes, frameIndexes: frameIndexes ?? null, isCheckOnly: false });
  }

  async check(bytes: Uint8Array): Promise<void> {
    await this.#enqueue({ bytes, frameIndexes: null, isCheckOnly: true });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(new DicomRefusal('IMPORT_CANCELLED'));
    await Promise.all([...this.#idle, ...this.#busy].map((thread) => thread.end('IMPORT_CANCELLED')));
  }

  #enqueue(request: DecodeRequest): Promise<DecodedImage | null> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(new DicomRefusal('IMPORT_CANCELLED'));
      this.#waiting.push({ request, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    if (this.#busy.size >= this.#threadCount) return;
    const job = this.#waiting.shift();
    if (job === undefined) return;
    const thread = this.#idle.pop() ?? new DecodeThread(this.#entry, this.#timeoutMs);
    this.#busy.add(thread);
    thread.run(job, () => {
      this.#busy.delete(thread);
      if (!thread.isOver && !this.#isClosed) this.#idle.push(thread);
      this.#next();
    });
  }
}

/** One thread and the object that it is at. */
class DecodeThread {
  isOver = false;
  readonly #thread: Worker;
  readonly #timeoutMs: number;
  #isReady = false;
  #job: Job | null = null;
  #onFree: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(entry: URL, timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#thread = new Worker(entry, {
      // Samples lie outside the heap; streams that say they hold more than an image may have are refused before a codec sees them.
      resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
      // A decoder's own words may quote a file.
      stdout: true,
      stderr: true,
    });
    this.#thread.stdout.resume();
    this.#thread.stderr.resume();
    this.#thread.on('message', (reply: DecodeReply) => this.#take(reply));
    this.#thread.on('error', () => this.end('DICOM_DECODER_FAILED'));
    this.#thread.on('exit', () => this.end('DICOM_DECODER_FAILED'));
  }

  run(job: Job, onFree: () => void): void {
    this.#job = job;
    this.#onFree = onFree;
    this.#thread.ref();
    this.#thread.postMessage(job.request);
    this.#startClock();
  }

  /** Stops the thread for good; what it was at is refused. */
  async end(code: 'DICOM_TIMEOUT' | 'DICOM_DECODER_FAILED' | 'IMPORT_CANCELLED'): Promise<void> {
    if (this.isOver) return;
    this.isOver = true;
    const job = this.#finish();
    job?.reject(new DicomRefusal(code, code === 'IMPORT_CANCELLED' ? null : 'PixelData'));
    await this.#thread.terminate();
  }

  #startClock(): void {
    clearTimeout(this.#timer);
    if (this.#job === null) return;
    const limitMs = this.#isReady ? this.#timeoutMs : startLimitMs;
    this.#timer = setTimeout(() => this.end('DICOM_TIMEOUT'), limitMs);
  }

  #take(reply: DecodeReply): void {
    if (reply.kind === 'ready') {
      this.#isReady = true;
      this.#startClock();
      return;
    }
    const job = this.#finish();
    if (reply.kind === 'decoded') job?.resolve(reply.image);
    else job?.reject(new DicomRefusal(reply.code, reply.field));
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

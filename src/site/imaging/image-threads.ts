// Threads that read images ahead of whoever trains on them: a few, each at one piece of work, given out in the order of asking. One that
// dies or hangs fails what it was at, and with it the run: what it read was decoded once before, so that no patient is to blame.
import { BugError } from '#base/coded-error.ts';
import { type ThreadFailure, ThreadPool } from '#base/thread-pool.ts';
import type { ImageAnswers, ImageReply, ImageRequest, ImageThreadData } from './image-work.ts';
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

type GivenReply = Exclude<ImageReply, { readonly kind: 'ready' }>;

/** Threads start when there is work for them and keep no process alive while there is none. */
export class ImageThreads {
  readonly #pool: ThreadPool<ImageRequest, GivenReply>;

  constructor({
    folder,
    threadCount,
    imageTimeoutMs = 5_000,
    entry = imageThreadEntry,
  }: ImageThreadsOptions) {
    this.#pool = new ThreadPool({
      entry,
      threadCount,
      workerData: { folder } satisfies ImageThreadData,
      // Pixels lie outside the heap.
      resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
      limitMs: (request) => imageTimeoutMs * imageCount(request),
      startLimitMs,
      transferOf: (request) => (request.kind === 'prepare' ? [request.inputs.buffer] : []),
      refusalOf,
    });
  }

  /** @throws ImagingError IMAGE_UNREADABLE, IMAGE_READING_STOPPED; BugError. */
  async run<Kind extends keyof ImageAnswers>(
    request: Extract<ImageRequest, { readonly kind: Kind }>,
  ): Promise<ImageAnswers[Kind]> {
    const reply = await this.#pool.run(request);
    if (reply.kind === 'done') return reply.answer as ImageAnswers[Kind];
    if (reply.code === 'IMAGE_UNREADABLE') throw unreadable(reply.reason);
    throw new BugError('an image thread failed', { details: { found: reply.reason } });
  }

  /** @throws ImagingError IMAGE_READING_STOPPED when closed. */
  refuseClosed(): void {
    if (this.#pool.isClosed) throw stopped();
  }

  /** Ends all threads, whatever they are at, and resolves when they are gone. */
  close(): Promise<void> {
    return this.#pool.close();
  }
}

/** Frames of a segmentation are about as many as the slices that it was drawn on. */
function imageCount(request: ImageRequest): number {
  return 1 + (request.kind === 'summarise' ? request.objects.length : request.slices.length);
}

function refusalOf(failure: ThreadFailure): ImagingError {
  if (failure === 'closed') return stopped();
  return unreadable(failure === 'died' ? 'THREAD_DIED' : 'DICOM_TIMEOUT');
}

function unreadable(reason: string): ImagingError {
  return new ImagingError('IMAGE_UNREADABLE', 'A stored image cannot be read.', { details: { reason } });
}

function stopped(): ImagingError {
  return new ImagingError('IMAGE_READING_STOPPED', 'The images are not read any more.');
}

// Images as examples of a model: batches in any order that is asked for, read, unsealed, decoded and prepared in other threads ahead of
// whoever trains, a few at a time. Same cohort, same plan: same bits (docs/formats/imaging-input.md).
import os from 'node:os';
import { BugError } from '#base/coded-error.ts';
import type { ImagingInput } from '#federation/records/imaging-input.ts';
import { type MemberImages, suppressCount } from '#site/cohort/index.ts';
import type { ObjectPlace, Store } from '#site/store/index.ts';
import { type ExampleList, type LeftOut, readExampleList } from './example-list.ts';
import { openImagePlaces } from './image-places.ts';
import { ImageThreads } from './image-threads.ts';
import type { PlacedWork } from './image-work.ts';
import { ImagingError } from './imaging-error.ts';
import { drawMask } from './packed-mask.ts';
import { PreparedSlices } from './prepared-slices.ts';
import { imagesChanged } from './series-summaries.ts';

export interface ExampleBatch {
  /** As asked for. */
  readonly examples: Int32Array;
  /** [examples, rows, columns, 1], row by row. */
  readonly inputs: Float32Array<ArrayBuffer>;
  /** [examples, rows, columns, 1] of 0 and 1 where segmentations are the label, else [examples, 1]. */
  readonly targets: Float32Array<ArrayBuffer>;
}

export interface ExampleSource {
  readonly count: number;
  /** Patients with examples: the units of privacy. */
  readonly unitCount: number;
  /** Of one input: rows, columns, channels. */
  readonly inputShape: readonly [number, number, 1];
  /** Of one target. */
  readonly targetShape: readonly [number, number, 1] | readonly [1];
  /** Series that cannot be read as the plan asks, by reason. */
  readonly leftOut: readonly LeftOut[];
  /** The patient of an example, from 0, in the order of the pseudonyms. */
  unitOf(example: number): number;
  /** @throws ImagingError IMAGE_UNREADABLE, IMAGES_CHANGED, IMAGE_READING_STOPPED. */
  read(examples: Int32Array): Promise<ExampleBatch>;
  /**
   * Batches in the order asked for. The next few are made while one is used, never more; the arrays of a batch are used again when the
   * next one is asked for. Leaving the loop stops it.
   * @throws as `read`
   */
  stream(order: Iterable<Int32Array>): AsyncGenerator<ExampleBatch, void, undefined>;
  /** Ends the threads and forgets what was prepared. */
  close(): Promise<void>;
}

export interface ExampleSourceOptions {
  readonly store: Store;
  /** Folder of the sealed objects. */
  readonly folder: string;
  /** Of one part of a cohort. */
  readonly members: readonly MemberImages[];
  readonly imaging: ImagingInput;
  /** Whether segmentations are the label; else the members' own are. */
  readonly hasMasks: boolean;
  /** Fewer patients with examples are refused: images that cannot be read must not make a cohort too small (C14). */
  readonly minimumUnits: number;
  /** Stops the reading at any moment. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
  readonly threadCount?: number;
  /** Memory for slices that are kept prepared. */
  readonly preparedBytes?: number;
}

const usualPreparedBytes = 256 * 2 ** 20;

/**
 * Reads the pixels of series that were never read before, and gives their slices as examples.
 * @throws ImagingError IMAGES_CHANGED, IMAGES_TOO_FEW, IMAGE_UNREADABLE, IMAGE_READING_STOPPED.
 */
export async function openExampleSource(options: ExampleSourceOptions): Promise<ExampleSource> {
  const { store, folder, members, imaging, signal, onProgress, minimumUnits } = options;
  const threadCount = options.threadCount ?? Math.max(1, Math.min(4, os.availableParallelism() - 1));
  const threads = new ImageThreads({ folder, threadCount });
  const stop = () => void threads.close();
  signal?.addEventListener('abort', stop);
  if (signal?.aborted === true) stop();
  const close = async () => {
    signal?.removeEventListener('abort', stop);
    await threads.close();
  };
  try {
    const list = await readExampleList({ store, threads, threadCount, members, imaging, onProgress });
    if (list.unitCount < Math.max(1, minimumUnits)) throw tooFew(minimumUnits, list.unitCount);
    return new ThreadedSource({ list, threads, options, aheadCount: threadCount + 1, close });
  } catch (error) {
    await close();
    throw error;
  }
}

function tooFew(expected: number, found: number): ImagingError {
  return new ImagingError(
    'IMAGES_TOO_FEW',
    'Fewer patients have images that can be read than the plan asks for.',
    {
      details: { expected, found: suppressCount(found) },
    },
  );
}

interface ThreadedSourceOptions {
  readonly list: ExampleList;
  readonly threads: ImageThreads;
  readonly options: ExampleSourceOptions;
  /** Batches that are made while one is used. */
  readonly aheadCount: number;
  readonly close: () => Promise<void>;
}

type Arrays = Pick<ExampleBatch, 'inputs' | 'targets'>;

class ThreadedSource implements ExampleSource {
  readonly count: number;
  readonly unitCount: number;
  readonly inputShape: readonly [number, number, 1];
  readonly targetShape: readonly [number, number, 1] | readonly [1];
  readonly leftOut: readonly LeftOut[];
  readonly #list: ExampleList;
  readonly #threads: ImageThreads;
  readonly #imaging: ImagingInput;
  readonly #hasMasks: boolean;
  readonly #aheadCount: number;
  readonly #close: () => Promise<void>;
  readonly #places: (sopInstanceNo: number) => ObjectPlace | undefined;
  readonly #prepared: PreparedSlices;
  #spare: Arrays[] = [];

  constructor({ list, threads, options, aheadCount, close }: ThreadedSourceOptions) {
    const { store, imaging, hasMasks, preparedBytes = usualPreparedBytes } = options;
    const { rows, columns } = imaging;
    this.count = list.count;
    this.unitCount = list.unitCount;
    this.leftOut = list.leftOut;
    this.inputShape = [rows, columns, 1];
    this.targetShape = hasMasks ? this.inputShape : [1];
    this.#list = list;
    this.#threads = threads;
    this.#imaging = imaging;
    this.#hasMasks = hasMasks;
    this.#aheadCount = aheadCount;
    this.#close = close;
    this.#places = openImagePlaces(store);
    this.#prepared = new PreparedSlices(preparedBytes, rows * columns);
  }

  unitOf(example: number): number {
    const unit = this.#list.units[example];
    if (unit === undefined) throw new BugError('an example that is not there');
    return unit;
  }

  async read(examples: Int32Array): Promise<ExampleBatch> {
    // What is kept prepared needs no thread.
    this.#threads.refuseClosed();
    const { inputs, targets } = this.#takeArrays(examples.length);
    const missing: PlacedWork[] = [];
    for (const [place, example] of examples.entries()) {
      // Also of what is kept prepared: a withdrawal reaches the run.
      const work = this.#workOf(example);
      if (!this.#prepared.copy(example, inputs, place)) missing.push({ place, ...work });
      this.#setTarget(example, targets, place);
    }
    if (missing.length === 0) return { examples, inputs, targets };
    const { rows, columns } = this.#imaging;
    const request = { kind: 'prepare', size: { rows, columns }, slices: missing, inputs } as const;
    const filled = await this.#threads.run(request);
    for (const { place } of missing) this.#prepared.keep(examples[place] ?? -1, filled, place);
    return { examples, inputs: filled, targets };
  }

  async *stream(order: Iterable<Int32Array>): AsyncGenerator<ExampleBatch, void, undefined> {
    const ahead: Promise<ExampleBatch>[] = [];
    const orders = order[Symbol.iterator]();
    const readAhead = () => {
      while (ahead.length < this.#aheadCount) {
        const next = orders.next();
        if (next.done === true) return;
        const batch = this.read(next.value);
        // Whoever waits for it learns why; if nobody does any more, it is no unhandled fault.
        batch.catch(() => undefined);
        ahead.push(batch);
      }
    };
    try {
      for (readAhead(); ahead[0] !== undefined; ) {
        const batch = await ahead[0];
        ahead.shift();
        readAhead();
        yield batch;
        this.#spareArrays(batch);
      }
    } finally {
      orders.return?.();
      await Promise.allSettled(ahead);
    }
  }

  async close(): Promise<void> {
    this.#prepared.clear();
    this.#spare = [];
    await this.#close();
  }

  /** @throws ImagingError IMAGES_CHANGED where a withdrawal has erased the image. */
  #workOf(example: number): Omit<PlacedWork, 'place'> {
    const divisor = this.#list.divisors[this.unitOf(example)] ?? 1;
    const { sopInstanceNo, frame, isMultiFrame } = this.#list.image(example);
    const object = this.#places(sopInstanceNo);
    if (object === undefined) throw imagesChanged();
    return { object, frame, isMultiFrame, divisor };
  }

  #setTarget(example: number, targets: Float32Array, place: number): void {
    if (!this.#hasMasks) {
      targets[place] = this.#list.labels[this.unitOf(example)] ?? Number.NaN;
      return;
    }
    const { rows, columns } = this.#imaging;
    const target = targets.subarray(place * rows * columns, (place + 1) * rows * columns);
    target.fill(0);
    for (const mask of this.#list.masks(example)) drawMask(mask, target);
  }

  #takeArrays(exampleCount: number): Arrays {
    const { rows, columns } = this.#imaging;
    const pixelCount = exampleCount * rows * columns;
    const at = this.#spare.findIndex(({ inputs }) => inputs.length === pixelCount);
    const [spare] = at < 0 ? [] : this.#spare.splice(at, 1);
    const targetCount = this.#hasMasks ? pixelCount : exampleCount;
    return spare ?? { inputs: new Float32Array(pixelCount), targets: new Float32Array(targetCount) };
  }

  /** Arrays that the user of the batch has handed on are not there any more. */
  #spareArrays({ inputs, targets }: ExampleBatch): void {
    if (inputs.length === 0 || targets.length === 0 || this.#spare.length > this.#aheadCount) return;
    this.#spare.push({ inputs, targets });
  }
}

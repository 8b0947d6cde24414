// Peak memory of one epoch over a large store of slices, in a shuffled order: constant, however many there are.
import { utf8 } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { createKeystream } from '#federation/crypto/keystream.ts';
import { type ExampleSourceOptions, openExampleSource } from '#site/imaging/index.ts';
import { type ManySlices, type ManySlicesOptions, makeManySlices } from './many-slices.ts';

export interface StreamMemory {
  readonly count: number;
  /** Megabytes of the process, threads and all, one after each hundredth of the epoch. */
  readonly rssMb: readonly number[];
  readonly openMs: number;
  readonly slicesPerSecond: number;
}

export interface StreamOptions extends ManySlicesOptions {
  /** Rows and columns of an input. */
  readonly inputSize: number;
  readonly batchSize: number;
  readonly seed: string;
}

const measured = { threadCount: 2, minimumUnits: 1, hasMasks: true } as const;

export async function measureStream(options: StreamOptions): Promise<StreamMemory> {
  const slices = makeManySlices(options);
  try {
    const began = performance.now();
    const source = await openExampleSource({ ...sourceOf(slices), imaging: imagingOf(options.inputSize) });
    const openMs = performance.now() - began;
    const rssMb: number[] = [];
    const everySlices = source.count / 100;
    const start = performance.now();
    let seen = 0;
    for await (const { examples } of source.stream(shuffled(source.count, options))) {
      seen += examples.length;
      if (seen >= (rssMb.length + 1) * everySlices) rssMb.push(Math.round(process.memoryUsage().rss / 1e6));
    }
    const slicesPerSecond = (seen / (performance.now() - start)) * 1000;
    await source.close();
    return { count: seen, rssMb, openMs, slicesPerSecond };
  } finally {
    slices.close();
  }
}

function sourceOf({ store, folder, members }: ManySlices): Omit<ExampleSourceOptions, 'imaging'> {
  return { store, folder, members, ...measured };
}

function imagingOf(size: number): ExampleSourceOptions['imaging'] {
  return {
    modality: 'MR',
    bodyPart: null,
    series: 'segmented',
    rows: size,
    columns: size,
    intensityPercentile: 99.5,
  };
}

function* shuffled(count: number, { batchSize, seed }: StreamOptions): Generator<Int32Array> {
  const order = Uint32Array.from({ length: count }, (_, at) => at);
  createKeystream(sha256(utf8(seed))).shuffle(order);
  for (let first = 0; first < count; first += batchSize)
    yield Int32Array.from(order.subarray(first, first + batchSize));
}

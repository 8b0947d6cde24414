// The examples of one part of a cohort: every slice of the series that its members' consent lets be read, in an order that neither the
// import nor the machine changes. Held as numbers and runs
// of marked pixels: forty thousand slices take some thirty megabytes.
import type { ImagingInput } from '#federation/records/imaging-input.ts';
import type { InputSeries, MemberImages } from '#site/cohort/index.ts';
import type { ObjectPlace, Store } from '#site/store/index.ts';
import { openImagePlaces } from './image-places.ts';
import type { ImageThreads } from './image-threads.ts';
import type { LeftOutReason } from './imaging-error.ts';
import { IntensityCounter, type IntensityCounts, percentileOf } from './intensity-counts.ts';
import type { PackedMask } from './packed-mask.ts';
import { imagesChanged, SeriesSummaries } from './series-summaries.ts';
import type { Slice } from './slice.ts';

/** Series of which no slice is an example, by reason. */
export interface LeftOut {
  readonly reason: LeftOutReason;
  readonly seriesCount: number;
}

/** A frame of an object of the store. */
export interface StoredFrame {
  readonly sopInstanceNo: number;
  /** From 0. */
  readonly frame: number;
}

export interface ExampleList {
  readonly count: number;
  /** Patients with examples. */
  readonly unitCount: number;
  /** By example; rising from 0, in the order of the pseudonyms. */
  readonly units: Int32Array;
  /** By unit: what its intensities are divided by. */
  readonly divisors: Float64Array;
  /** By unit: 0 or 1; NaN where segmentations are the label. */
  readonly labels: Float32Array;
  readonly leftOut: readonly LeftOut[];
  image(example: number): StoredFrame & { readonly isMultiFrame: boolean };
  /** What segmentations mark of it, in the size of the input. */
  masks(example: number): readonly PackedMask[];
}

export interface ExampleListSource {
  readonly store: Store;
  readonly threads: ImageThreads;
  readonly threadCount: number;
  /** By pseudonym. */
  readonly members: readonly MemberImages[];
  readonly imaging: ImagingInput;
  /** Series whose pixels have been read once, of all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** @throws ImagingError IMAGES_CHANGED, IMAGE_UNREADABLE, IMAGE_READING_STOPPED. */
export async function readExampleList(source: ExampleListSource): Promise<ExampleList> {
  const { store, threads, threadCount, members, imaging, onProgress } = source;
  const summaries = new SeriesSummaries(store, threads);
  const allSeries = members.flatMap(({ series }) => series);
  let done = 0;
  await inParallel(allSeries, threadCount, async (series) => {
    if (summaries.find(series) === undefined) await summaries.make(series);
    done += 1;
    onProgress?.(done, allSeries.length);
  });
  const reader = { summaries, threads, places: openImagePlaces(store), imaging };
  const read: ReadMember[] = [];
  await inParallel([...members.entries()], threadCount, async ([at, member]) => {
    read[at] = await readMember(reader, member);
  });
  return gather(read);
}

/** Runs `work` on some items at once. Where one fails, no other is begun. */
async function inParallel<Item>(
  items: readonly Item[],
  width: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  // One generator for all: leaving a loop ends it, and with it the loops of the others.
  const shared = (function* each() {
    yield* items;
  })();
  const takeTurns = async () => {
    for (const item of shared) await work(item);
  };
  await Promise.all(Array.from({ length: width }, takeTurns));
}

interface MemberReader {
  readonly summaries: SeriesSummaries;
  readonly threads: ImageThreads;
  readonly places: (sopInstanceNo: number) => ObjectPlace | undefined;
  readonly imaging: ImagingInput;
}

interface ReadSlice {
  readonly slice: Slice;
  readonly masks: PackedMask[];
}

interface ReadSeries {
  /** By which series are ordered. */
  readonly imagingSeriesUid: string;
  readonly slices: readonly ReadSlice[];
  readonly intensities: IntensityCounts;
}

interface ReadMember {
  readonly slices: readonly ReadSlice[];
  readonly divisor: number;
  readonly label: number;
  readonly leftOut: readonly LeftOutReason[];
}

async function readMember(reader: MemberReader, { series, label }: MemberImages): Promise<ReadMember> {
  const read: ReadSeries[] = [];
  const leftOut: LeftOutReason[] = [];
  for (const one of series) {
    const found = await readSeries(reader, one);
    if (typeof found === 'string') leftOut.push(found);
    else read.push(found);
  }
  read.sort((left, right) => (left.imagingSeriesUid < right.imagingSeriesUid ? -1 : 1));
  const slices = read.flatMap((one) => one.slices);
  return { slices, divisor: slices.length === 0 ? 1 : divisorOf(read, reader.imaging), label, leftOut };
}

const counter = new IntensityCounter();

/** A percentile that is not above 0 scales nothing: dividing by it would turn the image around, or make it infinite. */
function divisorOf(read: readonly ReadSeries[], { intensityPercentile }: ImagingInput): number {
  counter.clear();
  for (const { intensities } of read) counter.merge(intensities);
  const percentile = percentileOf(counter.counts(), intensityPercentile);
  return percentile > 0 ? percentile : 1;
}

async function readSeries(
  { summaries, threads, places, imaging: { rows, columns } }: MemberReader,
  series: InputSeries,
): Promise<ReadSeries | LeftOutReason> {
  const summary = summaries.find(series);
  if (summary === undefined) throw imagesChanged();
  if (summary.leftOut !== null) return summary.leftOut;
  const slices = summary.slices.map((slice): ReadSlice => ({ slice, masks: [] }));
  for (const sopInstanceNo of series.segmentationNos) {
    const object = places(sopInstanceNo);
    if (object === undefined) return 'segmentation-not-decoded';
    const request = { kind: 'draw', object, slices: summary.slices, size: { rows, columns } } as const;
    const drawn = await threads.run(request);
    if (drawn.kind === 'left-out') return drawn.reason;
    for (const { slice, mask } of drawn.masks) slices[slice]?.masks.push(mask);
  }
  return { imagingSeriesUid: summary.imagingSeriesUid, slices, intensities: summary.intensities };
}

function gather(members: readonly ReadMember[]): ExampleList {
  const units = members.filter(({ slices }) => slices.length > 0);
  const examples = units.flatMap(({ slices }) => slices);
  const images = framesOf(examples.map(({ slice }) => slice));
  const masks = examples.map((example) => example.masks);
  const isMultiFrame = Uint8Array.from(examples, ({ slice }) => Number(slice.frameCount > 1));
  const reasons = Map.groupBy(
    members.flatMap(({ leftOut }) => leftOut),
    (reason) => reason,
  );
  return {
    count: examples.length,
    unitCount: units.length,
    units: Int32Array.from(units.flatMap(({ slices }, unit) => slices.map(() => unit))),
    divisors: Float64Array.from(units, ({ divisor }) => divisor),
    labels: Float32Array.from(units, ({ label }) => label),
    leftOut: [...reasons].map(([reason, found]) => ({ reason, seriesCount: found.length })),
    image: (example) => ({ ...images(example), isMultiFrame: isMultiFrame[example] === 1 }),
    masks: (example) => masks[example] ?? [],
  };
}

function framesOf(found: readonly StoredFrame[]): (at: number) => StoredFrame {
  const sopInstanceNos = Float64Array.from(found, ({ sopInstanceNo }) => sopInstanceNo);
  const frames = Int32Array.from(found, ({ frame }) => frame);
  return (at) => ({ sopInstanceNo: sopInstanceNos[at] ?? -1, frame: frames[at] ?? -1 });
}

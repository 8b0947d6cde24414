// Summaries of imaging series, made by an image thread when they are first asked for and kept in the store until an image of the series
// comes or goes: the store itself forgets them then.
import { BugError } from '#base/coded-error.ts';
import type { InputSeries } from '#site/cohort/index.ts';
import type { ObjectPlace, Store } from '#site/store/index.ts';
import type { ImageThreads } from './image-threads.ts';
import { ImagingError, type LeftOutReason } from './imaging-error.ts';
import type { IntensityCounts } from './intensity-counts.ts';
import { orderSlices, type Slice } from './slice.ts';
import type { SummarisedSeries } from './summarise-series.ts';

export interface SeriesSummary {
  readonly imagingSeriesUid: string;
  /** Why no slice of it is read; null where they are. */
  readonly leftOut: LeftOutReason | null;
  /** In order. */
  readonly slices: readonly Slice[];
  readonly intensities: IntensityCounts;
}

interface StoredImage {
  readonly sop_instance_no: number;
  readonly sop_instance_uid: string;
  readonly instance_number: number | null;
  readonly segment: number | null;
  readonly position: number | null;
  readonly byte_count: number | null;
  readonly object_key: Uint8Array | null;
}

interface StoredSummary {
  readonly imaging_series_uid: string;
  readonly left_out: LeftOutReason | null;
  readonly slices: string;
  readonly intensity_shift: number;
  readonly intensities: Uint8Array;
  readonly image_count: number;
}

export class SeriesSummaries {
  readonly #store: Store;
  readonly #threads: ImageThreads;
  readonly #statements: ReturnType<typeof prepareStatements>;

  constructor(store: Store, threads: ImageThreads) {
    this.#store = store;
    this.#threads = threads;
    this.#statements = prepareStatements(store);
  }

  /** @throws ImagingError IMAGES_CHANGED where the series has other images than when it was selected. */
  find({ imagingSeriesNo, imageCount }: InputSeries): SeriesSummary | undefined {
    const row = this.#statements.find.get(imagingSeriesNo) as StoredSummary | undefined;
    if (row === undefined) return undefined;
    if (row.image_count !== imageCount) throw imagesChanged();
    return {
      imagingSeriesUid: row.imaging_series_uid,
      leftOut: row.left_out,
      slices: JSON.parse(row.slices) as Slice[],
      intensities: { shift: row.intensity_shift, ...decodeCounts(row.intensities) },
    };
  }

  /** Makes and stores the summary of a series that has none. @throws ImagingError IMAGES_CHANGED, IMAGE_UNREADABLE. */
  async make(series: InputSeries): Promise<void> {
    const { imagingSeriesNo } = series;
    const images = this.#imagesOf(series);
    const objects = images.map(placeOf).filter((place) => place !== undefined);
    const made: SummarisedSeries =
      objects.length < images.length
        ? { kind: 'left-out', reason: 'image-not-kept' }
        : await this.#threads.run({ kind: 'summarise', objects });
    const { leftOut, slices, intensities } = summaryOf(made, images);
    this.#store.transaction(() => {
      // An import or a withdrawal may have come meanwhile.
      this.#imagesOf(series);
      this.#statements.insert.run(
        imagingSeriesNo,
        leftOut,
        JSON.stringify(slices),
        intensities.shift,
        encodeCounts(intensities),
      );
    });
  }

  #imagesOf({ imagingSeriesNo, imageCount }: InputSeries): StoredImage[] {
    const images = this.#statements.images.all(imagingSeriesNo) as StoredImage[];
    if (images.length !== imageCount || images.length === 0) throw imagesChanged();
    return images;
  }
}

export function imagesChanged(): ImagingError {
  return new ImagingError('IMAGES_CHANGED', 'Images of the cohort came or went since it was frozen.');
}

const noIntensities: IntensityCounts = { shift: 0, keys: new Uint32Array(), counts: new Float64Array() };

function summaryOf(
  made: SummarisedSeries,
  images: readonly StoredImage[],
): Omit<SeriesSummary, 'imagingSeriesUid'> {
  if (made.kind === 'left-out') return { leftOut: made.reason, slices: [], intensities: noIntensities };
  const slices = made.frames.flatMap((frames, at): Slice[] => {
    const image = images[at];
    if (image === undefined) throw new BugError('a summary of more images than there are');
    const { sop_instance_no: sopInstanceNo, sop_instance_uid: sopInstanceUid } = image;
    const names = { sopInstanceNo, sopInstanceUid, instanceNumber: image.instance_number };
    return frames.map((frame) => ({ ...names, frameCount: frames.length, ...frame }));
  });
  return { leftOut: null, slices: orderSlices(slices), intensities: made.intensities };
}

function placeOf(image: StoredImage): ObjectPlace | undefined {
  const { segment, position, byte_count: byteCount, object_key: objectKey } = image;
  if (segment === null || position === null || byteCount === null || objectKey === null) return undefined;
  return { segment, position, byteCount, objectKey };
}

const entryBytes = 12;

function encodeCounts({ keys, counts }: IntensityCounts): Uint8Array {
  const bytes = new Uint8Array(keys.length * entryBytes);
  const view = new DataView(bytes.buffer);
  for (const [at, key] of keys.entries()) {
    view.setUint32(at * entryBytes, key, true);
    view.setFloat64(at * entryBytes + 4, counts[at] ?? 0, true);
  }
  return bytes;
}

function decodeCounts(bytes: Uint8Array): Omit<IntensityCounts, 'shift'> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.byteLength / entryBytes;
  return {
    keys: Uint32Array.from({ length }, (_, at) => view.getUint32(at * entryBytes, true)),
    counts: Float64Array.from({ length }, (_, at) => view.getFloat64(at * entryBytes + 4, true)),
  };
}

function prepareStatements(store: Store) {
  return {
    find: store.prepare(
      `SELECT imaging_series_uid, left_out, slices, intensity_shift, intensities, (SELECT count(*) FROM sop_instance
      WHERE sop_instance.imaging_series_no = series_summary.imaging_series_no) AS image_count
      FROM series_summary JOIN imaging_series USING (imaging_series_no) WHERE imaging_series_no = ?`,
    ),
    images: store.prepare(
      `SELECT sop_instance_no, sop_instance_uid, instance_number, segment, sealed_object.position AS position, byte_count, object_key
      FROM sop_instance LEFT JOIN sealed_object USING (object_no) WHERE imaging_series_no = ? ORDER BY sop_instance_uid`,
    ),
    insert: store.prepare(
      `INSERT INTO series_summary (imaging_series_no, left_out, slices, intensity_shift, intensities)
      VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    ),
  };
}

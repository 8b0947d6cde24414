// A store of many patients' slices, written in seconds: every patient's rows name the same few sealed objects, which are read as if
// they were as many as the rows.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SegmentWriter } from '#base/segment-writer.ts';
import { sealPieces } from '#federation/crypto/piece-seal.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import type { MemberImages } from '#site/cohort/index.ts';
import { type ObjectPlace, openStore, type Store } from '#site/store/index.ts';
import { dicomFile, element, mrSlice, writeDicom } from './dicom-object.ts';
import { segmentationFile } from './segmentation-file.ts';

export interface ManySlices {
  readonly store: Store;
  /** Of the sealed objects. */
  readonly folder: string;
  readonly members: readonly MemberImages[];
  close(): void;
}

export interface ManySlicesOptions {
  readonly patientCount: number;
  readonly slicesPerPatient: number;
  /** Rows and columns of a slice of 16-bit pixels. */
  readonly size: number;
}

/** One series each, with a segmentation of a square in the middle of every slice. */
export function makeManySlices({ patientCount, slicesPerPatient, size }: ManySlicesOptions): ManySlices {
  const root = mkdtempSync(path.join(tmpdir(), 'consilium-slices-'));
  const folder = path.join(root, 'objects');
  mkdirSync(folder);
  const clock = { nowMs: () => Date.UTC(2026, 10, 21) };
  const store = openStore({ file: path.join(root, 'site.db'), key: new Uint8Array(32).fill(20), clock });
  const writer = new SegmentWriter(folder, null);
  const images = Array.from({ length: slicesPerPatient }, (_, at) => seal(writer, sliceBytes(at, size)));
  const segmentation = seal(writer, segmentationBytes(slicesPerPatient, size));
  writer.flush();
  writer.close();
  const rows = openRows(store);
  const members = store.transaction(() =>
    Array.from({ length: patientCount }, (_, patient) => rows.add(patient, images, segmentation)),
  );
  return {
    store,
    folder,
    members,
    close: () => {
      store.close();
      rmSync(root, { recursive: true });
    },
  };
}

const positionOf = (at: number) => [0, 0, 5 * at];
const axial = [1, 0, 0, 0, 1, 0];

/** Of the slice at a place in its series. */
export function storedPixels(at: number, size: number): Uint16Array {
  return Uint16Array.from({ length: size * size }, (_, pixel) => (pixel * 31 + at * 17) % 4096);
}

/** Whether a pixel is the segment's. */
export function squareOf(size: number, row: number, column: number): boolean {
  const isInside = (at: number) => at >= size / 4 && at < (3 * size) / 4;
  return isInside(row) && isInside(column);
}

function sliceBytes(at: number, size: number): Uint8Array {
  const slice = mrSlice(
    { rows: size, columns: size, pixels: storedPixels(at, size) },
    element(0x00200032, positionOf(at).join('\\')),
    element(0x00200037, axial.join('\\')),
  );
  return writeDicom(dicomFile(slice), 'explicit');
}

function segmentationBytes(count: number, size: number): Uint8Array {
  const pixels = Array.from({ length: size * size }, (_, pixel) =>
    Number(squareOf(size, Math.floor(pixel / size), pixel % size)),
  );
  const frames = Array.from({ length: count }, (_, at) => ({
    position: positionOf(at),
    orientation: axial,
    pixels,
  }));
  return writeDicom(segmentationFile({ rows: size, columns: size, frames }), 'explicit');
}

function seal(writer: SegmentWriter, bytes: Uint8Array): ObjectPlace {
  const objectKey = systemRandom(32);
  return { ...writer.append(sealPieces(objectKey, bytes)), byteCount: bytes.length, objectKey };
}

function openRows(store: Store) {
  const object = store.prepare(
    'INSERT INTO sealed_object (segment, position, byte_count, object_key) VALUES (?, ?, ?, ?) RETURNING object_no',
  );
  const subject = store.prepare(
    `INSERT INTO subject (subject_id, added_at) VALUES (?, '2026-11-01T00:00:00.000Z') RETURNING subject_no`,
  );
  const study = store.prepare(
    'INSERT INTO imaging_study (imaging_study_uid, subject_no, day) VALUES (?, ?, 20000) RETURNING imaging_study_no',
  );
  const series = store.prepare(
    'INSERT INTO imaging_series (imaging_series_uid, imaging_study_no, modality) VALUES (?, ?, ?) RETURNING imaging_series_no',
  );
  const image = store.prepare(
    `INSERT INTO sop_instance (sop_instance_uid, imaging_series_no, sop_class_uid, transfer_syntax_uid, instance_number, frame_count,
    source_digest, object_no, outcome_id) VALUES (?, ?, '1', '1.2.840.10008.1.2.1', ?, 1, ?, ?, 0) RETURNING sop_instance_no`,
  );
  const source = store.prepare('INSERT INTO segmentation_source VALUES (?, 0, ?, 0)');
  const numberOf = (row: unknown): number => Object.values(row as Record<string, number>)[0] ?? 0;
  const addImage = (uid: string, seriesNo: number, at: number, place: ObjectPlace) => {
    const objectNo = numberOf(object.get(place.segment, place.position, place.byteCount, place.objectKey));
    return numberOf(image.get(uid, seriesNo, at, new TextEncoder().encode(uid), objectNo));
  };
  return {
    add: (patient: number, images: readonly ObjectPlace[], segmentation: ObjectPlace): MemberImages => {
      const name = `1.${1_000_000 + patient}`;
      const studyNo = numberOf(study.get(name, numberOf(subject.get(name))));
      const imagingSeriesNo = numberOf(series.get(`${name}.1`, studyNo, 'MR'));
      for (const [at, place] of images.entries()) addImage(`${name}.1.${at}`, imagingSeriesNo, at, place);
      const drawn = numberOf(series.get(`${name}.2`, studyNo, 'SEG'));
      const segmentationNo = addImage(`${name}.2.0`, drawn, 0, segmentation);
      source.run(segmentationNo, `${name}.1.0`);
      return {
        series: [{ imagingSeriesNo, imageCount: images.length, segmentationNos: [segmentationNo] }],
        label: Number.NaN,
      };
    },
  };
}

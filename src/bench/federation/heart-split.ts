// Fed-Heart-Disease as FLamby splits it: four hospitals, training and test rows, raw feature values.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { CodedError } from '#base/coded-error.ts';

export class BenchDataError extends CodedError<'BENCH_DATA_MISSING' | 'BENCH_DATA_INVALID'> {}

/** Row-major `count` x `width`, not normalised; labels are 0 or 1. */
export interface RawRows {
  readonly features: Float64Array;
  readonly labels: Float32Array;
  readonly count: number;
  readonly width: number;
}

export interface HospitalRows {
  readonly siteId: string;
  readonly training: RawRows;
  readonly holdout: RawRows;
}

/** Columns of the file in the order of the plan's features. */
export const heartFeatures = [
  'age',
  'sex',
  'trestbps',
  'chol',
  'fbs',
  'thalach',
  'exang',
  'oldpeak',
  'cp_2',
  'cp_3',
  'cp_4',
  'restecg_1',
  'restecg_2',
] as const;

const siteIds = ['cleveland', 'hungary', 'switzerland', 'long-beach'];
const splitFile = 'heart_flamby_split.csv';

/** The four hospitals in FLamby's order. @throws BenchDataError BENCH_DATA_MISSING, BENCH_DATA_INVALID. */
export function loadHeartSplit(dataDirectory: string): HospitalRows[] {
  const rows = readRows(path.join(dataDirectory, splitFile));
  return siteIds.map((siteId, center) => {
    const own = rows.filter((row) => row.center === String(center));
    return {
      siteId,
      training: toRawRows(own.filter((row) => row.split === 'train')),
      holdout: toRawRows(own.filter((row) => row.split === 'test')),
    };
  });
}

function readRows(file: string): Record<string, string>[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new BenchDataError('BENCH_DATA_MISSING', `the data folder has no ${splitFile}`, { cause });
  }
  return parse(text, { columns: true, skip_empty_lines: true });
}

function toRawRows(rows: readonly Record<string, string>[]): RawRows {
  const width = heartFeatures.length;
  const features = new Float64Array(rows.length * width);
  const labels = new Float32Array(rows.length);
  for (const [at, row] of rows.entries()) {
    for (const [column, name] of heartFeatures.entries())
      features[at * width + column] = Number(row[name] ?? Number.NaN);
    labels[at] = Number(row.y ?? Number.NaN);
  }
  if (
    rows.length === 0 ||
    !features.every(Number.isFinite) ||
    !labels.every((label) => label === 0 || label === 1)
  ) {
    throw new BenchDataError('BENCH_DATA_INVALID', `${splitFile} does not hold the heart-disease split`);
  }
  return { features, labels, count: rows.length, width };
}

/** All rows below each other, in the order given. */
export function joinRows(parts: readonly RawRows[]): RawRows {
  const width = parts[0]?.width ?? 0;
  const count = parts.reduce((total, part) => total + part.count, 0);
  const features = new Float64Array(count * width);
  const labels = new Float32Array(count);
  let at = 0;
  for (const part of parts) {
    features.set(part.features, at * width);
    labels.set(part.labels, at);
    at += part.count;
  }
  return { features, labels, count, width };
}

/** The rows with these numbers. */
export function takeRows(rows: RawRows, numbers: readonly number[]): RawRows {
  const { width } = rows;
  const features = new Float64Array(numbers.length * width);
  const labels = new Float32Array(numbers.length);
  for (const [at, number] of numbers.entries()) {
    features.set(rows.features.subarray(number * width, (number + 1) * width), at * width);
    labels[at] = rows.labels[number] ?? Number.NaN;
  }
  return { features, labels, count: numbers.length, width };
}

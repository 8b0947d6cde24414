// A step's lot as runs of one shape: patients by Poisson sampling, split by chance into groups, each packed into batches of rows.
import type { Keystream } from '#federation/crypto/keystream.ts';
import { drawLot } from '#federation/privacy/poisson-lot.ts';
import { PrivacyError } from '#federation/privacy/privacy-error.ts';

/** Whole patients: all rows of each are in it. */
export interface LotRun {
  /** Row numbers, no more than the shape has place for. */
  readonly rows: Int32Array;
  /** 1 over the number of the patient's rows. */
  readonly weights: Float32Array;
  readonly patients: Int32Array;
}

export interface LotShape {
  /** Row numbers of each patient. */
  readonly rowsOf: readonly Int32Array[];
  readonly samplingRate: number;
  readonly rowsPerRun: number;
  readonly groupCount: number;
  /** Above it a group is refused; see createLotShape. */
  readonly groupPatients: number;
}

/** Rows of each patient, in the order of their numbers; those without a row are none. */
export function rowsByPatient(subjects: Uint32Array | undefined, count: number): Int32Array[] {
  if (subjects === undefined) return Array.from({ length: count }, (_, row) => Int32Array.of(row));
  const rowsOf = new Map<number, number[]>();
  for (const [row, subject] of subjects.entries()) {
    const rows = rowsOf.get(subject) ?? [];
    rows.push(row);
    rowsOf.set(subject, rows);
  }
  return [...rowsOf.keys()]
    .sort((left, right) => left - right)
    .map((one) => Int32Array.from(rowsOf.get(one) ?? []));
}

/**
 * Groups of two to four runs of patients on average, or one where a lot is smaller. That a group has more than `groupPatients` has a
 * probability below 1e-20 (Bernstein's inequality), far below any delta.
 */
export function createLotShape(
  rowsOf: readonly Int32Array[],
  { samplingRate, rowsPerRun }: Pick<LotShape, 'samplingRate' | 'rowsPerRun'>,
): LotShape {
  const mostRows = Math.max(1, ...rowsOf.map(({ length }) => length));
  const expected = samplingRate * rowsOf.length;
  const groupCount = Math.max(1, Math.floor(expected / (2 * rowsPerRun)));
  const mean = expected / groupCount;
  return {
    rowsOf,
    samplingRate,
    rowsPerRun: Math.max(rowsPerRun, mostRows),
    groupCount,
    groupPatients: Math.min(rowsOf.length, Math.ceil(mean + 10 * Math.sqrt(mean) + 50)),
  };
}

/** Groups of one step, each with its runs; an empty lot has none. @param keystream secret, see drawLot */
export function drawLotRuns(shape: LotShape, keystream: Keystream): readonly (readonly LotRun[])[] {
  const { rowsOf, samplingRate, groupCount, groupPatients } = shape;
  const groups = Array.from({ length: groupCount }, (): Int32Array[] => []);
  // Each patient's group is drawn for itself, so that one patient more moves no other to another run.
  for (const patient of drawLot(rowsOf.length, samplingRate, keystream)) {
    groups[keystream.nextBelow(groupCount)]?.push(rowsOf[patient] ?? new Int32Array());
  }
  if (groups.some(({ length }) => length > groupPatients))
    throw new PrivacyError('BAD_PRIVACY_SETTING', 'A lot came out larger than chance allows.', {
      details: { field: 'samplingRate' },
    });
  return groups.map((group) => packRuns(group, shape.rowsPerRun)).filter(({ length }) => length > 0);
}

function packRuns(group: readonly Int32Array[], rowsPerRun: number): LotRun[] {
  const runs: Int32Array[][] = [];
  let place = 0;
  for (const rows of group) {
    if (runs.length === 0 || place + rows.length > rowsPerRun) {
      runs.push([]);
      place = 0;
    }
    runs.at(-1)?.push(rows);
    place += rows.length;
  }
  return runs.map(joinPatients);
}

function joinPatients(rowsOf: readonly Int32Array[]): LotRun {
  const count = rowsOf.reduce((sum, { length }) => sum + length, 0);
  const [rows, patients, weights] = [new Int32Array(count), new Int32Array(count), new Float32Array(count)];
  let at = 0;
  for (const [patient, own] of rowsOf.entries()) {
    rows.set(own, at);
    weights.fill(1 / own.length, at, at + own.length);
    patients.fill(patient, at, at + own.length);
    at += own.length;
  }
  return { rows, weights, patients };
}

import { describe, expect, it } from 'vitest';
import { createKeystream } from '#federation/crypto/keystream.ts';
import { createLotShape, drawLotRuns, rowsByPatient } from '#site/training/private/lot-runs.ts';
import { lotSizeFit } from '#support/lot-size-fit.ts';

const patientCount = 60;
const samplingRate = 0.1;
const stream = (seed: number) => createKeystream(new Uint8Array(32).fill(seed));

/** 60 patients of one to three rows, scattered. */
const subjects = Uint32Array.from({ length: 120 }, (_, row) => (row * 37) % patientCount).map((one, row) =>
  row % 4 === 0 ? 0 : one,
);
const rowsOf = rowsByPatient(subjects, subjects.length);

describe('the rows of patients', () => {
  it('are each in one place, patient by patient', () => {
    expect([...rowsOf.flatMap((rows) => [...rows])].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 120 }, (_, row) => row),
    );
    for (const rows of rowsOf) expect(new Set([...rows].map((row) => subjects[row])).size).toBe(1);
    expect(rowsByPatient(undefined, 3).map((rows) => [...rows])).toEqual([[0], [1], [2]]);
  });
});

describe('the lots of private training', () => {
  const shape = createLotShape(rowsByPatient(undefined, patientCount), { samplingRate, rowsPerRun: 4 });
  const keystream = stream(3);
  const lots = Array.from({ length: 2_000 }, () => drawLotRuns(shape, keystream).flat());

  it('have as many patients as Binomial(N, q), in 2,000 draws, though a run has place for four', () => {
    const sizes = lots.map((runs) => runs.reduce((sum, { rows }) => sum + rows.length, 0));
    const { statistic, limit } = lotSizeFit(sizes, { patientCount, samplingRate });
    expect(statistic).toBeLessThan(limit);
    expect(Math.max(...sizes)).toBeGreaterThan(8);
    expect(lots.some((runs) => runs.length === 0)).toBe(true);
  });

  it('let a patient miss an epoch', () => {
    const drawn = new Set(
      lots.slice(0, 1 / samplingRate).flatMap((runs) => runs.flatMap(({ rows }) => [...rows])),
    );
    expect(drawn.size).toBeLessThan(patientCount);
  });

  it('keep all rows of a patient in one run, each weighing its share of the patient', () => {
    const whole = createLotShape(rowsOf, { samplingRate: 1, rowsPerRun: 8 });
    const groups = drawLotRuns(whole, stream(4));
    expect(groups.length).toBe(Math.floor(rowsOf.length / 16));
    const runs = groups.flat();
    expect(runs.flatMap(({ rows }) => [...rows]).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 120 }, (_, row) => row),
    );
    for (const { rows, weights, patients } of runs) {
      expect(rows.length).toBeLessThanOrEqual(whole.rowsPerRun);
      const numbers = new Set(patients);
      for (const number of numbers) {
        const places = [...patients.keys()].filter((at) => patients[at] === number);
        const subject = subjects[rows[places[0] ?? 0] ?? 0];
        expect(places.length).toBe(subjects.filter((one) => one === subject).length);
        for (const at of places) expect(weights[at]).toBeCloseTo(1 / places.length, 6);
      }
    }
  });

  it('make place for the patient with the most rows', () => {
    const most = Math.max(...rowsOf.map(({ length }) => length));
    expect(createLotShape(rowsOf, { samplingRate, rowsPerRun: 2 }).rowsPerRun).toBe(most);
  });

  it('move no other patient to another group where one is added', () => {
    // The groups of n patients and of the same with one more, from the same draws: counted over many lots, sizes of the groups
    // are those of independent draws.
    const many = createLotShape(rowsByPatient(undefined, 640), { samplingRate: 0.5, rowsPerRun: 16 });
    expect(many.groupCount).toBe(10);
    const sizes = Array.from({ length: 200 }, (_, at) => drawLotRuns(many, stream(at % 256))).flatMap(
      (groups) => groups.map((runs) => runs.reduce((sum, { rows }) => sum + rows.length, 0)),
    );
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    const variance = sizes.reduce((sum, size) => sum + (size - mean) ** 2, 0) / sizes.length;
    expect(mean).toBeCloseTo(32, 0);
    // Binomial(640, 0.05) has 30.4; groups filled one after the other would have none.
    expect(variance).toBeGreaterThan(26);
    expect(variance).toBeLessThan(35);
  });
});

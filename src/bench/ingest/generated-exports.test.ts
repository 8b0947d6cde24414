import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openIngestSite, summaryOf } from '#support/ingest-site.ts';
import { endRatioOf } from '../cases/measure-child.ts';
import { writeFhirExport } from './fhir-export.ts';
import { writeOmopExport } from './omop-export.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'consilium-bench-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the generated exports', () => {
  it('are taken whole, in the mix that the bench states', async () => {
    const file = path.join(folder, 'export.ndjson');
    const made = writeFhirExport(file, 1_000_000);
    expect(made.byteCount).toBe(readFileSync(file).length);
    expect(made.observationCount / made.resourceCount).toBeCloseTo(0.25, 2);
    const site = openIngestSite({ inMemory: true });
    const { files, rows } = summaryOf(await site.importPaths([file]));
    site.close();
    expect(files[0]).toMatchObject({ outcome: 'accepted', code: null });
    const { accepted = 0, notNeeded = 0 } = files[0]?.rows ?? {};
    expect(accepted + notNeeded).toBe(made.resourceCount);
    expect(rows.measurement).toBe(made.observationCount);
  });

  it('give each OMOP row a fact', async () => {
    const made = writeOmopExport(folder, 500);
    const site = openIngestSite({ inMemory: true });
    const { files, rows } = summaryOf(await site.importPaths([made.folder]));
    site.close();
    expect(files.map(({ code }) => code)).toEqual([null, null, null]);
    expect(rows).toEqual({ patient: 13, measurement: 500 });
  });

  it('are the same bytes each time', () => {
    const [first, second] = ['first.ndjson', 'second.ndjson'].map((name) => path.join(folder, name));
    writeFhirExport(first ?? '', 200_000);
    writeFhirExport(second ?? '', 200_000);
    expect(readFileSync(first ?? '').equals(readFileSync(second ?? ''))).toBe(true);
  });
});

describe('the rate at the end by that at the start', () => {
  const course = (rates: readonly number[]): [number, number][] => {
    let [seconds, amount] = [0, 0];
    return rates.map((rate) => {
      seconds += 1 / rate;
      amount += 1;
      return [seconds, amount];
    });
  };

  it.each([
    ['even', new Array(100).fill(10), 1],
    ['half', [...new Array(80).fill(10), ...new Array(20).fill(5)], 0.5],
    ['twice', [...new Array(80).fill(10), ...new Array(20).fill(20)], 2],
  ] as const)('is told for an import that goes on %s as fast', (_, rates, expected) => {
    expect(endRatioOf(course(rates as number[]))).toBeCloseTo(expected, 1);
  });

  it('is not told of a run that says too little', () => {
    expect(endRatioOf(course([1, 1, 1]))).toBeNull();
  });
});

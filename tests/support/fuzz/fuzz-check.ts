// What a fuzz run must show, stated once for the sample of `npm test` and the long runs of `npm run soak`.
import { expect } from 'vitest';
import { type FuzzReport, type FuzzRequest, runFuzz } from './fuzz-run.ts';

export const fuzzTargets = {
  dicom: new URL('./dicom-target.ts', import.meta.url),
  records: new URL('./record-target.ts', import.meta.url),
} as const;

/** Of the test's own process, its threads, codecs and mutated files together. */
const memoryLimitMiB = 700;

/** Runs and checks: every input read or refused by name within five seconds, no thread lost, memory under the limit. */
export async function checkFuzz(request: FuzzRequest): Promise<FuzzReport> {
  const report = await runFuzz(request);
  const { outcomes, slowestMs, slowestIndex, peakMiB } = report;
  process.stdout.write(
    `fuzz seed ${request.seed}, inputs ${request.from} to ${request.from + request.count - 1}: ` +
      `${JSON.stringify(outcomes)}, slowest ${slowestMs} ms (input ${slowestIndex}), peak ${peakMiB} MiB\n`,
  );
  expect(report.failures).toEqual([]);
  expect(Object.values(outcomes).reduce((sum, times) => sum + times, 0)).toBe(request.count);
  expect(peakMiB).toBeLessThan(memoryLimitMiB);
  return report;
}

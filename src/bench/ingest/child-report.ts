// The measured process's side: what it did, how long it took and what it used, as the last line of its output.
import type { ChildReport } from './measure-child.ts';

/** Writes the report. @param startedMs `performance.now()` when the work began, after imports and set-up */
export function reportMeasured(startedMs: number, work: Pick<ChildReport, 'amount' | 'course'>): void {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const report: ChildReport = {
    seconds: (performance.now() - startedMs) / 1000,
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    peakMegabytes: (maxRSS * 1024) / 1e6,
    ...work,
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

// The measured process's side: what it did, how long it took and what it used, as the last line of its output.
import type { ChildReport } from './measure-child.ts';

/** When the work began, after imports and set-up, and what the process had used by then. */
export interface MeasuredStart {
  readonly ms: number;
  readonly cpuSeconds: number;
}

export function beginMeasured(): MeasuredStart {
  return { ms: performance.now(), cpuSeconds: usedCpuSeconds() };
}

/** Writes the report. */
export function reportMeasured(
  start: MeasuredStart,
  work: Pick<ChildReport, 'amount' | 'course' | 'longestBusyMs'>,
): void {
  const report: ChildReport = {
    seconds: (performance.now() - start.ms) / 1000,
    cpuSeconds: usedCpuSeconds() - start.cpuSeconds,
    peakMegabytes: (process.resourceUsage().maxRSS * 1024) / 1e6,
    ...work,
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

/** Of all threads. */
function usedCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

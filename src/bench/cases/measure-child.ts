// Measures a program as a process of its own, so that its peak memory and processor time are its own.
import { spawn } from 'node:child_process';
import { CodedError } from '#base/coded-error.ts';
import type { Measurement } from './bench-case.ts';

export class BenchRunError extends CodedError<'BENCH_RUN_FAILED'> {}

/** The last line that a measured process writes, as JSON. */
export interface ChildReport {
  /** Of the work, without the start of the process. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMegabytes: number;
  /** What was done, in the unit of the case. */
  readonly amount: number;
  /** Amount done by then, where the process tells: [seconds, amount]. */
  readonly course?: readonly (readonly [number, number])[];
  /** How long its main thread let others wait at most. */
  readonly longestBusyMs?: number;
}

export interface MeasuredProgram {
  readonly label: string;
  readonly command: string;
  readonly words: readonly string[];
  readonly timeoutMs?: number;
}

export interface ChildMeasurement extends Measurement {
  readonly course: readonly (readonly [number, number])[];
  readonly longestBusyMs: number | null;
}

/** @throws BenchRunError BENCH_RUN_FAILED when it ends with an error or without its report. */
export async function measureChild(program: MeasuredProgram): Promise<ChildMeasurement> {
  const report = parseReport(await outputOf(program), program.label);
  const { seconds, cpuSeconds, peakMegabytes, amount, course = [], longestBusyMs = null } = report;
  return {
    label: program.label,
    rate: amount / seconds,
    seconds,
    cpuSeconds,
    peakMegabytes,
    endRatio: endRatioOf(course),
    course,
    longestBusyMs,
  };
}

/** How long a site's own thread let other requests wait, on a machine as loaded as it was. */
export function busyNote(runs: readonly ChildMeasurement[]): string {
  const longest = Math.max(...runs.map(({ longestBusyMs }) => longestBusyMs ?? 0));
  return `The site's thread let others wait for at most ${longest.toFixed(0)} ms.`;
}

/** Runs a script of this repository from source, under this very Node. */
export function nodeProgram(label: string, script: URL, words: readonly string[]): MeasuredProgram {
  return { label, command: process.execPath, words: [script.pathname, ...words] };
}

/** Whether a program is on this machine, and does what `words` ask. */
export async function isInstalled(command: string, words = ['--version']): Promise<boolean> {
  return outputOf({ label: command, command, words }).then(
    () => true,
    () => false,
  );
}

/** What it writes. @throws BenchRunError BENCH_RUN_FAILED. */
export function outputOf({ label, command, words, timeoutMs = 1_800_000 }: MeasuredProgram): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'], timeout: timeoutMs });
    let output = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text: string) => {
      output = (output + text).slice(-1_000_000);
    });
    child.once('error', (cause) =>
      reject(new BenchRunError('BENCH_RUN_FAILED', `${label} did not start`, { cause })),
    );
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else
        reject(
          new BenchRunError('BENCH_RUN_FAILED', `${label} ended with an error`, { details: { found: code } }),
        );
    });
  });
}

function parseReport(output: string, label: string): ChildReport {
  try {
    return JSON.parse(output.trim().split('\n').at(-1) ?? '') as ChildReport;
  } catch (cause) {
    throw new BenchRunError('BENCH_RUN_FAILED', `${label} gave no report`, { cause });
  }
}

/** Rate of the last tenth of what was done by that of the first one, after a warm-up of a twentieth. */
export function endRatioOf(course: readonly (readonly [number, number])[]): number | null {
  const total = course.at(-1)?.[1] ?? 0;
  if (course.length < 20) return null;
  const rateBetween = (from: number, to: number): number => {
    const first = course.find(([, amount]) => amount >= from * total);
    const last = course.find(([, amount]) => amount >= to * total);
    if (first === undefined || last === undefined || last[0] === first[0]) return Number.NaN;
    return (last[1] - first[1]) / (last[0] - first[0]);
  };
  const ratio = rateBetween(0.9, 1) / rateBetween(0.05, 0.15);
  return Number.isFinite(ratio) ? ratio : null;
}

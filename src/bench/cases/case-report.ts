// The bench's result as a report.
import type { ReportSection } from '../report/index.ts';
import type { CaseResult, Measurement } from './bench-case.ts';
import type { BenchResult } from './run-cases.ts';

export function caseSections({ cases }: BenchResult): ReportSection[] {
  return cases.map((result) => ({
    heading: result.title,
    paragraphs: [result.description, ...result.notes],
    charts: [
      {
        kind: 'intervals',
        caption: `${result.unit} for each second: ours first, then the peers of the same run.`,
        rows: [
          ...result.ours.map(({ label, rate }) => ({ label, value: rate, accent: true })),
          ...result.peers.map(({ label, rate }) => ({ label, value: rate })),
        ],
        digits: digitsOf(result),
      },
      ...(result.charts ?? []),
    ],
    tables: [
      {
        caption: 'Rates, processor time of all threads, and peak memory of each process',
        columns: [
          'Program',
          `${result.unit}/s`,
          'Seconds',
          'Processor seconds',
          'Peak MB',
          'Rate at the end / at the start',
        ],
        rows: [...result.ours, ...result.peers].map((one) => rowOf(one, digitsOf(result))),
      },
      {
        caption: 'Targets',
        columns: ['Target', 'Met'],
        rows: result.targets.map(({ text, isMet }) => [text, isMet ? 'yes' : 'no']),
      },
    ],
  }));
}

/** One sentence under the title. */
export function caseSummary({ machine, scale, startedAt }: BenchResult): string {
  const { processor, cores, memoryGigabytes, node } = machine;
  return `${processor}, ${cores} cores, ${memoryGigabytes} GB, Node ${node}; ${startedAt}; generated data at ${scale} times its usual size.`;
}

export function describeCases(bench: BenchResult): string[] {
  return [caseSummary(bench), ...bench.cases.flatMap((result) => ['', ...describeCase(result)])];
}

function describeCase(result: CaseResult): string[] {
  const all = [...result.ours, ...result.peers];
  const width = Math.max(...all.map(({ label }) => label.length));
  const digits = digitsOf(result);
  return [
    `${result.title} (${result.unit}/s; seconds; processor seconds; peak MB; end/start)`,
    ...all.map((one) => {
      const [label = '', ...cells] = rowOf(one, digits);
      return `  ${String(label).padEnd(width)}  ${cells.map((cell) => String(cell).padStart(10)).join('')}`;
    }),
    ...result.targets.map(({ text, isMet }) => `  ${isMet ? 'met' : 'NOT MET'}: ${text}`),
    ...result.notes.map((note) => `  ${note}`),
  ];
}

function rowOf(one: Measurement, digits: number): (string | number)[] {
  const shown = (value: number | null, places: number): string =>
    value === null ? '–' : value.toFixed(places);
  return [
    one.label,
    one.rate.toFixed(digits),
    one.seconds.toFixed(2),
    shown(one.cpuSeconds, 2),
    shown(one.peakMegabytes, 0),
    shown(one.endRatio, 2),
  ];
}

/** Rows are many, megabytes few. */
function digitsOf({ unit }: CaseResult): number {
  return unit === 'MB' ? 1 : 0;
}

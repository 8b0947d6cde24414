// What a bench of cases (`consilium bench ingest`, `consilium bench cohort`) does with its flags: run, print, write the report.
import { CodedError } from '#base/coded-error.ts';
import { printResult } from '#cli/output.ts';
import { writeReport } from '../report/index.ts';
import type { BenchCase } from './bench-case.ts';
import { caseSections, caseSummary, describeCases } from './case-report.ts';
import { runCases } from './run-cases.ts';

export class BenchUsageError extends CodedError<'USAGE'> {}

export interface CaseCommandFlags {
  readonly data?: string;
  readonly out?: string;
  readonly only?: string;
  readonly python?: string;
  readonly scale: string;
  readonly json?: boolean;
}

export interface CaseBench {
  /** Of the report. */
  readonly title: string;
  readonly cases: readonly BenchCase[];
}

/** @throws BenchUsageError USAGE; BenchRunError BENCH_RUN_FAILED. */
export async function runCaseCommand({ title, cases }: CaseBench, flags: CaseCommandFlags): Promise<void> {
  const scale = Number(flags.scale);
  if (!(scale > 0 && scale <= 100)) {
    throw new BenchUsageError('USAGE', '--scale takes a number above 0, up to 100');
  }
  const wanted = flags.only?.split(',') ?? cases.map(({ name }) => name);
  const unknown = wanted.filter((name) => !cases.some((one) => one.name === name));
  if (unknown.length > 0) {
    const names = cases.map(({ name }) => name).join(', ');
    throw new BenchUsageError('USAGE', `--only takes names of: ${names}`);
  }
  const result = await runCases(
    cases.filter(({ name }) => wanted.includes(name)),
    {
      dataDirectory: flags.data ?? null,
      python: flags.python,
      scale,
      say: (message) => process.stderr.write(`${message}\n`),
    },
  );
  if (flags.out !== undefined) {
    writeReport({
      outDirectory: flags.out,
      title,
      summary: caseSummary(result),
      sections: caseSections(result),
      data: result,
    });
  }
  printResult(flags, result, describeCases);
}

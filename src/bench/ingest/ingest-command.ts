// What `consilium bench ingest` does with its flags: run, print, write the report.
import { CodedError } from '#base/coded-error.ts';
import { printResult } from '#cli/output.ts';
import { writeReport } from '../report/index.ts';
import { benchCases } from './bench-cases.ts';
import { runIngestBench } from './ingest-bench.ts';
import { describeIngest, ingestSections, ingestSummary } from './ingest-report.ts';

export class IngestBenchUsageError extends CodedError<'USAGE'> {}

export interface IngestCommandFlags {
  readonly data?: string;
  readonly out?: string;
  readonly only?: string;
  readonly scale: string;
  readonly json?: boolean;
}

/** @throws IngestBenchUsageError USAGE; BenchRunError BENCH_RUN_FAILED. */
export async function runIngestCommand(flags: IngestCommandFlags): Promise<void> {
  const scale = Number(flags.scale);
  if (!(scale > 0 && scale <= 100)) {
    throw new IngestBenchUsageError('USAGE', '--scale takes a number above 0, up to 100');
  }
  const wanted = flags.only?.split(',') ?? benchCases.map(({ name }) => name);
  const unknown = wanted.filter((name) => !benchCases.some((one) => one.name === name));
  if (unknown.length > 0) {
    const names = benchCases.map(({ name }) => name).join(', ');
    throw new IngestBenchUsageError('USAGE', `--only takes names of: ${names}`);
  }
  const bench = await runIngestBench(
    benchCases.filter(({ name }) => wanted.includes(name)),
    {
      dataDirectory: flags.data ?? null,
      scale,
      say: (message) => process.stderr.write(`${message}\n`),
    },
  );
  if (flags.out !== undefined) {
    writeReport({
      outDirectory: flags.out,
      title: 'How fast a hospital’s exports go in',
      summary: ingestSummary(bench),
      sections: ingestSections(bench),
      data: bench,
    });
  }
  printResult(flags, bench, describeIngest);
}

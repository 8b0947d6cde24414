// `consilium demo`: a whole federation of four real hospitals on this machine.
import path from 'node:path';
import type { Command } from 'commander';
import type { DemoFigures } from '#bench/demo/demo-figures.ts';
import { sentKindName } from '#bench/demo/demo-report.ts';
import { type DemoOutcome, runDemo } from '#bench/demo/run-demo.ts';
import { formatInterval } from '#bench/federation/baseline.ts';
import { endRefused, type OutputOptions, printFailure, printResult } from '#cli/output.ts';

interface DemoCommandOptions extends OutputOptions {
  readonly out: string;
  readonly researchStudy: string;
  readonly keep?: boolean;
}

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description('a whole federation of four real hospitals on this machine')
    .option('--out <dir>', 'folder for report.json and report.html', 'reports/demo')
    .option('--research-study <name>', 'which research study', 'heart')
    .option('--keep', 'leave the profiles and say how to open one')
    .option('--json', 'one JSON document on standard output')
    .action(async (options: DemoCommandOptions) => {
      const interruption = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
        process.on(signal, () => interruption.abort());
      const say = (line: string) => process.stderr.write(`  ${line}\n`);
      try {
        const outcome = await runDemo({
          researchStudy: options.researchStudy,
          outDirectory: path.resolve(options.out),
          keep: options.keep === true,
          signal: interruption.signal,
          say,
          onRound: ({ round, kind, durationMs, lossAfter }, roundCount) =>
            say(
              `round ${String(round).padStart(2)} of ${roundCount}  ${kind.padEnd(10)} ${(durationMs / 1000).toFixed(1)} s` +
                `${lossAfter === null ? '' : `  loss ${lossAfter.toFixed(4)}`}  approved by 4 stewards (played by the demo)`,
            ),
        });
        printResult(
          options,
          { ok: true, report: outcome.report, figures: outcome.figures, kept: outcome.kept },
          () => describe(outcome),
        );
        if (!outcome.findings.audit.verified) endRefused();
      } catch (error) {
        printFailure(error, options.json === true);
      }
    });
}

function describe({ figures, findings, report, kept }: DemoOutcome): string[] {
  const { engine } = findings.references;
  return [
    '',
    `Engine: ${engine.name} ${engine.version} - ${engine.reason}`,
    '',
    ...accuracyTable(figures),
    '',
    'What left each hospital, in bytes before TLS (request lines and headers are those of every request, most of them questions',
    'whether a round is open or published):',
    ...[...findings.rounds.bytesSent].map(
      ([siteId, kinds]) =>
        `  ${siteId.padEnd(12)} ${Object.entries(kinds)
          .map(([kind, bytes]) => `${sentKindName(kind).toLowerCase()} ${bytes}`)
          .join(', ')}`,
    ),
    '',
    `Audit logs: ${findings.audit.verified ? 'verified' : 'NOT VERIFIED'} (${Object.entries(
      findings.audit.leafCounts,
    )
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')} entries)`,
    `Report: ${report.htmlFile}`,
    ...(kept === null ? [] : describeKept(kept)),
  ];
}

function accuracyTable(figures: DemoFigures): string[] {
  const share = (value: number) => value.toFixed(3).padStart(9);
  return [
    'Accuracy on test rows'.padEnd(46) +
      ['rows', 'majority*', 'alone**', 'federated', '95 %', 'together**']
        .map((title) => title.padStart(9))
        .join(' '),
    ...figures.sites.map(
      ({ name, testRows, majority, local, federated, pooled }) =>
        `  ${name.padEnd(44)}${String(testRows).padStart(9)} ${share(majority)} ${share(local)} ${share(federated)} ${formatInterval(federated, testRows)} ${share(pooled)}`,
    ),
    `  ${'all test rows'.padEnd(44)}${String(figures.testRows).padStart(9)} ${share(figures.majorityPooledTest)} ${' '.repeat(9)} ${share(figures.federatedPooledTest)} ${formatInterval(figures.federatedPooledTest, figures.testRows)} ${share(figures.pooledPooledTest)}`,
    '  *  no model: always the class that is more frequent in the training rows',
    '  ** reference runs with FLamby’s settings, not the plan’s; all data in one place is possible with public data only',
    '  95 %: Wilson interval of the federated figure; a difference inside it is none that so few rows can show',
  ];
}

function describeKept({ directory, secrets }: NonNullable<DemoOutcome['kept']>): string[] {
  const profile = path.join(directory, 'profiles', 'cleveland');
  return [
    '',
    `Kept in ${directory}. Open one in a browser:`,
    `  npm run build:renderer && npm run --silent cli -- site serve --profile ${profile} --keys ${path.join(directory, 'keys', 'cleveland.json')}`,
    ...Object.entries(secrets).map(([name, secret]) => `  sign in as ${name} with ${secret}`),
  ];
}

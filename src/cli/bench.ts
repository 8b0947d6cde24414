// `consilium bench`: measurements that a claim in the documents rests on.
import type { Command } from 'commander';
import type { FederationCommandFlags } from '#bench/federation/federation-command.ts';
import type { IngestCommandFlags } from '#bench/ingest/ingest-command.ts';

export function registerBench(program: Command): void {
  const bench = program.command('bench').description('measure');
  bench
    .command('federation')
    .description(
      'accuracy of federated, pooled and local training on the heart-disease data of four hospitals',
    )
    .option('--research-study <name>', 'which research study', 'heart')
    .option('--seeds <count>', 'repetitions with different random numbers', '5')
    .option('--data <directory>', 'folder with heart_flamby_split.csv (default: the data that ships)')
    .option('--out <directory>', 'where to write report.json and report.html')
    .option('--select', 'print how the plan’s settings were chosen, by cross-validation on training rows')
    .option('--json', 'one JSON document on standard output')
    .action(async (flags: FederationCommandFlags) => {
      const { runFederationCommand } = await import('#bench/federation/federation-command.ts');
      await runFederationCommand(flags);
    });
  bench
    .command('ingest')
    .description(
      'rates and peak memory of imports on generated data, each beside peers that are on this machine',
    )
    .option('--data <directory>', 'folder with real data, for the cases that can use some')
    .option('--out <directory>', 'where to write report.json and report.html')
    .option('--only <list>', 'names of cases, separated by commas')
    .option('--scale <factor>', 'multiplies the sizes of the generated data', '1')
    .option('--json', 'one JSON document on standard output')
    .action(async (flags: IngestCommandFlags) => {
      const { runIngestCommand } = await import('#bench/ingest/ingest-command.ts');
      await runIngestCommand(flags);
    });
}

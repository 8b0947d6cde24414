// `consilium bench`: measurements that a claim in the documents rests on.
import type { Command } from 'commander';
import type { CaseCommandFlags } from '#bench/cases/case-command.ts';
import type { FederationCommandFlags } from '#bench/federation/federation-command.ts';

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
  addCaseBench(bench, {
    name: 'ingest',
    description:
      'rates and peak memory of imports on generated data, each beside peers that are on this machine',
    run: async (flags) => {
      const [{ runCaseCommand }, { ingestCases }] = await Promise.all([
        import('#bench/cases/case-command.ts'),
        import('#bench/ingest/ingest-cases.ts'),
      ]);
      await runCaseCommand({ title: 'How fast a hospital’s exports go in', cases: ingestCases }, flags);
    },
  });
  addCaseBench(bench, {
    name: 'audit',
    description: 'the audit log and the seal of updates, beside what this machine’s disk and cipher give',
    run: async (flags) => {
      const [{ runCaseCommand }, { auditCases }] = await Promise.all([
        import('#bench/cases/case-command.ts'),
        import('#bench/audit/audit-cases.ts'),
      ]);
      await runCaseCommand({ title: 'How fast the log and the seal are', cases: auditCases }, flags);
    },
  });
  addCaseBench(bench, {
    name: 'cohort',
    description: 'time and peak memory of cohort selection on generated subjects',
    run: async (flags) => {
      const [{ runCaseCommand }, { cohortCases }] = await Promise.all([
        import('#bench/cases/case-command.ts'),
        import('#bench/cohort/cohort-cases.ts'),
      ]);
      await runCaseCommand({ title: 'How fast a cohort is selected', cases: cohortCases }, flags);
    },
  });
  const training = addCaseBench(bench, {
    name: 'training',
    description:
      'training speed and memory of networks beside PyTorch and JAX, and graphs beside eager steps',
    run: async (flags) => {
      const [{ runCaseCommand }, { trainingCases }] = await Promise.all([
        import('#bench/cases/case-command.ts'),
        import('#bench/training/training-cases.ts'),
      ]);
      await runCaseCommand({ title: 'How fast models train', cases: trainingCases }, flags);
    },
  });
  addCaseBench(bench, {
    name: 'dp',
    description: 'what differential privacy adds to a training step: clipping and noise',
    run: async (flags) => {
      const [{ runCaseCommand }, { privacyBenchCases }] = await Promise.all([
        import('#bench/cases/case-command.ts'),
        import('#bench/privacy/privacy-cases.ts'),
      ]);
      await runCaseCommand({ title: 'What differential privacy costs', cases: privacyBenchCases }, flags);
    },
  });
  training.option('--python <path>', 'a Python with torch, and with jax for the dense network', 'python3');
}

interface CaseBenchCommand {
  readonly name: string;
  readonly description: string;
  readonly run: (flags: CaseCommandFlags) => Promise<void>;
}

function addCaseBench(bench: Command, { name, description, run }: CaseBenchCommand): Command {
  return bench
    .command(name)
    .description(description)
    .option('--data <directory>', 'folder with real data, for the cases that can use some')
    .option('--out <directory>', 'where to write report.json and report.html')
    .option('--only <list>', 'names of cases, separated by commas')
    .option('--scale <factor>', 'multiplies the sizes of the generated data', '1')
    .option('--json', 'one JSON document on standard output')
    .action(run);
}

// What `consilium bench federation` does with its flags: run, print, write the report, say in the exit code whether the checks passed.
import { CodedError } from '#base/coded-error.ts';
import { endRefused, printResult } from '#cli/output.ts';
import { createTrainingHost, openForkedChannel } from '#site/training/index.ts';
import { heartAssets } from '../package-root.ts';
import { writeReport } from '../report/index.ts';
import { type FederationBench, runFederationBench } from './federation-bench.ts';
import { federationSections, federationSummary } from './federation-report.ts';
import { type HospitalRows, loadHeartSplit } from './heart-split.ts';
import { loadPlan } from './plan-method.ts';
import { type Selection, selectSettings } from './select-settings.ts';

export class BenchUsageError extends CodedError<'USAGE'> {}

export interface FederationCommandFlags {
  readonly researchStudy: string;
  readonly seeds: string;
  readonly data?: string;
  readonly out?: string;
  readonly select?: boolean;
  readonly json?: boolean;
}

const selectionRepetitions = 20;
const mostSeeds = 100;

/** @throws BenchUsageError USAGE; BenchDataError. */
export async function runFederationCommand(flags: FederationCommandFlags): Promise<void> {
  if (flags.researchStudy !== 'heart')
    throw new BenchUsageError('USAGE', 'the only research study with data here is "heart"');
  const seedCount = Number(flags.seeds);
  if (!Number.isInteger(seedCount) || seedCount < 1 || seedCount > mostSeeds) {
    throw new BenchUsageError('USAGE', `--seeds takes a whole number from 1 to ${mostSeeds}`);
  }
  const hospitals = loadHeartSplit(flags.data ?? heartAssets);
  const host = createTrainingHost({ openChannel: openForkedChannel });
  try {
    if (flags.select === true) await printSelection(flags, { host, hospitals });
    else await printBench(flags, { host, hospitals, seedCount });
  } finally {
    await host.close();
  }
}

interface Inputs {
  readonly host: ReturnType<typeof createTrainingHost>;
  readonly hospitals: readonly HospitalRows[];
}

async function printBench(
  flags: FederationCommandFlags,
  inputs: Inputs & { readonly seedCount: number },
): Promise<void> {
  const plan = loadPlan(heartAssets);
  const bench = await runFederationBench({
    ...inputs,
    plan,
    onProgress: (message) => process.stderr.write(`${message}\n`),
  });
  if (flags.out !== undefined) {
    writeReport({
      outDirectory: flags.out,
      title: 'Federated training on the heart-disease data of four hospitals',
      summary: federationSummary(bench),
      sections: federationSections(bench),
      data: bench,
    });
  }
  printResult(flags, bench, describeBench);
  if (bench.checks.some(({ passed }) => !passed)) endRefused();
}

function describeBench(bench: FederationBench): string[] {
  const width = Math.max(...bench.methods.map(({ method }) => method.length));
  return [
    federationSummary(bench),
    '',
    'Accuracy on all test rows (mean ± standard deviation over the seeds)',
    ...bench.methods.map(
      ({ method, pooledTest }) =>
        `  ${method.padEnd(width)}  ${pooledTest.mean.toFixed(4)}${pooledTest.values.length < 2 ? '' : ` ± ${pooledTest.sd.toFixed(4)}`}`,
    ),
    '',
    ...bench.checks.map(
      ({ name, expected, found, passed }) =>
        `${passed ? 'passed' : 'FAILED'}  ${name}: ${found} (${expected})`,
    ),
  ];
}

async function printSelection(flags: FederationCommandFlags, inputs: Inputs): Promise<void> {
  let shown = 0;
  const selection = await selectSettings({
    ...inputs,
    repetitions: selectionRepetitions,
    onProgress: (done, total) => {
      const percent = Math.floor((10 * done) / total) * 10;
      if (percent > shown) process.stderr.write(`${percent} %\n`);
      shown = percent;
    },
  });
  printResult(flags, selection, describeSelection);
}

function describeSelection({ candidates, chosen, foldCount, repetitions }: Selection): string[] {
  return [
    `Cross-validation on training rows: ${foldCount} folds, ${repetitions} repetitions, every batch a hospital’s whole training part, SGD`,
    'learning rate  local updates  training rounds  loss in nats  accuracy',
    ...candidates.map(({ learningRate, localUpdates, trainingRounds, loss, accuracy }) =>
      [
        String(learningRate).padStart(13),
        String(localUpdates).padStart(13),
        String(trainingRounds).padStart(15),
        loss.toFixed(5).padStart(12),
        accuracy.toFixed(4).padStart(8),
      ].join('  '),
    ),
    `Chosen: learning rate ${chosen.learningRate}, ${chosen.localUpdates} local updates, ${chosen.trainingRounds} training rounds`,
  ];
}

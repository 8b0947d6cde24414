// What steps as a graph must have in common with eager ones, and with themselves: weights, bytes, and memory that does not grow.
import type { BenchCase, Measurement, Target } from '../cases/bench-case.ts';
import { bundledProgram } from '../cases/bundled-program.ts';
import { outputOf } from '../cases/measure-child.ts';
import type { BenchModelName } from './bench-models.ts';
import type { MemoryReport, ParityReport } from './parity-child.ts';

interface ChildRun {
  readonly model: BenchModelName;
  readonly batchSize: number;
  /** A whole number of runs of 8 steps, which is the most that a graph takes at a time. */
  readonly stepCount: number;
}

const parityRuns: readonly ChildRun[] = [
  { model: 'logistic', batchSize: 256, stepCount: 200 },
  { model: 'mlp', batchSize: 256, stepCount: 200 },
  { model: 'cnn', batchSize: 32, stepCount: 200 },
  { model: 'u-net', batchSize: 2, stepCount: 200 },
];

const memoryRuns: readonly ChildRun[] = [
  { model: 'mlp', batchSize: 256, stepCount: 2_000 },
  { model: 'cnn', batchSize: 32, stepCount: 2_000 },
];

async function runChild<T>(mode: string, { model, batchSize, stepCount }: ChildRun) {
  const words = [model, String(batchSize), String(stepCount), mode];
  const started = performance.now();
  const output = await outputOf(await bundledProgram(model, 'parity-child', words));
  const seconds = (performance.now() - started) / 1000;
  const measurement: Measurement = {
    label: model,
    rate: stepCount / seconds,
    seconds,
    cpuSeconds: null,
    peakMegabytes: null,
    endRatio: null,
  };
  return { report: JSON.parse(output.trim().split('\n').at(-1) ?? '') as T, measurement };
}

export const parityCase: BenchCase = {
  name: 'parity',
  async run({ say }) {
    const ours: Measurement[] = [];
    const targets: Target[] = [];
    for (const run of parityRuns) {
      say(`  ${run.model}`);
      const { report, measurement } = await runChild<ParityReport>('parity', run);
      const { largestDifference, isRepeatable } = report;
      ours.push(measurement);
      targets.push(
        {
          text: `${run.model}: weights within 1e-6 of eager ones after ${run.stepCount} steps (${largestDifference.toExponential(1)})`,
          isMet: largestDifference <= 1e-6,
        },
        { text: `${run.model}: the same bytes in two runs`, isMet: isRepeatable },
      );
    }
    return {
      name: 'parity',
      title: 'Steps as a graph end where eager steps end',
      unit: 'steps',
      description:
        'Twice as a graph and once eagerly from the same weights and batches; rates over the whole process.',
      ours,
      peers: [],
      targets,
      notes: [],
    };
  },
};

export const memoryCase: BenchCase = {
  name: 'memory',
  async run({ say }) {
    const ours: Measurement[] = [];
    const targets: Target[] = [];
    for (const run of memoryRuns) {
      say(`  ${run.model}`);
      const { report, measurement } = await runChild<MemoryReport>('memory', run);
      const [early, late] = report.residentMegabytes;
      ours.push({ ...measurement, peakMegabytes: late });
      targets.push(
        {
          text: `${run.model}: as many tensors after ${run.stepCount} steps as after a tenth of them (${report.tensors.join(', ')})`,
          isMet: report.tensors[0] === report.tensors[1],
        },
        {
          text: `${run.model}: resident memory within 5 % (${early.toFixed(0)}, ${late.toFixed(0)} MB)`,
          isMet: late <= 1.05 * early,
        },
      );
    }
    return {
      name: 'memory',
      title: 'Memory over many steps',
      unit: 'steps',
      description: 'As a graph; rates over the whole process.',
      ours,
      peers: [],
      targets,
      notes: [],
    };
  },
};

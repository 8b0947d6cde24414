// The cases of `consilium bench training`: each network beside its peers, run in turns so that all meet the same machine, and what a graph
// has to keep: the weights of eager steps, the same bytes each time, and memory.
import { fileURLToPath } from 'node:url';
import type { BenchCase, BenchContext, CaseResult, Target } from '../cases/bench-case.ts';
import { bundledProgram } from '../cases/bundled-program.ts';
import {
  type ChildMeasurement,
  isInstalled,
  type MeasuredProgram,
  measureChild,
} from '../cases/measure-child.ts';
import type { BenchModelName } from './bench-models.ts';
import { memoryCase, parityCase } from './parity-cases.ts';

interface SpeedCase {
  readonly name: string;
  readonly title: string;
  readonly model: BenchModelName;
  readonly batchSize: number;
  readonly exampleCount: number;
  readonly unit: 'rows' | 'images';
  readonly targets: (found: Found) => Target[];
}

/** Medians of the runs; a peer that is not on this machine has none. */
interface Found {
  readonly ours: ChildMeasurement;
  readonly torch: ChildMeasurement | undefined;
  readonly jax: ChildMeasurement | undefined;
}

const runCount = 5;
const secondsOfRun = 2.5;
const torchPeer = fileURLToPath(new URL('./torch_peer.py', import.meta.url));
const jaxPeer = fileURLToPath(new URL('./jax_peer.py', import.meta.url));

const rowsTarget = 797_000;
const rows = { model: 'mlp', exampleCount: 100_000, unit: 'rows' } as const;

const speedCases: readonly SpeedCase[] = [
  {
    name: 'mlp-256',
    title: 'A dense network 32-128-64-1 in batches of 256 rows',
    ...rows,
    batchSize: 256,
    targets: ({ ours, jax }) => {
      const bar = Math.min(rowsTarget, jax?.rate ?? rowsTarget);
      const text = `at least ${rowsTarget} rows/s, or JAX in this run (${ours.rate.toFixed(0)} of ${bar.toFixed(0)})`;
      return [{ text, isMet: ours.rate >= bar }];
    },
  },
  {
    name: 'mlp-2048',
    title: 'The same in batches of 2,048 rows',
    ...rows,
    batchSize: 2048,
    targets: ({ ours, torch }) => speedTarget(ours, torch, 1.2),
  },
  {
    name: 'cnn',
    title: 'A convolutional network on images of 64 x 64 in batches of 32',
    model: 'cnn',
    batchSize: 32,
    exampleCount: 512,
    unit: 'images',
    targets: ({ ours, torch }) => speedTarget(ours, torch, 1.6),
  },
  {
    name: 'u-net',
    title: 'A U-Net with group normalisation on images of 128 x 128 in batches of 8',
    model: 'u-net',
    batchSize: 8,
    exampleCount: 64,
    unit: 'images',
    targets: ({ ours, torch }) => [
      ...speedTarget(ours, torch, 1.05),
      ...(torch === undefined ? [] : [memoryTarget(ours, torch)]),
    ],
  },
];

function speedTarget(ours: ChildMeasurement, torch: ChildMeasurement | undefined, bar: number): Target[] {
  if (torch === undefined) return [];
  const ratio = ours.rate / torch.rate;
  return [{ text: `at least ${bar} times PyTorch (${ratio.toFixed(2)})`, isMet: ratio >= bar }];
}

function memoryTarget(ours: ChildMeasurement, torch: ChildMeasurement): Target {
  const ratio = (ours.peakMegabytes ?? Number.NaN) / (torch.peakMegabytes ?? Number.NaN);
  return { text: `peak memory at most 1.5 times PyTorch's (${ratio.toFixed(2)})`, isMet: ratio <= 1.5 };
}

function createSpeedCase(speedCase: SpeedCase): BenchCase {
  return { name: speedCase.name, run: (context) => measureSpeed(speedCase, context) };
}

async function measureSpeed(speedCase: SpeedCase, context: BenchContext): Promise<CaseResult> {
  const { programs, notes } = await choosePrograms(speedCase, context);
  const runs = programs.map((): ChildMeasurement[] => []);
  for (let turn = 1; turn <= runCount; turn += 1) {
    context.say(`  turn ${turn} of ${runCount}`);
    for (const [at, program] of programs.entries()) runs[at]?.push(await measureChild(program));
  }
  const medians = runs.map(medianRun);
  const found = (start: string) => medians.find(({ label }) => label.startsWith(start));
  const [ours, torch, jax] = [found('Consilium, graph'), found('PyTorch'), found('JAX')];
  const { name, title, unit, model, batchSize } = speedCase;
  return {
    name,
    title,
    unit,
    description: `Float32, Adam, batches gathered by row number; medians of ${runCount} runs of ${secondsOfRun} s in turns, largest peak memory of them.`,
    ours: medians.filter(({ label }) => label.startsWith('Consilium')),
    peers: medians.filter(({ label }) => !label.startsWith('Consilium')),
    targets: ours === undefined ? [] : speedCase.targets({ ours, torch, jax }),
    notes: [...notes, `Model ${model}, ${batchSize} ${unit} a step.`],
    charts: [
      {
        kind: 'lines',
        caption: `${unit} for each second, run by run`,
        xLabel: 'turn',
        yLabel: `${unit}/s`,
        lines: runs.map((all) => ({
          label: all[0]?.label ?? '',
          points: all.map(({ rate }, at) => [at + 1, rate] as const),
        })),
      },
    ],
  };
}

/** Ours as a graph and eagerly, and the peers that are on this machine. */
async function choosePrograms(
  { model, batchSize, exampleCount }: SpeedCase,
  { python, scale }: BenchContext,
): Promise<{ programs: MeasuredProgram[]; notes: string[] }> {
  const numbers = [batchSize, exampleCount, secondsOfRun * scale].map(String);
  const programs = await Promise.all(
    (['graph', 'eager'] as const).map((execution) =>
      bundledProgram(`Consilium, ${execution}`, 'training-child', [model, ...numbers, execution]),
    ),
  );
  const command = python ?? 'python3';
  const has = (module: string) => isInstalled(command, ['-c', `import ${module}`]);
  const notes: string[] = [];
  if (await has('torch')) {
    programs.push({ label: 'PyTorch, eager', command, words: [torchPeer, model, ...numbers] });
  } else notes.push('No Python with PyTorch was found (--python): its row is left out.');
  if (model === 'mlp') {
    if (await has('jax')) programs.push({ label: 'JAX, compiled', command, words: [jaxPeer, ...numbers] });
    else notes.push('No Python with JAX was found (--python): its row is left out.');
  }
  return { programs, notes };
}

/** The run in the middle, with the largest memory of all. */
function medianRun(runs: readonly ChildMeasurement[]): ChildMeasurement {
  const sorted = runs.toSorted((left, right) => left.rate - right.rate);
  const middle = sorted[Math.floor(sorted.length / 2)] as ChildMeasurement;
  return { ...middle, peakMegabytes: Math.max(...runs.map(({ peakMegabytes }) => peakMegabytes ?? 0)) };
}

export const trainingCases: readonly BenchCase[] = [
  ...speedCases.map(createSpeedCase),
  parityCase,
  memoryCase,
];

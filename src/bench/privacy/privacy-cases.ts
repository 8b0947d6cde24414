// The cases of `consilium bench dp`: what differential privacy adds to a training step. The noise, which no engine computes, is told apart.
import type { BenchCase, BenchContext, CaseResult } from '../cases/bench-case.ts';
import { bundledProgram } from '../cases/bundled-program.ts';
import { type ChildMeasurement, measureChild } from '../cases/measure-child.ts';
import type { BenchModelName } from '../training/bench-models.ts';

interface PrivacyCase {
  readonly name: string;
  readonly title: string;
  readonly model: BenchModelName;
  readonly batchSize: number;
  readonly exampleCount: number;
  /** Most that a step with lots and clipping may take, in steps without. */
  readonly bar: number;
}

const runCount = 5;
const secondsOfRun = 2;
const modes = {
  plain: 'Without privacy',
  clipped: 'Private, noise left out',
  drawn: 'Private, with noise',
} as const;
type Mode = keyof typeof modes;

const privacyCases: readonly PrivacyCase[] = [
  {
    name: 'mlp',
    title: 'A dense network 32-128-64-1, lots of 256 rows',
    model: 'mlp',
    batchSize: 256,
    exampleCount: 10_000,
    bar: 1.25,
  },
  {
    name: 'cnn',
    title: 'A convolutional network on images of 64 x 64, lots of 32',
    model: 'cnn',
    batchSize: 32,
    exampleCount: 512,
    bar: 1.7,
  },
];

async function measure(privacyCase: PrivacyCase, { scale, say }: BenchContext): Promise<CaseResult> {
  const { name, title, model, batchSize, exampleCount, bar } = privacyCase;
  const words = [model, ...[batchSize, exampleCount, secondsOfRun * scale].map(String)];
  const runs: Record<Mode, ChildMeasurement[]> = { plain: [], clipped: [], drawn: [] };
  for (let turn = 1; turn <= runCount; turn += 1) {
    say(`  turn ${turn} of ${runCount}`);
    for (const mode of Object.keys(modes) as Mode[])
      runs[mode].push(
        await measureChild(await bundledProgram(modes[mode], 'private-child', [...words, mode])),
      );
  }
  const [plain, clipped, drawn] = [medianOf(runs.plain), medianOf(runs.clipped), medianOf(runs.drawn)];
  const clipping = plain.rate / clipped.rate;
  const noise = clipped.rate / drawn.rate - 1;
  return {
    name,
    title,
    unit: 'steps',
    description: `Float32, plain descent, lots of ${batchSize} on average; medians of ${runCount} runs of ${secondsOfRun} s in turns.`,
    ours: [plain, clipped, drawn],
    peers: [],
    targets: [
      {
        text: `lots and clipping at most ${bar} times a step without privacy (${clipping.toFixed(2)})`,
        isMet: clipping <= bar,
      },
      {
        text: `noise adds at most 10 % to that (${(100 * noise).toFixed(0)} %)`,
        isMet: noise <= 0.1,
      },
    ],
    notes: [
      'The place that a lot has is three deviations larger than its mean, so that it is one run nearly always: what fills it up is computed too.',
    ],
  };
}

function medianOf(runs: readonly ChildMeasurement[]): ChildMeasurement {
  const sorted = runs.toSorted((left, right) => left.rate - right.rate);
  return sorted[Math.floor(sorted.length / 2)] as ChildMeasurement;
}

export const privacyBenchCases: readonly BenchCase[] = privacyCases.map((one) => ({
  name: one.name,
  run: (context) => measure(one, context),
}));

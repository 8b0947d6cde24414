// Takes the same steps as a graph, once more as a graph, and eagerly, and compares the weights; or takes many steps and watches memory.
// Run by the bench as a process of its own: parity-child.ts MODEL BATCH-SIZE STEP-COUNT parity|memory
import { loadEngine } from '#site/training/engine.ts';
import type { BenchModelName } from './bench-models.ts';
import { chooseThreads, startBenchRun } from './bench-run.ts';

/** The last line that the process writes, as JSON. */
export interface ParityReport {
  /** Largest absolute difference of a weight between graph and eager steps. */
  readonly largestDifference: number;
  /** Whether two runs as a graph end in the same bytes. */
  readonly isRepeatable: boolean;
}

export interface MemoryReport {
  /** Tensors on the engine, and 10^6 bytes of resident memory: after a tenth of the steps, and at the end. */
  readonly tensors: readonly [number, number];
  readonly residentMegabytes: readonly [number, number];
}

const [model, batch, steps, mode] = process.argv.slice(2);
const name = model as BenchModelName;
chooseThreads(name);
const { tf } = await loadEngine(undefined);
const batchSize = Number(batch);
const stepCount = Number(steps);
// Not a whole number of batches: the last one of an epoch is filled up.
const options = { name, batchSize, exampleCount: 4 * batchSize + 3 };
process.stdout.write(`${JSON.stringify(mode === 'parity' ? await compare() : await watch())}\n`);

async function compare(): Promise<ParityReport> {
  const once = await train('graph');
  const again = await train('graph');
  const eager = await train('eager');
  const differences = once.map((value, at) => Math.abs(value - (eager[at] ?? Number.NaN)));
  return {
    largestDifference: differences.reduce((largest, value) => Math.max(largest, value), 0),
    isRepeatable: once.every((value, at) => Object.is(value, again[at])),
  };
}

/** All weights after the steps. */
async function train(execution: 'graph' | 'eager'): Promise<number[]> {
  const run = startBenchRun(tf, { ...options, execution });
  for (let done = 0; done < stepCount; done += run.runner.stepsPerRun) await run.advance();
  const weights = run.model.variables.flatMap((variable) => [...variable.dataSync()]);
  run.dispose();
  return weights;
}

async function watch(): Promise<MemoryReport> {
  const run = startBenchRun(tf, { ...options, execution: 'graph' });
  const look = () => [tf.memory().numTensors, process.memoryUsage.rss() / 1e6] as const;
  let early: readonly [number, number] | undefined;
  for (let done = 0; done < stepCount; done += run.runner.stepsPerRun) {
    await run.advance();
    if (done >= stepCount / 10) early ??= look();
  }
  const [tensors, megabytes] = look();
  return {
    tensors: [early?.[0] ?? Number.NaN, tensors],
    residentMegabytes: [early?.[1] ?? Number.NaN, megabytes],
  };
}

// The thread of a fuzz run: tries inputs in order and says of each what became of it.
import { parentPort, workerData } from 'node:worker_threads';
import type { FuzzMessage, FuzzTarget } from './fuzz-run.ts';

const { target, seed, from, end } = workerData as { target: string; seed: string; from: number; end: number };
const { attempt }: FuzzTarget = await import(target);
const say = (message: FuzzMessage): void => parentPort?.postMessage(message);

for (let index = from; index < end; index += 1) {
  say({ kind: 'begun', index });
  try {
    say({ kind: 'done', index, outcome: await attempt(seed, index) });
  } catch (error) {
    say({
      kind: 'failed',
      index,
      what: error instanceof Error ? (error.stack ?? String(error)) : String(error),
    });
  }
}
say({ kind: 'finished' });

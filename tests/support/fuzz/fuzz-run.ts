// Fuzzing: a target is tried on numbered inputs, the same for the same seed, in a thread of its own. What counts as a failure: an
// error that is no named refusal, an input that takes over five seconds, a thread that dies, memory over the limit.
import { Worker } from 'node:worker_threads';

/** A module that a fuzz run tries: `attempt` says what became of an input, by name, and throws only where that is a fault of ours. */
export interface FuzzTarget {
  attempt(seed: string, index: number): Promise<string>;
}

export interface FuzzRequest {
  /** The target's module. */
  readonly target: URL;
  readonly seed: string;
  readonly from: number;
  readonly count: number;
  readonly timeoutMs?: number;
}

export interface FuzzReport {
  /** How often each outcome came. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly failures: readonly { readonly index: number; readonly what: string }[];
  readonly slowestMs: number;
  readonly slowestIndex: number;
  /** Highest resident memory of the process, in MiB. */
  readonly peakMiB: number;
}

export type FuzzMessage =
  | { readonly kind: 'begun'; readonly index: number }
  | { readonly kind: 'done'; readonly index: number; readonly outcome: string }
  | { readonly kind: 'failed'; readonly index: number; readonly what: string }
  | { readonly kind: 'finished' };

/** Tries every input; a thread that hangs or dies is replaced and the run goes on behind the input it was at. */
export async function runFuzz({
  target,
  seed,
  from,
  count,
  timeoutMs = 5_000,
}: FuzzRequest): Promise<FuzzReport> {
  const outcomes: Record<string, number> = {};
  const failures: { index: number; what: string }[] = [];
  const memory = watchMemory();
  const slowest = { ms: 0, index: -1 };
  const end = from + count;
  let next = from;
  while (next < end) {
    next = await runThread(
      { target: target.href, seed, from: next, end, timeoutMs },
      (message, elapsedMs) => {
        if (message.kind === 'failed') failures.push({ index: message.index, what: message.what });
        if (message.kind === 'done') outcomes[message.outcome] = (outcomes[message.outcome] ?? 0) + 1;
        if (message.kind !== 'finished' && elapsedMs > slowest.ms)
          Object.assign(slowest, { ms: elapsedMs, index: message.index });
      },
    );
  }
  return {
    outcomes,
    failures,
    slowestMs: Math.round(slowest.ms),
    slowestIndex: slowest.index,
    peakMiB: memory.stop(),
  };
}

interface ThreadWork {
  readonly target: string;
  readonly seed: string;
  readonly from: number;
  readonly end: number;
  readonly timeoutMs: number;
}

/** One thread until it has finished or is lost; gives the input to go on with. */
function runThread(
  work: ThreadWork,
  report: (message: FuzzMessage, elapsedMs: number) => void,
): Promise<number> {
  return new Promise((resolve) => {
    const thread = new Worker(new URL('./fuzz-thread.ts', import.meta.url), {
      workerData: work,
      resourceLimits: { maxOldGenerationSizeMb: 512, stackSizeMb: 4 },
      stdout: true,
    });
    thread.stdout.resume();
    let current = work.from;
    let begunAt = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const lose = (what: string): void => {
      clearTimeout(timer);
      thread.removeAllListeners();
      thread.on('error', () => undefined);
      void thread.terminate();
      report({ kind: 'failed', index: current, what }, performance.now() - begunAt);
      resolve(current + 1);
    };
    thread.on('message', (message: FuzzMessage) => {
      clearTimeout(timer);
      if (message.kind === 'finished') {
        thread.removeAllListeners();
        void thread.terminate();
        resolve(work.end);
        return;
      }
      if (message.kind === 'begun') {
        current = message.index;
        begunAt = performance.now();
        timer = setTimeout(() => lose(`took over ${work.timeoutMs} ms`), work.timeoutMs);
        return;
      }
      report(message, performance.now() - begunAt);
    });
    thread.on('error', (error) => lose(`the thread died: ${String(error)}`));
    thread.on('exit', (code) => lose(`the thread ended with ${code}`));
  });
}

function watchMemory(): { stop: () => number } {
  let peak = process.memoryUsage.rss();
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 50);
  timer.unref();
  return {
    stop: () => {
      clearInterval(timer);
      return Math.round(Math.max(peak, process.memoryUsage.rss()) / 1_048_576);
    },
  };
}

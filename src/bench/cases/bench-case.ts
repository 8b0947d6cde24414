// What a case of a bench is: one thing measured beside peers, on data that it makes itself, in processes of its own.
import type { LineChart } from '../report/index.ts';

/** One run of one program. */
export interface Measurement {
  readonly label: string;
  /** In the unit of the case, for each second. */
  readonly rate: number;
  readonly seconds: number;
  /** Of all threads; what an idle machine would need at least, divided by its cores. */
  readonly cpuSeconds: number | null;
  /** Largest resident memory of the process, in 10^6 bytes. */
  readonly peakMegabytes: number | null;
  /** Rate of the last tenth by that of the first one, where the run says how it went on. */
  readonly endRatio: number | null;
}

export interface Target {
  /** In words, as the claim in the documents has it. */
  readonly text: string;
  readonly isMet: boolean;
}

export interface CaseResult {
  readonly name: string;
  readonly title: string;
  /** What is counted for each second: MB, rows, files. */
  readonly unit: string;
  /** What was measured, and on how much. */
  readonly description: string;
  readonly ours: readonly Measurement[];
  readonly peers: readonly Measurement[];
  readonly targets: readonly Target[];
  /** What stands in the way, what was left out and why. */
  readonly notes: readonly string[];
  readonly charts?: readonly LineChart[];
}

export interface BenchContext {
  /** An empty folder that is removed afterwards. */
  readonly scratch: string;
  /** Real data, where a case can use some. */
  readonly dataDirectory: string | null;
  /** A Python to run peers with; undefined for the one of the path. */
  readonly python?: string | undefined;
  /** Multiplies the sizes of the generated data. */
  readonly scale: number;
  readonly say: (message: string) => void;
}

export interface BenchCase {
  /** As `--only` names it. */
  readonly name: string;
  run(context: BenchContext): Promise<CaseResult>;
}

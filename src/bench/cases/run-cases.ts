// Runs the cases of a bench one after the other: nothing else of it may load the machine meanwhile.
import { mkdtempSync, rmSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import path from 'node:path';
import type { BenchCase, BenchContext, CaseResult } from './bench-case.ts';

export interface BenchResult {
  readonly machine: {
    readonly processor: string;
    readonly cores: number;
    readonly memoryGigabytes: number;
    readonly node: string;
  };
  readonly scale: number;
  readonly startedAt: string;
  readonly cases: readonly CaseResult[];
}

export async function runCases(
  cases: readonly BenchCase[],
  options: Omit<BenchContext, 'scratch'>,
): Promise<BenchResult> {
  const startedAt = new Date().toISOString();
  const results: CaseResult[] = [];
  for (const benchCase of cases) {
    options.say(`${benchCase.name} ...`);
    const scratch = mkdtempSync(path.join(tmpdir(), 'consilium-bench-'));
    try {
      results.push(await benchCase.run({ ...options, scratch }));
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }
  const processors = os.cpus();
  const machine = {
    processor: processors[0]?.model.trim() ?? '',
    cores: os.availableParallelism(),
    memoryGigabytes: Math.round(os.totalmem() / 1e9),
    node: process.version,
  };
  return { machine, scale: options.scale, startedAt, cases: results };
}

// 10,000 mutated DICOM files: no crash, no hang, memory under the limit, each refusal named (security.md X10).
import { describe, it } from 'vitest';
import { checkFuzz, fuzzTargets } from '#support/fuzz/fuzz-check.ts';

const seed = process.env.CONSILIUM_SOAK_SEED ?? 'soak-1';

describe('10,000 mutated DICOM files', () => {
  it('made here are read or refused by name', async () => {
    await checkFuzz({ target: fuzzTargets.dicom, seed, from: 0, count: 10_000 });
  });

  const data = process.env.CONSILIUM_DATA;
  if (data === undefined) process.stdout.write('public samples not mutated: CONSILIUM_DATA is not set\n');
  it.runIf(data !== undefined)('of the public samples are read or refused by name', async () => {
    await checkFuzz({ target: fuzzTargets.dicom, seed: `public-${seed}`, from: 0, count: 10_000 });
  });
});

// 5,000 mutated FHIR, CSV, OMOP, C-CDA and HL7 v2 files: no crash, no hang, memory under the limit, each refusal named (X11).
import { describe, it } from 'vitest';
import { checkFuzz, fuzzTargets } from '#support/fuzz/fuzz-check.ts';

const seed = process.env.CONSILIUM_SOAK_SEED ?? 'soak-1';

describe('5,000 mutated EHR exports', () => {
  it('are read or refused by name', async () => {
    await checkFuzz({ target: fuzzTargets.records, seed, from: 0, count: 5_000 });
  });
});

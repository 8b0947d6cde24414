// 3,000 mutated files of every format through the whole import (security.md X10, X11, I7).
import { describe, it } from 'vitest';
import { checkFuzzedImport } from '#support/fuzz/fuzzed-import.ts';

const seed = process.env.CONSILIUM_SOAK_SEED ?? 'soak-1';

describe('an import of 3,000 mutated files', () => {
  // A summary lists up to 1,000 files, so four imports.
  it.each([1, 2, 3, 4])(
    'takes in whole ones, names what it refuses, and its totals add up: part %i',
    async (part) => {
      await checkFuzzedImport({ seed: `${seed}-${part}`, dicomCount: 500, recordCount: 250 });
    },
  );
});

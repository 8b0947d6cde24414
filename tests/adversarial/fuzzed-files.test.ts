// A fixed sample of the fuzz runs of `npm run soak` (security.md X10, X11). An input that fails a long run is added here by its seed and
// number before it is mended.
import { describe, expect, it } from 'vitest';
import { checkFuzz, fuzzTargets } from '#support/fuzz/fuzz-check.ts';
import { checkFuzzedImport } from '#support/fuzz/fuzzed-import.ts';

describe('mutated DICOM files', () => {
  it('are read or refused by name, 600 of them', async () => {
    const { outcomes } = await checkFuzz({ target: fuzzTargets.dicom, seed: 'sample', from: 0, count: 600 });
    // The mutations reach every layer: the parser, the description of the image, the decoders.
    for (const reached of ['TRUNCATED', 'DICOM_BAD_VALUE', 'DICOM_DECODER_FAILED', 'read, with pixels']) {
      expect(outcomes[reached]).toBeGreaterThan(5);
    }
  });
});

describe('mutated EHR exports', () => {
  it('are read or refused by name, 600 of them', async () => {
    const { outcomes } = await checkFuzz({
      target: fuzzTargets.records,
      seed: 'sample',
      from: 0,
      count: 600,
    });
    expect(outcomes.read).toBeGreaterThan(100);
    expect(outcomes.TRUNCATED).toBeGreaterThan(5);
  });
});

describe('an import of mutated files', () => {
  it('takes in whole ones, names what it refuses, and its totals add up', async () => {
    const outcomes = await checkFuzzedImport({ seed: 'sample', dicomCount: 120, recordCount: 80 });
    expect(outcomes.accepted).toBeGreaterThan(5);
    expect(outcomes['rejected TRUNCATED']).toBeGreaterThan(5);
  });
});

import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { deidentifyInPool } from './deidentify-pool.ts';

const entry = new URL('../../../../tests/support/stuck-deidentify-worker.mjs', import.meta.url);
const start = {
  key: new Uint8Array(32),
  outFolder: '',
  options: [],
  safePrivate: [],
  writesSuspected: false,
};

describe('threads that de-identify', () => {
  it('are replaced when one hangs or dies: its file is refused by name, every other one is done once', async () => {
    expect(fileURLToPath(entry)).toContain('stuck');
    const paths = Array.from({ length: 100 }, (_, index) => `file-${index}`);
    paths[7] = 'hangs';
    paths[40] = 'dies';
    paths[41] = 'dies';
    const files = paths.map((path, index) => ({ index, path, isGiven: false }));
    const found = new Map<number, string>();
    let count = 0;
    for await (const { index, result } of deidentifyInPool(files, {
      start,
      workerCount: 2,
      fileTimeoutMs: 700,
      entry,
    })) {
      count += 1;
      found.set(index, 'code' in result ? result.code : result.outcome);
    }
    expect(count).toBe(100);
    expect(found.get(7)).toBe('DICOM_TIMEOUT');
    expect([found.get(40), found.get(41)]).toEqual(['DICOM_PROCESSING_FAILED', 'DICOM_PROCESSING_FAILED']);
    expect([...found.values()].filter((outcome) => outcome === 'written')).toHaveLength(97);
  });

  it('that die have what they said before counted, once, and only the file that killed them is refused', async () => {
    const paths = Array.from({ length: 300 }, (_, index) => (index % 10 === 9 ? 'dies' : `file-${index}`));
    const files = paths.map((path, index) => ({ index, path, isGiven: false }));
    const outcomes = new Map<number, string[]>();
    for await (const { index, result } of deidentifyInPool(files, { start, workerCount: 2, entry }))
      outcomes.set(index, [...(outcomes.get(index) ?? []), result.outcome]);
    const expected = paths.map((path, index) => [index, [path === 'dies' ? 'rejected' : 'written']]);
    expect([...outcomes].sort(([left], [right]) => left - right)).toEqual(expected);
  });

  it('are none for no file', async () => {
    const first = await deidentifyInPool([], { start, workerCount: 2, entry }).next();
    expect(first).toEqual({ done: true, value: undefined });
  });
});

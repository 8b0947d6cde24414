import { describe, expect, it } from 'vitest';
import { createPaceMeter } from './import-pace.ts';

const offered = { bytes: 10_000_000, files: 10 };

describe('the pace of an import', () => {
  it('is told per second, and what remains from what is done', () => {
    const meter = createPaceMeter(offered, 1_000);
    const pace = meter.measure({ rows: 4_000, bytes: 2_000_000, files: 2 }, 3_000);
    expect(pace).toEqual({
      rowsPerSecond: 2_000,
      bytesPerSecond: 1_000_000,
      filesPerSecond: 1,
      remainingMs: 8_000,
      elapsedMs: 2_000,
    });
  });

  it('forgets what was more than some seconds ago', () => {
    const meter = createPaceMeter(offered, 0);
    for (let atMs = 100; atMs <= 5_000; atMs += 100) meter.measure({ rows: 0, bytes: atMs, files: 0 }, atMs);
    for (let atMs = 5_100; atMs <= 20_000; atMs += 100)
      meter.measure({ rows: atMs, bytes: 5_000, files: 1 }, atMs);
    const pace = meter.measure({ rows: 21_000, bytes: 5_000, files: 1 }, 21_000);
    expect(pace.bytesPerSecond).toBe(0);
    expect(pace.filesPerSecond).toBe(0);
    expect(Math.round(pace.rowsPerSecond)).toBe(1_000);
  });

  it('says nothing about what remains in the first moment, or before anything was done', () => {
    const meter = createPaceMeter(offered, 0);
    expect(meter.measure({ rows: 1, bytes: 100, files: 0 }, 900).remainingMs).toBeNull();
    expect(
      createPaceMeter(offered, 0).measure({ rows: 0, bytes: 0, files: 0 }, 9_000).remainingMs,
    ).toBeNull();
  });

  it('counts files where all of them are empty', () => {
    const meter = createPaceMeter({ bytes: 0, files: 4 }, 0);
    expect(meter.measure({ rows: 0, bytes: 0, files: 1 }, 2_000).remainingMs).toBe(6_000);
  });
});

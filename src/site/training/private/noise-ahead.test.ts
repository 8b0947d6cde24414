import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { STEPS_PER_NORM } from '#federation/privacy/gaussian-noise.ts';
import { startNoise } from '#site/training/private/noise-ahead.ts';

const count = 500;
const noiseMultiplier = 2;

describe('noise made ahead', () => {
  it('is never given twice, lies on the grid and has the deviation of what it is for', async () => {
    const ahead = startNoise(count, noiseMultiplier);
    const drawn: Float64Array[] = [];
    // More than the thread keeps ready, at times faster than it makes them and at times slower.
    for (let step = 0; step < 60; step += 1) {
      if (step % 20 === 0) await wait(200);
      drawn.push(ahead.draw(count, noiseMultiplier));
    }
    await ahead.close();
    const values = drawn.flatMap((noise) => [...noise]);
    expect(values.every(Number.isSafeInteger)).toBe(true);
    // Of 30,000 draws from some 10^7 values in reach a few meet, and none in order: no two steps have a run of values in common.
    const starts = new Set(drawn.map((noise) => noise.slice(0, 4).join()));
    expect(starts.size).toBe(60);
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
    expect(Math.abs(deviation / (noiseMultiplier * STEPS_PER_NORM) - 1)).toBeLessThan(0.02);
  });

  it('is drawn at once where it is for another setting, or none is ready', async () => {
    const ahead = startNoise(count, noiseMultiplier);
    expect(ahead.draw(3, noiseMultiplier)).toHaveLength(3);
    expect(ahead.draw(count, noiseMultiplier).some((value) => value !== 0)).toBe(true);
    await ahead.close();
    expect(ahead.draw(count, noiseMultiplier).some((value) => value !== 0)).toBe(true);
  });
});

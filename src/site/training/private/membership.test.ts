// What DP-SGD is for: who looks at the model's losses does not find out who was in the data. Twenty seeds are in tests/soak.
import { describe, expect, it } from 'vitest';
import { loadEngine } from '#site/training/engine.ts';
import { type AttackFigures, attackTraining } from '#support/membership-attack.ts';

const { tf } = await loadEngine(undefined);
const seeds = [1, 2, 3];

async function meanArea(noiseMultiplier: number | null): Promise<number> {
  const privacy =
    noiseMultiplier === null ? undefined : { clippingNorm: 1, noiseMultiplier, samplingRate: 0.1 };
  const figures: AttackFigures[] = [];
  for (const seed of seeds) figures.push(await attackTraining(tf, privacy, seed));
  return figures.reduce((sum, { areaUnderCurve }) => sum + areaUnderCurve, 0) / seeds.length;
}

describe('a loss-threshold attack on 200 patients of 400 features', () => {
  it('succeeds without differential privacy', async () => {
    expect(await meanArea(null)).toBeGreaterThanOrEqual(0.8);
  });

  it('succeeds far less at epsilon 8, and next to never at epsilon 0.86', async () => {
    expect(await meanArea(0.844)).toBeLessThanOrEqual(0.75);
    expect(await meanArea(3.5)).toBeLessThanOrEqual(0.6);
  });
});

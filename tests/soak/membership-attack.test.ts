// Who was in the training data, asked of models with and without differential privacy: 20 seeds, some seconds, no disk.
import { describe, expect, it } from 'vitest';
import { rdpEpsilon } from '#federation/privacy/rdp-accountant.ts';
import { loadEngine } from '#site/training/engine.ts';
import { type AttackFigures, attackTraining } from '#support/membership-attack.ts';

const { tf } = await loadEngine(undefined);
const seeds = Array.from({ length: 20 }, (_, at) => at + 1);
const delta = 1e-3;

function spread(values: readonly number[]): { readonly mean: number; readonly deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

async function attack(noiseMultiplier: number | null) {
  const privacy =
    noiseMultiplier === null ? undefined : { clippingNorm: 1, noiseMultiplier, samplingRate: 0.1 };
  const figures: AttackFigures[] = [];
  for (const seed of seeds) figures.push(await attackTraining(tf, privacy, seed));
  const area = spread(figures.map(({ areaUnderCurve }) => areaUnderCurve));
  const found = spread(figures.map(({ foundAtOnePercent }) => foundAtOnePercent));
  process.stderr.write(
    `noise ${noiseMultiplier}: area ${area.mean.toFixed(3)} ± ${area.deviation.toFixed(3)}, found ${found.mean.toFixed(3)}\n`,
  );
  return { area, found };
}

describe('a loss-threshold attack on 200 patients of 400 features, 20 seeds', () => {
  it.each([
    [null, 0.8, 1],
    [0.844, 0.5, 0.75],
    [3.5, 0.5, 0.6],
  ])('has an area under its curve within its bounds at noise %s', async (noise, least, most) => {
    const { area } = await attack(noise);
    expect(area.mean).toBeGreaterThanOrEqual(least);
    expect(area.mean).toBeLessThanOrEqual(most);
  });

  it('finds no more members than epsilon and delta allow', async () => {
    const spend = { noiseMultiplier: 3.5, samplingRate: 0.1, steps: 100 };
    const { epsilon } = rdpEpsilon([spend], delta);
    expect(epsilon).toBeLessThan(0.87);
    const { found } = await attack(3.5);
    expect(found.mean).toBeLessThanOrEqual(Math.exp(epsilon) * 0.01 + delta + 3 * found.deviation);
  });
});

// Privacy accounting against two accountants of the field and a proven lower bound (privacy.json says whose).
import { describe, expect, it } from 'vitest';
import { calibrateNoise } from '#federation/privacy/calibrate-noise.ts';
import { pldEpsilon } from '#federation/privacy/pld-accountant.ts';
import { rdpEpsilon } from '#federation/privacy/rdp-accountant.ts';
import { renyiDivergence } from '#federation/privacy/renyi-divergence.ts';
import { refusalCode } from '#support/refusal-code.ts';
import vectors from './privacy.json' with { type: 'json' };

/** Half a unit of the seventh digit, to which the divergences are given. */
const ROUNDING = 5e-7;

const bounded = vectors.rows.flatMap(({ accept, ...row }) =>
  accept.notBelow === undefined ? [] : [{ ...row, ...accept }],
);
const exact = vectors.rows.flatMap(({ accept, ...row }) =>
  accept.exactly === undefined ? [] : [{ ...row, exactly: accept.exactly }],
);

describe('epsilon', () => {
  it('has all nineteen settings', () => {
    expect([bounded.length, exact.length]).toEqual([16, 3]);
  });

  it.each(bounded)('of $name by RDP is no promise too much and not needlessly loose', (row) => {
    const { epsilon } = rdpEpsilon(row.spends, row.delta);
    expect(epsilon).toBeGreaterThanOrEqual(row.notBelow);
    expect(epsilon).toBeLessThanOrEqual(row.rdpNotAbove);
  });

  it.each(bounded)('of $name by PLD is no promise too much and tight', (row) => {
    const epsilon = pldEpsilon(row.spends, row.delta);
    expect(epsilon).toBeGreaterThanOrEqual(row.notBelow);
    expect(epsilon).toBeLessThanOrEqual(row.pldNotAbove);
  });

  it.each(exact)('of $name is $exactly, or refused', ({ spends, delta, exactly }) => {
    for (const epsilon of [() => rdpEpsilon(spends, delta).epsilon, () => pldEpsilon(spends, delta)]) {
      if (exactly === 'Infinity') expect(refusalCode(epsilon)).toBe('NO_NOISE');
      else expect(epsilon()).toBe(exactly);
    }
  });
});

describe('the Rényi divergence of one step', () => {
  const divergences = vectors.renyi.flatMap(({ orders, exact: exactOnes, upper, ...setting }) =>
    orders.map((order, index) => ({
      ...setting,
      order,
      exact: exactOnes[index] ?? Number.NaN,
      upper: upper[index] ?? Number.NaN,
    })),
  );

  it.each(divergences)('at order $order, noise $noiseMultiplier and rate $samplingRate is exact', (row) => {
    const relative = renyiDivergence(row.order, row) / row.exact - 1;
    expect(Math.abs(relative)).toBeLessThan(1e-6);
    expect(renyiDivergence(row.order, row)).toBeGreaterThanOrEqual(row.exact * (1 - ROUNDING));
    expect(renyiDivergence(row.order, row)).toBeLessThanOrEqual(row.upper * (1 + ROUNDING));
  });
});

describe('the noise for a target', () => {
  it.each(vectors.calibrations)('epsilon $targetEpsilon at rate $samplingRate is that of RDP', (row) => {
    const noise = calibrateNoise({ ...row, accountant: 'rdp' });
    expect(Math.abs(noise / row.rdpNoiseMultiplier - 1)).toBeLessThan(0.01);
    expect(noise).toBeGreaterThanOrEqual(row.pldNoiseMultiplier);
    expect(rdpEpsilon([{ ...row, noiseMultiplier: noise }], row.delta).epsilon).toBeLessThanOrEqual(
      row.targetEpsilon,
    );
  });

  it.each(vectors.calibrations)('epsilon $targetEpsilon at rate $samplingRate is that of PLD', (row) => {
    const noise = calibrateNoise({ ...row, accountant: 'pld' });
    expect(Math.abs(noise / row.pldNoiseMultiplier - 1)).toBeLessThan(0.001);
  });
});

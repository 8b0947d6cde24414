import { describe, expect, it } from 'vitest';
import type { SiteStatistics } from '#federation/records/site-statistics.ts';
import { compareSites } from '#federation/statistics/compare-sites.ts';
import { poolStatistics } from '#federation/statistics/pool-statistics.ts';
import { releaseStatistics } from '#federation/statistics/release-statistics.ts';
import { statisticsLayout } from '#federation/statistics/statistics-layout.ts';
import { createTestPlan } from '#support/stored-subjects.ts';

const statistics = { minimumCell: 5, maximumCells: 8, histograms: [], noise: null };
/** age, sex, chol, exang, cp_2, cp_3. */
const layout = statisticsLayout({ ...createTestPlan(), statistics });
if (layout === undefined) throw new Error('a plan without statistics');

interface Changes {
  readonly rows?: number;
  readonly chol?: (value: number) => number;
  readonly exang?: (index: number) => number;
  readonly sex?: (index: number) => number;
  readonly missingCount?: number;
}

/** Cholesterol around 220 mg/dL with a quarter of the patients below 190; a third has angina. */
function site(siteId: string, changes: Changes = {}): SiteStatistics {
  const { rows = 120, chol = (value) => value, missingCount = 0 } = changes;
  const { exang = (index) => Number(index % 3 === 0), sex = (index) => Number(index % 5 > 1) } = changes;
  const values = Float64Array.from(
    Array.from({ length: rows }, (_, index) => {
      const pain = 1 + (index % 4);
      return [
        40 + (index % 30),
        sex(index),
        chol(160 + ((index * 37) % 125)),
        exang(index),
        Number(pain === 2),
        Number(pain === 3),
      ];
    }).flat(),
  );
  const missingCounts = [0, 0, missingCount, 0, 0, 0];
  const labels = Array.from({ length: rows }, (_, index) => index % 2);
  if (layout === undefined) throw new Error('a plan without statistics');
  return { siteId, ...releaseStatistics(layout, { values, count: rows, labels, missingCounts }) };
}

const compare = (...sites: SiteStatistics[]) => compareSites(layout, sites);

describe('the comparison of sites', () => {
  it('finds nothing where they differ as patients do', () => {
    const older = site('c', { chol: (value) => value * 1.15 + 5, rows: 60 });
    expect(compare(site('a'), site('b', { rows: 90 }), older)).toEqual([]);
    expect(compare(site('a'))).toEqual([]);
  });

  it.each<[string, (value: number) => number, string]>([
    ['mmol/L for mg/dL', (value) => value / 38.67, 'cholesterol in mmol/L and mg/dL'],
    ['a hundred times as much', (value) => value * 100, 'm and cm, fractions and percent'],
    ['a pound for a kilogram', (value) => value * 2.2046, 'kg and lb'],
    ['a thousandth', (value) => value / 1000, 'g and mg, kg and g'],
  ])('names the unit that a site may have meant: %s', (_, chol, conversion) => {
    expect(compare(site('a'), site('b'), site('c', { chol }))).toEqual([
      expect.objectContaining({ siteId: 'c', feature: 'chol', difference: 'other-unit', conversion }),
    ]);
  });

  it('says which median is elsewhere where no unit is known', () => {
    // Swiss cholesterol, which was recorded as 0.
    expect(compare(site('a'), site('b'), site('c', { chol: () => 0 }))).toEqual([
      {
        siteId: 'c',
        feature: 'chol',
        difference: 'other-location',
        found: 0,
        others: expect.closeTo(220, -1.5),
        conversion: null,
      },
    ]);
  });

  it.each<[string, Changes, object]>([
    [
      'a code that nobody uses',
      { exang: () => 0 },
      { feature: 'exang', difference: 'code-never-used', found: 0 },
    ],
    ['a code for everybody', { sex: () => 1 }, { feature: 'sex', difference: 'code-always-used', found: 1 }],
    ['values that are missing', { missingCount: 200 }, { feature: 'chol', difference: 'other-missingness' }],
  ])('finds %s', (_, changes, finding) => {
    expect(compare(site('a'), site('b'), site('c', changes))).toEqual([
      expect.objectContaining({ siteId: 'c', ...finding }),
    ]);
  });

  it('does not wonder at a code that nobody of few has', () => {
    expect(compare(site('a'), site('b'), site('c', { rows: 25, exang: () => 0 }))).toEqual([]);
  });
});

describe('pooled statistics', () => {
  it('say whose numbers they are without', () => {
    const few = site('b', { exang: (index) => Number(index < 2) });
    const { exampleCount, features, label } = poolStatistics(layout, [site('a'), few]);
    expect(exampleCount).toBe(240);
    expect(label).toEqual({ oneCount: 120, exampleCount: 240, withheldBy: [] });
    expect(features[3]).toEqual({
      name: 'exang',
      missingCount: 0,
      mean: 1 / 3,
      variance: expect.closeTo((1 / 3) * (2 / 3) * (120 / 119), 12),
      momentsWithheldBy: ['b'],
      counted: { oneCount: 40, exampleCount: 120, withheldBy: ['b'] },
      measured: null,
    });
    expect(features[2]?.measured?.quantiles.map(({ share }) => share)).toEqual([0.05, 0.25, 0.5, 0.75, 0.95]);
    expect(features[2]?.measured?.cells.reduce((sum, { count }) => sum + count, 0)).toBe(240);
  });
});

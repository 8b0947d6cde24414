// The statistics of the four heart hospitals, whole: what their processes release, a steward reads and the consortium publishes is
// what the rows in one place give, wherever nothing is withheld; and no small number follows from all that is published.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { heartFeatures, joinRows, loadHeartSplit, type RawRows } from '#bench/federation/heart-split.ts';
import { heartAssets } from '#bench/package-root.ts';
import type { PublishedStatistics } from '#consortium/consortium.ts';
import { poolSums, sumExactly } from '#federation/statistics/exact-sums.ts';
import { RELATIVE_ERROR } from '#federation/statistics/value-bins.ts';
import type { UpdateReview } from '#ipc/schema.ts';
import { researchStudyId, startTestFederation, type TestFederation } from '#support/test-federation.ts';

const siteIds = ['cleveland', 'hungary', 'long-beach', 'switzerland'];
const minimumCell = 5;
const hospitals = loadHeartSplit(heartAssets);

let federation: TestFederation;
let published: PublishedStatistics;
const reviews = new Map<string, UpdateReview>();

beforeAll(async () => {
  federation = await startTestFederation({
    siteIds,
    plan: {
      statistics: { minimumCell, maximumCells: 8, histograms: [], noise: null },
      rounds: ['statistics', 'training'],
    },
  });
  await federation.openRound();
  for (const siteId of siteIds) reviews.set(siteId, await federation.prepareUpdate(siteId));
  await federation.finishRound();
  const { processes } = federation;
  const { consortium } = federation.current();
  const study = ['--research-study', researchStudyId];
  const answer = await processes.run(['consortium', 'statistics', ...study, ...consortium]);
  published = (answer as { readonly statistics: PublishedStatistics }).statistics;
}, 300_000);

afterAll(async () => {
  await federation.stop();
  federation.remove();
});

function trainingOf(ids: readonly string[]): RawRows {
  return joinRows(hospitals.filter(({ siteId }) => ids.includes(siteId)).map(({ training }) => training));
}

function columnOf({ features, width, count }: RawRows, column: number): number[] {
  return Array.from({ length: count }, (_, row) => features[row * width + column] ?? Number.NaN);
}

const without = (withheldBy: readonly string[]) => siteIds.filter((siteId) => !withheldBy.includes(siteId));

describe('the statistics of four hospitals', () => {
  it('are those that every steward read before approving', () => {
    expect(published.sites.map(({ siteId }) => siteId)).toEqual(siteIds);
    for (const { siteId, ...released } of published.sites)
      expect(reviews.get(siteId)?.report.statistics).toMatchObject(released);
  });

  it('have exactly the mean and variance of the rows in one place', () => {
    const whole: string[] = [];
    for (const [column, { name, mean, variance, momentsWithheldBy }] of published.pooled.features.entries()) {
      const pooled = poolSums([sumExactly(columnOf(trainingOf(without(momentsWithheldBy)), column))]);
      expect([name, mean, variance]).toEqual([heartFeatures[column], pooled?.mean, pooled?.variance]);
      if (momentsWithheldBy.length === 0) whole.push(name);
    }
    // Those of which no hospital has to withhold anything; the others are those of the hospitals that release.
    expect(whole).toEqual(expect.arrayContaining(['age', 'chol', 'thalach', 'exang']));
  });

  it('have quantiles within what they state', () => {
    for (const [column, { measured }] of published.pooled.features.entries()) {
      if (measured === null) continue;
      const sorted = columnOf(trainingOf(without(measured.cellsWithheldBy)), column).sort((a, b) => a - b);
      for (const { share, estimate, lower, upper } of measured.quantiles) {
        const exact = sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
        expect(exact).toBeGreaterThanOrEqual(lower ?? Number.NEGATIVE_INFINITY);
        expect(exact).toBeLessThanOrEqual(upper ?? Number.POSITIVE_INFINITY);
        const isOneBin = lower !== null && upper !== null && lower > 0 && upper / lower < 1.021;
        if (isOneBin) expect(Math.abs((estimate ?? 0) - exact)).toBeLessThanOrEqual(RELATIVE_ERROR * exact);
      }
    }
  });

  it('have counts that are true, and the labels of all but the hospitals that withhold them', () => {
    for (const { siteId, labelCount, exampleCount, features } of published.sites) {
      const rows = trainingOf([siteId]);
      expect(exampleCount).toBe(rows.count);
      if (labelCount !== null) expect(labelCount).toBe(rows.labels.reduce((sum, label) => sum + label, 0));
      for (const [column, feature] of features.entries()) {
        if (feature.kind !== 'counted' || feature.oneCount === null) continue;
        expect(feature.oneCount).toBe(columnOf(rows, column).filter((value) => value === 1).length);
      }
    }
    expect(published.pooled.label).toMatchObject({ withheldBy: [] });
  });

  it('tell no number of fewer than five patients by any sum or difference of what is published', () => {
    const codes = [['cp_2', 'cp_3', 'cp_4'], ['restecg_1', 'restecg_2'], ['sex'], ['fbs'], ['exang']];
    for (const { siteId, exampleCount, labelCount, features } of published.sites) {
      const shown = new Map(
        features.map((feature) => [feature.name, feature.kind === 'counted' ? feature.oneCount : null]),
      );
      const tables = [
        [labelCount],
        ...codes.map((group) => group.map((name) => shown.get(name) ?? null)),
        ...features.map((feature) =>
          feature.kind === 'measured' ? feature.cells.map(({ count }) => count) : [],
        ),
      ];
      for (const table of tables) {
        const counts = table.filter((count) => count !== null);
        for (const total of sumsOfSubsets(counts))
          for (const count of [total, exampleCount - total])
            expect(count === 0 || count >= minimumCell, `${siteId} ${count}`).toBe(true);
      }
      // What the rows have and the site did not say: every small count, and what would give it away.
      for (const [column, name] of heartFeatures.entries()) {
        const ones = columnOf(trainingOf([siteId]), column).filter((value) => value === 1).length;
        const isSmall = [ones, exampleCount - ones].some((count) => count > 0 && count < minimumCell);
        if (features[column]?.kind === 'counted' && isSmall) expect(shown.get(name)).toBeNull();
      }
    }
  });

  it('name what a person should look at: cholesterol that one hospital recorded as 0', () => {
    expect(published.comparison).toContainEqual(
      expect.objectContaining({
        siteId: 'switzerland',
        feature: 'chol',
        difference: 'other-location',
        found: 0,
      }),
    );
    expect(published.comparison.filter(({ difference }) => difference === 'other-unit')).toEqual([]);
  });

  it('normalise the next round at every hospital', async () => {
    await federation.playRound();
    const { models } = await federation.status();
    expect(models.map(({ kind }) => kind)).toEqual(['initial', 'statistics', 'training']);
  }, 120_000);
});

function sumsOfSubsets(counts: readonly number[]): Set<number> {
  let sums = [0];
  for (const count of counts) sums = [...sums, ...sums.map((sum) => sum + count)];
  return new Set(sums);
}

import { describe, expect, it } from 'vitest';
import { aggregateRound } from '#federation/aggregation/aggregate-round.ts';
import type { SiteStatistics } from '#federation/records/site-statistics.ts';
import { releaseStatistics } from '#federation/statistics/release-statistics.ts';
import { requireStatisticsLayout } from '#federation/statistics/statistics-layout.ts';
import { encodeStatistics } from '#federation/statistics/statistics-tensors.ts';
import { createInitialWeights } from '#federation/tensors/initial-weights.ts';
import { encodeSafetensors } from '#federation/tensors/safetensors.ts';
import { samplePlan } from '#support/sample-plan.ts';
import { checkPublishedStatistics } from './published-statistics-check.ts';

/** chol and exang. */
const plan = samplePlan;
const layout = requireStatisticsLayout(plan);

function payloadOf(count: number) {
  const values = Float64Array.from(
    Array.from({ length: count }, (_, row) => [150 + ((row * 37) % 125), row % 2]).flat(),
  );
  const labels = Array.from({ length: count }, (_, row) => row % 2);
  return encodeStatistics(
    layout,
    releaseStatistics(layout, { values, count, labels, missingCounts: [0, 0] }),
  );
}

const sent = { cleveland: payloadOf(40), hungary: payloadOf(60) };
const updates = [
  { siteId: 'cleveland', exampleCount: 40, payload: sent.cleveland },
  { siteId: 'hungary', exampleCount: 60, payload: sent.hungary },
];
const { tensors, statistics = [] } = aggregateRound({
  kind: 'statistics',
  base: createInitialWeights(plan.model),
  plan,
  updates,
});
const included = updates.map(({ siteId, exampleCount }) => ({
  siteId,
  exampleCount,
  weight: exampleCount / 100,
  updateDigest: 'a'.repeat(64),
}));
const model = { kind: 'statistics' as const, included, statistics };
const own = { plan, siteId: 'cleveland', ownPayload: encodeSafetensors(sent.cleveland) };

const withOne = (changes: (site: SiteStatistics) => SiteStatistics) => ({
  ...model,
  statistics: statistics.map((site) => (site.siteId === 'cleveland' ? changes(site) : site)),
});

describe('published statistics', () => {
  it('are taken where they are what was sent', () => {
    expect(() => checkPublishedStatistics(model, tensors, own)).not.toThrow();
    expect(() =>
      checkPublishedStatistics({ ...model, kind: 'training', statistics: undefined }, tensors, own),
    ).not.toThrow();
    // A site that sent nothing, or whose bytes were erased since, checks the rest.
    expect(() => checkPublishedStatistics(model, tensors, { ...own, ownPayload: undefined })).not.toThrow();
  });

  it.each<[string, Parameters<typeof checkPublishedStatistics>[0], string]>([
    [
      'a count of this site that it did not send',
      withOne((site) => ({ ...site, labelCount: 5 })),
      'INCLUSION_MISMATCH',
    ],
    [
      'other sites than the model is made from',
      { ...model, statistics: statistics.slice(1) },
      'INCLUSION_MISMATCH',
    ],
    ['none where the plan asks for them', { ...model, statistics: undefined }, 'INCLUSION_MISMATCH'],
    ['some in a round that has none', { ...model, kind: 'training' }, 'INCLUSION_MISMATCH'],
  ])('are refused with %s', (_, published, code) => {
    expect(() => checkPublishedStatistics(published, tensors, own)).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it('are refused beside a normalisation that is not made of them', () => {
    const others = new Map([
      ...tensors,
      ['normalisation/mean', { shape: [2], data: Float64Array.of(1, 1) }],
    ] as const);
    expect(() => checkPublishedStatistics(model, others, own)).toThrow(
      expect.objectContaining({ code: 'WRONG_MODEL_DIGEST' }),
    );
  });
});

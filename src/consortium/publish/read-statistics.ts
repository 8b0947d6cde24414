// The statistics of a research study as published: what each site released, all of them together, and how the sites differ.
import type { SignedTrust } from '#consortium/enrolment/index.ts';
import type { ConsortiumStore, GlobalModelRow } from '#consortium/store/index.ts';
import { globalModelRecord } from '#federation/records/global-model.ts';
import { verifyRecord } from '#federation/records/record.ts';
import type { SiteStatistics } from '#federation/records/site-statistics.ts';
import { type ComparisonFinding, compareSites } from '#federation/statistics/compare-sites.ts';
import { type PooledStatistics, poolStatistics } from '#federation/statistics/pool-statistics.ts';
import { statisticsLayout } from '#federation/statistics/statistics-layout.ts';
import { findPlan } from './plan-register.ts';

export interface PublishedStatistics {
  readonly researchStudyId: string;
  readonly round: number;
  /** By site id. */
  readonly sites: readonly SiteStatistics[];
  readonly pooled: PooledStatistics;
  readonly comparison: readonly ComparisonFinding[];
}

/** Undefined where the plan asks for none, or its statistics round is not closed. */
export function readStatistics(
  store: ConsortiumStore,
  trust: SignedTrust,
  researchStudyId: string,
): PublishedStatistics | undefined {
  const published = findPlan(store, trust, researchStudyId);
  const layout = published === undefined ? undefined : statisticsLayout(published.plan);
  const models = store.query
    .selectFrom('model_in_force')
    .selectAll()
    .where('research_study_id', '=', researchStudyId);
  // A plan with statistics has one such round, the first.
  const model = store.get(models.where('round', '=', 1));
  const sites = model === undefined ? undefined : releasedIn(model, trust);
  if (layout === undefined || sites === undefined) return undefined;
  return {
    researchStudyId,
    round: 1,
    sites,
    pooled: poolStatistics(layout, sites),
    comparison: compareSites(layout, sites),
  };
}

function releasedIn(model: GlobalModelRow, trust: SignedTrust): SiteStatistics[] | undefined {
  const atMs = Date.parse(model.published_at);
  return verifyRecord(globalModelRecord, model.envelope, { trust: trust.keys, atMs }).predicate.statistics;
}

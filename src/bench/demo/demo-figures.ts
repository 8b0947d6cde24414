// The accuracies that the demo shows, at 0.5 on test rows: each hospital's own and all of them together.
import { demoHospitals } from './demo-hospitals.ts';
import type { DemoReferences } from './demo-references.ts';
import type { DemoRounds } from './demo-rounds.ts';

export interface DemoSiteFigures {
  readonly siteId: string;
  readonly name: string;
  readonly testRows: number;
  /** No model: always the class that is more frequent in the hospital's training rows. */
  readonly majority: number;
  readonly local: number;
  readonly federated: number;
  readonly pooled: number;
}

/** The table that the demo prints: accuracy at 0.5 on test rows. */
export interface DemoFigures {
  readonly sites: readonly DemoSiteFigures[];
  readonly testRows: number;
  readonly majorityPooledTest: number;
  readonly federatedPooledTest: number;
  readonly pooledPooledTest: number;
  readonly localPooledTest: Readonly<Record<string, number>>;
}

export function demoFigures({
  rounds,
  references,
}: {
  readonly rounds: DemoRounds;
  readonly references: DemoReferences;
}): DemoFigures {
  const sites = demoHospitals.map(({ siteId, name }) => ({
    siteId,
    name,
    testRows: references.testRowCount.get(siteId) ?? 0,
    majority: references.majority.bySite[siteId] ?? Number.NaN,
    local: references.local.get(siteId)?.bySite[siteId] ?? Number.NaN,
    federated: rounds.evaluations.get(siteId)?.accuracy ?? Number.NaN,
    pooled: references.pooled.bySite[siteId] ?? Number.NaN,
  }));
  const evaluations = [...rounds.evaluations.values()];
  const testRows = evaluations.reduce((total, { exampleCount }) => total + exampleCount, 0);
  return {
    sites,
    testRows,
    majorityPooledTest: references.majority.pooledTest,
    federatedPooledTest: evaluations.reduce((total, { correctCount }) => total + correctCount, 0) / testRows,
    pooledPooledTest: references.pooled.pooledTest,
    localPooledTest: Object.fromEntries(
      [...references.local].map(([siteId, { pooledTest }]) => [siteId, pooledTest]),
    ),
  };
}

// What the federation is compared with: each hospital alone, and all rows in one place. The second is possible in a demo only.
import { scoreMajorityClass } from '#bench/federation/baseline.ts';
import { loadHeartSplit } from '#bench/federation/heart-split.ts';
import { runLocalTraining, runPooledTraining } from '#bench/federation/reference-methods.ts';
import type { Score } from '#bench/federation/score.ts';
import { heartAssets } from '#bench/package-root.ts';
import type { EngineInfo } from '#site/site.ts';
import { createTrainingHost, openForkedChannel } from '#site/site.ts';

export interface DemoReferences {
  readonly engine: EngineInfo;
  readonly pooled: Score;
  /** By site id. */
  readonly local: ReadonlyMap<string, Score>;
  /** No model at all: always the class that is more frequent in training rows. */
  readonly majority: Score;
  /** Test rows, by site id. */
  readonly testRowCount: ReadonlyMap<string, number>;
}

/** Trains the references from the data that ships with the research study, in a training process of their own. */
export async function runReferences(): Promise<DemoReferences> {
  const host = createTrainingHost({ openChannel: openForkedChannel });
  try {
    const hospitals = loadHeartSplit(heartAssets);
    const run = { host, hospitals, seed: 42 };
    const local = new Map<string, Score>();
    for (const hospital of hospitals) local.set(hospital.siteId, await runLocalTraining(run, hospital));
    return {
      engine: await host.engine(),
      // Normalised as the federation's rows are, so that the columns of the table can be compared.
      pooled: await runPooledTraining(run),
      local,
      majority: scoreMajorityClass(hospitals),
      testRowCount: new Map(hospitals.map(({ siteId, holdout }) => [siteId, holdout.count])),
    };
  } finally {
    await host.close();
  }
}

// Runs the plan's rounds: every site trains, its steward approves through the same command as in a hospital, the consortium publishes.
import { setTimeout as pause } from 'node:timers/promises';
import type { Evaluation, RoundState, UpdateReview } from '#ipc/schema.ts';
import { DemoError } from './demo-error.ts';
import type { DemoFederation, DemoSite } from './demo-federation.ts';
import type { DemoProcesses } from './demo-processes.ts';

export interface DemoRound {
  readonly round: number;
  readonly kind: string;
  readonly durationMs: number;
  /** Mean loss on the training rows of all sites, weighted by their examples; null in rounds that do not train. */
  readonly lossBefore: number | null;
  readonly lossAfter: number | null;
}

export interface DemoRounds {
  readonly researchStudyId: string;
  readonly rounds: readonly DemoRound[];
  /** The last global model on each site's own holdout, by site id. */
  readonly evaluations: ReadonlyMap<string, Evaluation>;
  /** Bytes that left each site, by kind. */
  readonly bytesSent: ReadonlyMap<string, Readonly<Record<string, number>>>;
}

export interface DemoRun {
  readonly federation: DemoFederation;
  readonly processes: DemoProcesses;
  readonly onRound: (round: DemoRound, roundCount: number) => void;
}

const closeTimeoutMs = 60_000;

export async function runRounds({ federation, processes, onRound }: DemoRun): Promise<DemoRounds> {
  const bytesSent = new Map<string, Record<string, number>>();
  const sync = async (site: DemoSite) => {
    const result = await site.reached.client.sync();
    const total = bytesSent.get(site.hospital.siteId) ?? {};
    for (const [kind, bytes] of Object.entries(result.bytesSent)) total[kind] = (total[kind] ?? 0) + bytes;
    bytesSent.set(site.hospital.siteId, total);
  };

  await Promise.all(federation.sites.map(sync));
  const researchStudyId = await theResearchStudy(federation);
  const rounds: DemoRound[] = [];
  for (let roundCount = 1; rounds.length < roundCount; ) {
    const startedMs = performance.now();
    await processes.run([
      'consortium',
      'round',
      'open',
      '--research-study',
      researchStudyId,
      ...federation.consortium,
    ]);
    const reviews = await Promise.all(
      federation.sites.map(async (site) => {
        await sync(site);
        const review = await runAndApprove(site, { researchStudyId, processes });
        await sync(site);
        return review;
      }),
    );
    const state = await waitUntilPublished(federation, { researchStudyId, sync });
    roundCount = state.roundCount;
    const round = summarise(reviews, performance.now() - startedMs);
    rounds.push(round);
    onRound(round, roundCount);
  }
  const evaluations = new Map<string, Evaluation>();
  for (const { hospital, reached } of federation.sites) {
    const last = (await reached.client.evaluations({ researchStudyId }))
      .sort((left, right) => left.round - right.round)
      .at(-1);
    if (last !== undefined) evaluations.set(hospital.siteId, last);
  }
  return { researchStudyId, rounds, evaluations, bytesSent };
}

async function theResearchStudy({ sites: [first] }: DemoFederation): Promise<string> {
  const [only] = (await first?.reached.client.researchStudies()) ?? [];
  if (only === undefined)
    throw new DemoError('DEMO_STEP_FAILED', 'No plan arrived at the first site.', {
      details: { step: 'sync' },
    });
  return only.researchStudyId;
}

interface SiteRound {
  readonly researchStudyId: string;
  readonly processes: DemoProcesses;
}

/** The steward reads the report and signs in a process of their own, with their own secret. */
async function runAndApprove(
  { hospital, reached, words, secret }: DemoSite,
  { researchStudyId, processes }: SiteRound,
): Promise<UpdateReview> {
  let updateId = '';
  for await (const event of await reached.client.round.run({ researchStudyId }))
    if (event.kind === 'done') updateId = event.updateId;
  const review = await reached.client.updates.review({ updateId });
  await processes.run(
    ['site', 'approve', updateId, '--report', review.reportDigest, '--user', hospital.steward, ...words],
    {
      CONSILIUM_SECRET: secret,
    },
  );
  return review;
}

interface PublicationWait {
  readonly researchStudyId: string;
  readonly sync: (site: DemoSite) => Promise<void>;
}

/** The consortium closes a round when the last update is in; every site fetches and verifies what it published. */
async function waitUntilPublished(
  federation: DemoFederation,
  { researchStudyId, sync }: PublicationWait,
): Promise<RoundState> {
  const deadlineMs = performance.now() + closeTimeoutMs;
  while (performance.now() < deadlineMs) {
    await Promise.all(federation.sites.map(sync));
    const states = await Promise.all(
      federation.sites.map(({ reached }) => reached.client.round.current({ researchStudyId })),
    );
    const [state] = states;
    if (state !== undefined && states.every(({ round }) => round === null)) return state;
    await pause(200);
  }
  throw new DemoError('DEMO_ROUND_STALLED', 'A round did not close within a minute after the last update.');
}

function summarise(reviews: readonly UpdateReview[], durationMs: number): DemoRound {
  const total = reviews.reduce((count, { report }) => count + report.exampleCount, 0);
  const mean = (loss: (review: UpdateReview) => number | null): number | null =>
    reviews.reduce<number | null>((sum, review) => {
      const value = loss(review);
      return sum === null || value === null ? null : sum + (value * review.report.exampleCount) / total;
    }, 0);
  return {
    round: reviews[0]?.report.round ?? 0,
    kind: reviews[0]?.report.roundKind ?? '',
    durationMs,
    lossBefore: mean(({ report }) => report.metrics.lossBefore),
    lossAfter: mean(({ report }) => report.metrics.lossAfter),
  };
}

// A federation of real processes for tests: some of the demo's hospitals, a plan of the test's own, kill -9 at any moment.
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type DemoFederation,
  type DemoSite,
  ingestExports,
  reachAsSteward,
  serveSite,
  startFederation,
} from '#bench/demo/demo-federation.ts';
import { demoHospitals } from '#bench/demo/demo-hospitals.ts';
import { createDemoProcesses, type DemoProcesses } from '#bench/demo/demo-processes.ts';
import { heartAssets } from '#bench/package-root.ts';
import type { ResearchStudyStatus } from '#consortium/consortium.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import type { UpdateReview } from '#ipc/schema.ts';

export const researchStudyId = 'heart-disease';

export interface TestFederation {
  readonly directory: string;
  readonly processes: DemoProcesses;
  /** As it is now: a restart changes it. */
  current(): DemoFederation;
  site(siteId: string): DemoSite;
  siteIds(): string[];
  openRound(): Promise<void>;
  /** Syncs, runs the open round to its draft, and has the steward approve it. Nothing leaves. */
  prepareUpdate(siteId: string): Promise<UpdateReview>;
  /** Syncs every site until none of them sees an open round. */
  finishRound(): Promise<void>;
  /** A whole round at every site. */
  playRound(): Promise<void>;
  killSite(siteId: string): Promise<void>;
  restartSite(siteId: string): Promise<void>;
  killConsortium(): Promise<void>;
  /** On the same port and profile. */
  restartConsortium(): Promise<void>;
  status(): Promise<ResearchStudyStatus>;
  /** Ends all processes; the files stay until `remove`. */
  stop(): Promise<void>;
  remove(): void;
}

export interface TestFederationOptions {
  readonly siteIds: readonly string[];
  readonly plan?: Partial<ResearchStudyPlan>;
  /** Where sites reach the consortium, if not where it listens. */
  readonly consortiumUrl?: string;
  /** Told where it listens. */
  readonly onConsortium?: (url: string) => void;
  /** Environment of every process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether the exports are imported at once. */
  readonly isImported?: boolean;
}

export const smallTraining: ResearchStudyPlan['training'] = {
  optimizer: { kind: 'sgd', learningRate: 0.2 },
  batchSize: 256,
  localUpdates: 5,
};

/** The folder of a test federation; `stop` and `remove` end it. */
export async function startTestFederation(options: TestFederationOptions): Promise<TestFederation> {
  const directory = mkdtempSync(path.join(tmpdir(), 'consilium-federation-'));
  mkdirSync(path.join(directory, 'profiles'), { mode: 0o700 });
  const logFile = openSync(path.join(directory, 'processes.log'), 'a', 0o600);
  const processes = createDemoProcesses(logFile, options.environment);
  const hospitals = demoHospitals.filter(({ siteId }) => options.siteIds.includes(siteId));
  const { consortiumUrl, onConsortium } = options;
  const address = {
    ...(consortiumUrl === undefined ? {} : { consortiumUrl }),
    ...(onConsortium === undefined ? {} : { onConsortium }),
  };
  let isStopped = false;
  const stop = async () => {
    if (isStopped) return;
    isStopped = true;
    await processes.stop();
    closeSync(logFile);
  };
  try {
    const federation = await startFederation({
      directory,
      processes,
      say: () => {},
      planFile: writePlan(directory, options),
      hospitals,
      ...address,
    });
    if (options.isImported !== false) await ingestExports(federation);
    return testFederation(federation, processes, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

function writePlan(directory: string, { siteIds, plan = {} }: TestFederationOptions): string {
  const shipped = JSON.parse(readFileSync(path.join(heartAssets, 'plan.json'), 'utf8')) as ResearchStudyPlan;
  const participants = shipped.participants.filter(({ siteId }) => siteIds.includes(siteId));
  const file = path.join(directory, 'plan.json');
  writeFileSync(file, JSON.stringify({ ...shipped, participants, ...plan }));
  return file;
}

function testFederation(
  started: DemoFederation,
  processes: DemoProcesses,
  stop: () => Promise<void>,
): TestFederation {
  let consortiumServer = started.consortiumServer;
  const sites = new Map(started.sites.map((site) => [site.hospital.siteId, site]));
  const { directory, consortium } = started;
  const { port } = new URL((consortiumServer.answer as { url: string }).url);
  const study = ['--research-study', researchStudyId];
  const federation: TestFederation = {
    directory,
    processes,
    current: () => ({ ...started, consortiumServer, sites: [...sites.values()] }),
    site: (siteId) => {
      const site = sites.get(siteId);
      if (site === undefined) throw new Error('no such site');
      return site;
    },
    siteIds: () => [...sites.keys()],
    openRound: async () =>
      void (await processes.run(['consortium', 'round', 'open', ...study, ...consortium])),
    prepareUpdate: (siteId) => prepareUpdate(federation.site(siteId)),
    finishRound: () => finishRound(federation),
    playRound: async () => {
      await federation.openRound();
      await Promise.all(federation.siteIds().map(federation.prepareUpdate));
      await federation.finishRound();
    },
    killSite: async (siteId) => {
      const { server, reached } = federation.site(siteId);
      await server.kill();
      await reached.close();
    },
    restartSite: async (siteId) => {
      const site = federation.site(siteId);
      const server = await serveSite(processes, site);
      sites.set(siteId, { ...site, server, reached: await reachAsSteward(site) });
    },
    killConsortium: () => consortiumServer.kill(),
    restartConsortium: async () => {
      consortiumServer = await processes.serve(['consortium', 'serve', '--port', port, ...consortium]);
    },
    status: async () =>
      (await processes.run([
        'consortium',
        'round',
        'status',
        ...study,
        ...consortium,
      ])) as ResearchStudyStatus,
    stop: async () => {
      for (const { reached } of sites.values()) await reached.close();
      await stop();
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
  return federation;
}

async function prepareUpdate({ reached: { client }, secret }: DemoSite): Promise<UpdateReview> {
  await client.sync();
  let updateId = '';
  for await (const event of await client.round.run({ researchStudyId })) {
    if (event.kind === 'done') updateId = event.updateId;
  }
  const review = await client.updates.review({ updateId });
  await client.updates.approve({ updateId, reportDigest: review.reportDigest, secret });
  return review;
}

async function finishRound(federation: TestFederation): Promise<void> {
  // Twice where the first site is to see the round closed by the last one's update.
  for (let pass = 0; pass < 10; pass += 1) {
    let openCount = 0;
    for (const { reached } of federation.current().sites) {
      await reached.client.sync();
      const { round } = await reached.client.round.current({ researchStudyId });
      if (round !== null) openCount += 1;
    }
    if (openCount === 0) return;
  }
  throw new Error('the round did not close');
}

// A federation that was set up once and is then played from copies: online, by offline bundles, or both, from the very same state. A medium is
// a folder; the only way between consortium and hospitals, unless a test serves the consortium too.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger } from '#base/logger.ts';
import { type Consortium, type ConsortiumKeys, openConsortium } from '#consortium/consortium.ts';
import { createFileKeyStore } from '#host/file-key-store.ts';
import { createPinnedTransport } from '#host/pinned-transport.ts';
import { openSite, type Site, systemActor, type Transport, type UpdateReview } from '#site/site.ts';
import { researchStudyId, startAttackedFederation } from './attacked-federation.ts';
import { createCountingHost } from './round-site.ts';

export { researchStudyId } from './attacked-federation.ts';
export const siteIds = ['cleveland', 'switzerland'] as const;
export type SiteId = (typeof siteIds)[number];

/** The state that copies are made of: both hospitals enrolled and their data imported, no round opened. */
export interface FederationSeed {
  readonly directory: string;
  readonly keys: ConsortiumKeys;
  readonly port: number;
  readonly people: Readonly<Record<SiteId, { readonly name: string; readonly secret: string }>>;
  remove(): void;
}

export interface CarriedSite {
  readonly siteId: SiteId;
  readonly site: Site;
  readonly profile: string;
  readonly keyFile: string;
  readonly steward: { readonly name: string; readonly role: 'steward' };
  /** Runs the open round to its draft and has the steward approve it. */
  prepare(): Promise<UpdateReview>;
}

export interface CarriedFederation {
  readonly directory: string;
  readonly consortium: Consortium;
  readonly sites: Readonly<Record<SiteId, CarriedSite>>;
  readonly clock: { nowMs(): number; advance(ms: number): void };
  /** Makes a medium: an empty folder. */
  medium(): string;
  /** Consortium -> site, by a medium of its own. */
  bring(siteId: SiteId, medium?: string): ReturnType<Site['bundle']['import']>;
  /** Site -> consortium. */
  take(siteId: SiteId, medium?: string): ReturnType<Consortium['operations']['importBundle']>;
  /** Digest of every global model, by round. */
  models(): Promise<string[]>;
  /** Listens at the address that the sites know. */
  serve(): Promise<void>;
  /** Lets go of all profiles; their files stay until `close`. */
  release(): Promise<void>;
  close(): Promise<void>;
}

/** @param onExports as in `startAttackedFederation`. */
export async function seedFederation(onExports?: (exports: string) => void): Promise<FederationSeed> {
  const set = await startAttackedFederation({}, onExports);
  const directory = mkdtempSync(path.join(tmpdir(), 'consilium-carried-seed-'));
  const { keys, cleveland, switzerland } = set;
  // Everything is in the stores once they are closed.
  await cleveland.site.close();
  await switzerland.site.close();
  await set.closeDoor();
  set.consortium.close();
  cpSync(set.directory, directory, { recursive: true });
  rmSync(set.directory, { recursive: true, force: true });
  const personOf = ({ person: { name }, secret }: typeof cleveland) => ({ name, secret });
  return {
    directory,
    keys,
    port: Number(new URL(set.url).port),
    people: { cleveland: personOf(cleveland), switzerland: personOf(switzerland) },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

export async function openCarried(seed: FederationSeed): Promise<CarriedFederation> {
  const directory = mkdtempSync(path.join(tmpdir(), 'consilium-carried-'));
  cpSync(seed.directory, directory, { recursive: true });
  const clock = createClock();
  const storeFile = path.join(directory, 'consortium.db');
  const consortium = openConsortium({ storeFile, keys: seed.keys, clock, logger: silentLogger });
  const network: { transport: Transport } = { transport: noNetwork };
  const open = (siteId: SiteId) => openCarriedSite({ seed, directory, clock, siteId, network });
  const sites = { cleveland: await open('cleveland'), switzerland: await open('switzerland') };
  const closers: (() => Promise<unknown>)[] = [];
  let isReleased = false;
  const release = async (): Promise<void> => {
    if (isReleased) return;
    isReleased = true;
    for (const siteId of siteIds) await sites[siteId].site.close();
    for (const close of closers) await close();
    consortium.close();
  };
  let mediaCount = 0;
  const medium = (): string => {
    mediaCount += 1;
    const folder = path.join(directory, `medium-${mediaCount}`);
    mkdirSync(folder);
    return folder;
  };
  return {
    directory,
    consortium,
    sites,
    clock,
    medium,
    bring: async (siteId, folder = medium()) => {
      await consortium.operations.exportBundle({ siteId, researchStudyId, directory: folder });
      const { site, steward } = sites[siteId];
      return site.bundle.import(folder, steward);
    },
    take: async (siteId, folder = medium()) => {
      const { site, steward } = sites[siteId];
      await site.bundle.export({ directory: folder, researchStudyId: null }, steward);
      return consortium.operations.importBundle({ directory: folder });
    },
    models: async () => {
      const { researchStudies } = await consortium.operations.status({});
      return (researchStudies[0]?.models ?? []).map(({ modelDigest }) => modelDigest);
    },
    serve: async () => {
      const server = await consortium.createServer();
      consortium.announce(await server.listen({ host: '127.0.0.1', port: seed.port }));
      const transport = createPinnedTransport();
      network.transport = transport;
      closers.push(
        () => transport.close(),
        () => server.close(),
      );
    },
    release,
    close: async () => {
      await release();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Any use of it is a fault of the test's subject. */
const noNetwork: Transport = {
  send: () => Promise.reject(new Error('there is no network')),
};

function createClock(): CarriedFederation['clock'] {
  let shiftMs = 0;
  return {
    nowMs: () => Date.now() + shiftMs,
    advance: (ms) => {
      shiftMs += ms;
    },
  };
}

interface SiteOptions {
  readonly seed: FederationSeed;
  readonly directory: string;
  readonly clock: CarriedFederation['clock'];
  readonly siteId: SiteId;
  readonly network: { readonly transport: Transport };
}

async function openCarriedSite(options: SiteOptions): Promise<CarriedSite> {
  const { seed, directory, clock, siteId, network } = options;
  const profile = path.join(directory, siteId);
  const keyFile = path.join(directory, 'keys', `${siteId}.json`);
  const trainingHost = createCountingHost();
  trainingHost.step = 0.125;
  const site = await openSite({
    paths: { profile },
    keyStore: createFileKeyStore({ file: keyFile, profile }),
    clock,
    transport: { send: (request) => network.transport.send(request) },
    trainingHost,
    logger: silentLogger,
  });
  const { name, secret } = seed.people[siteId];
  const steward = { name, role: 'steward' } as const;
  return {
    siteId,
    site,
    profile,
    keyFile,
    steward,
    prepare: async () => {
      let updateId = '';
      for await (const event of site.round.run(researchStudyId, steward))
        if (event.kind === 'done') updateId = event.updateId;
      const review = site.updates.review(updateId, systemActor);
      site.updates.approve({ updateId, reportDigest: review.reportDigest, name, secret });
      return review;
    },
  };
}

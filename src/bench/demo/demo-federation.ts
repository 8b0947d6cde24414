// Sets up the federation of the demo: a consortium and four sites as processes, each with a profile, keys, a steward and its records.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { toHex } from '#base/bytes.ts';
import { heartAssets } from '#bench/package-root.ts';
import { type ReachedSite, reachSite } from '#headless/reach-site.ts';
import type { IngestSummary } from '#ipc/schema.ts';
import { DemoError } from './demo-error.ts';
import { type DemoHospital, demoHospitals } from './demo-hospitals.ts';
import type { DemoProcesses, ServerProcess } from './demo-processes.ts';

const exportScript = fileURLToPath(new URL('../../../scripts/make-heart-exports.ts', import.meta.url));

/** A site as it lies on disk, whether its process runs or not. */
export interface DemoSiteProfile {
  readonly hospital: DemoHospital;
  readonly profile: string;
  readonly keyFile: string;
  /** The words that name this site to the command. */
  readonly words: readonly string[];
  /** The steward's secret, made for this run. */
  readonly secret: string;
}

export interface DemoSite extends DemoSiteProfile {
  readonly server: ServerProcess;
  /** A connection in the steward's name. */
  readonly reached: ReachedSite;
}

export interface DemoFederation {
  readonly directory: string;
  readonly consortium: readonly string[];
  readonly consortiumServer: ServerProcess;
  readonly sites: readonly DemoSite[];
}

export interface DemoSetUp {
  readonly directory: string;
  readonly processes: DemoProcesses;
  readonly say: (line: string) => void;
  /** The plan that ships with the research study, where no other is named. */
  readonly planFile?: string;
  /** All four, where none are named. */
  readonly hospitals?: readonly DemoHospital[];
  /** Where sites reach the consortium; what it listens at, where it is not said. */
  readonly consortiumUrl?: string;
  /** Told where the consortium listens, before any site is there. */
  readonly onConsortium?: (url: string) => void;
}

/** Starts everything and enrols the sites; no record is in yet. */
export async function startFederation(setUp: DemoSetUp): Promise<DemoFederation> {
  const { directory, processes, say, hospitals = demoHospitals, consortiumUrl, onConsortium } = setUp;
  makeExports(path.join(directory, 'exports'));
  mkdirSync(path.join(directory, 'keys'), { mode: 0o700 });
  const consortium = profileWords(directory, 'consortium');
  const url = consortiumUrl === undefined ? [] : ['--url', consortiumUrl];
  await processes.run(['consortium', 'init', ...consortium, '--name', 'Demo consortium', ...url]);
  const consortiumServer = await processes.serve(['consortium', 'serve', '--port', '0', ...consortium]);
  onConsortium?.((consortiumServer.answer as { url: string }).url);
  const planFile = setUp.planFile ?? path.join(heartAssets, 'plan.json');
  await processes.run(['consortium', 'publish', planFile, ...consortium]);
  say('consortium is up; the plan is signed and published');
  const sites = await Promise.all(
    hospitals.map((hospital) => startSite(hospital, { directory, processes, consortium })),
  );
  say(`${sites.length} sites are up, enrolled, each with a steward`);
  return { directory, consortium, consortiumServer, sites };
}

/** What the hospitals would export from their own systems, written by the script that ships with the research study. */
function makeExports(directory: string): void {
  const { status, signal } = spawnSync(process.execPath, [exportScript, '--out', directory], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  // Ctrl-C reaches the script as well: it is in the demo's own process group.
  if (signal !== null) throw new DemoError('DEMO_INTERRUPTED', 'The demo was interrupted.');
  if (status !== 0)
    throw new DemoError('DEMO_STEP_FAILED', 'The exports could not be made.', {
      details: { step: 'make-heart-exports' },
    });
}

function profileWords(directory: string, name: string): string[] {
  return [
    '--profile',
    path.join(directory, 'profiles', name),
    '--keys',
    path.join(directory, 'keys', `${name}.json`),
  ];
}

interface SiteSetUp {
  readonly directory: string;
  readonly processes: DemoProcesses;
  readonly consortium: readonly string[];
}

async function startSite(
  hospital: DemoHospital,
  { directory, processes, consortium }: SiteSetUp,
): Promise<DemoSite> {
  const words = profileWords(directory, hospital.siteId);
  const [, profile = '', , keyFile = ''] = words;
  const secret = toHex(crypto.getRandomValues(new Uint8Array(16)));
  const site: DemoSiteProfile = { hospital, profile, keyFile, words, secret };
  await processes.run(['site', 'init', ...words, '--name', hospital.name]);
  const server = await serveSite(processes, site);
  await processes.run(['site', 'people', 'add', hospital.steward, '--role', 'steward', ...words], {
    CONSILIUM_SECRET: secret,
  });
  const { invitation } = (await processes.run([
    'consortium',
    'enrol',
    hospital.siteId,
    '--name',
    hospital.name,
    ...consortium,
  ])) as { invitation: string };
  const invitationFile = path.join(directory, 'keys', `${hospital.siteId}.invitation`);
  writeFileSync(invitationFile, invitation, { mode: 0o600 });
  await processes.run(['site', 'enrol', `@${invitationFile}`, '--steward', hospital.steward, ...words], {
    CONSILIUM_SECRET: secret,
  });
  return { ...site, server, reached: await reachAsSteward(site) };
}

/** Starts the process of a site, also after it was killed. */
export function serveSite(processes: DemoProcesses, { words }: DemoSiteProfile): Promise<ServerProcess> {
  return processes.serve(['site', 'serve', '--no-screens', ...words]);
}

/** A connection to the running site in its steward's name. */
export async function reachAsSteward({
  hospital,
  profile,
  keyFile,
  secret,
}: DemoSiteProfile): Promise<ReachedSite> {
  const reached = await reachSite({ profile, keyFile });
  await reached.client.session.signIn({ name: hospital.steward, secret });
  return reached;
}

/** Each hospital takes in its own export. */
export function ingestExports(federation: DemoFederation): Promise<IngestSummary[]> {
  return Promise.all(
    federation.sites.map(async ({ hospital, reached }) => {
      const folder = path.join(federation.directory, 'exports', hospital.folder);
      const mapping =
        hospital.mapping === null ? null : readFileSync(path.join(folder, hospital.mapping), 'utf8');
      const events = await reached.client.ingest.paths({ paths: [folder], mapping });
      for await (const event of events) if (event.kind === 'summary') return event.summary;
      throw new DemoError('DEMO_STEP_FAILED', 'An import ended without a summary.', {
        details: { step: 'ingest' },
      });
    }),
  );
}

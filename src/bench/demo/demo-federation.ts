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
import type { DemoProcesses } from './demo-processes.ts';

const exportScript = fileURLToPath(new URL('../../../scripts/make-heart-exports.ts', import.meta.url));

export interface DemoSite {
  readonly hospital: DemoHospital;
  readonly profile: string;
  /** The words that name this site to the command. */
  readonly words: readonly string[];
  /** The steward's secret, made for this run. */
  readonly secret: string;
  /** A connection in the steward's name. */
  readonly reached: ReachedSite;
}

export interface DemoFederation {
  readonly directory: string;
  readonly consortium: readonly string[];
  readonly sites: readonly DemoSite[];
}

export interface DemoSetUp {
  readonly directory: string;
  readonly processes: DemoProcesses;
  readonly say: (line: string) => void;
}

/** Starts everything and enrols the sites; no record is in yet. */
export async function startFederation({ directory, processes, say }: DemoSetUp): Promise<DemoFederation> {
  makeExports(path.join(directory, 'exports'));
  mkdirSync(path.join(directory, 'keys'), { mode: 0o700 });
  const consortium = profileWords(directory, 'consortium');
  await processes.run(['consortium', 'init', ...consortium, '--name', 'Demo consortium']);
  await processes.start(['consortium', 'serve', '--port', '0', ...consortium]);
  await processes.run(['consortium', 'publish', path.join(heartAssets, 'plan.json'), ...consortium]);
  say('consortium is up; the plan is signed and published');
  const sites = await Promise.all(
    demoHospitals.map((hospital) => startSite(hospital, { directory, processes, consortium })),
  );
  say(`${sites.length} sites are up, enrolled, each with a steward`);
  return { directory, consortium, sites };
}

/** What the hospitals would export from their own systems, written by the script that ships with the research study. */
function makeExports(directory: string): void {
  const { status } = spawnSync(process.execPath, [exportScript, '--out', directory], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
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
  await processes.run(['site', 'init', ...words, '--name', hospital.name]);
  await processes.start(['site', 'serve', '--no-screens', ...words]);
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
  const reached = await reachSite({ profile, keyFile });
  await reached.client.session.signIn({ name: hospital.steward, secret });
  return { hospital, profile, words, secret, reached };
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

// A consortium and one served site as real processes, for tests that look at the screens. The plan is the shipped one with one
// participant and one training round.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDemoProcesses } from '#bench/demo/demo-processes.ts';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

export interface ServedSite {
  /** Opens the screens. */
  readonly launchUrl: string;
  readonly steward: { readonly name: string; readonly secret: string };
  /** Folder of the hospital's exports. */
  readonly exports: string;
  /** Folder for what a test writes. */
  readonly directory: string;
  openRound(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts both; the site is enrolled and has no record yet. */
export async function startServedSite(): Promise<ServedSite> {
  const directory = mkdtempSync(path.join(tmpdir(), 'consilium-e2e-'));
  mkdirSync(path.join(directory, 'keys'), { mode: 0o700 });
  const logFile = openSync(path.join(directory, 'log'), 'a', 0o600);
  const processes = createDemoProcesses(logFile);
  const exports = path.join(directory, 'exports');
  spawnSync(process.execPath, [path.join(root, 'scripts/make-heart-exports.ts'), '--out', exports], {
    stdio: 'ignore',
  });
  const words = (name: string) => [
    '--profile',
    path.join(directory, name),
    '--keys',
    path.join(directory, 'keys', `${name}.json`),
  ];
  const steward = { name: 'Charlotte Reyes', secret: 'a secret for this test' };
  const asSteward = { CONSILIUM_SECRET: steward.secret };

  await processes.run(['consortium', 'init', ...words('consortium'), '--name', 'Heart consortium']);
  await processes.start(['consortium', 'serve', '--port', '0', ...words('consortium')]);
  await processes.run(['consortium', 'publish', writeShortPlan(directory), ...words('consortium')]);
  await processes.run(['site', 'init', '--name', 'Cleveland Clinic Foundation', ...words('cleveland')]);
  const { url } = (await processes.start(['site', 'serve', ...words('cleveland')])) as { url: string };
  await processes.run(
    ['site', 'people', 'add', steward.name, '--role', 'steward', ...words('cleveland')],
    asSteward,
  );
  const { invitation } = (await processes.run([
    'consortium',
    'enrol',
    'cleveland',
    '--name',
    'Cleveland Clinic Foundation',
    ...words('consortium'),
  ])) as { invitation: string };
  await processes.run(
    ['site', 'enrol', invitation, '--steward', steward.name, ...words('cleveland')],
    asSteward,
  );
  return {
    launchUrl: url,
    steward,
    exports: path.join(exports, 'cleveland'),
    directory,
    openRound: async () => {
      await processes.run([
        'consortium',
        'round',
        'open',
        '--research-study',
        'heart-disease',
        ...words('consortium'),
      ]);
    },
    stop: async () => {
      await processes.stop();
      closeSync(logFile);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function writeShortPlan(directory: string): string {
  const plan = JSON.parse(readFileSync(path.join(root, 'assets/research-studies/heart/plan.json'), 'utf8'));
  const file = path.join(directory, 'plan.json');
  // More and smaller steps than the shipped plan: a loss curve to look at.
  const training = { optimizer: { kind: 'sgd', learningRate: 0.02 }, batchSize: 32, localUpdates: 200 };
  const participants = [{ siteId: 'cleveland', name: 'Cleveland Clinic Foundation' }];
  writeFileSync(
    file,
    JSON.stringify({ ...plan, participants, training, rounds: ['statistics', 'training', 'evaluation'] }),
  );
  return file;
}

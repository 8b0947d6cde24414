// kill -9 of `bundle export` and `bundle import` on both sides, at moments spread over all that they do to the medium: the command, given
// again, goes on; nothing is lost and nothing counts twice. CONSILIUM_KILLS sets how often each is killed.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#base/clock.ts';
import { openConsortiumStore } from '#consortium/store/index.ts';
import { saveConsortiumKeys } from '#consortium/store/key-file.ts';
import { parseLeaf } from '#federation/log/leaf.ts';
import {
  type CarriedFederation,
  type FederationSeed,
  openCarried,
  researchStudyId,
  seedFederation,
} from '#support/carried-federation.ts';
import { readSiteStore } from '#support/stored-profiles.ts';

const program = fileURLToPath(new URL('../../src/cli/consilium.ts', import.meta.url));
const preload = fileURLToPath(new URL('../support/kill-at.ts', import.meta.url));
const kills = Number(process.env.CONSILIUM_KILLS ?? 2);

let seed: FederationSeed;
let federation: CarriedFederation;
let consortium: string[];
let site: string[];

beforeAll(async () => {
  seed = await seedFederation();
  federation = await openCarried(seed);
  const { directory, sites } = federation;
  await federation.consortium.operations.openRound({ researchStudyId });
  await federation.bring('switzerland');
  await sites.switzerland.prepare();
  await federation.take('switzerland');
  await federation.bring('cleveland');
  await sites.cleveland.prepare();
  // From here on the command line holds both profiles.
  await federation.release();
  const profile = path.join(directory, 'consortium');
  mkdirSync(profile, { mode: 0o700 });
  for (const suffix of ['', '-wal', '-shm']) {
    const file = path.join(directory, `consortium.db${suffix}`);
    if (existsSync(file)) cpSync(file, path.join(profile, `consortium.db${suffix}`));
  }
  const keyFile = path.join(directory, 'keys', 'consortium.json');
  saveConsortiumKeys(keyFile, profile, seed.keys);
  consortium = ['--profile', profile, '--keys', keyFile, '--json'];
  const secretFile = path.join(directory, 'secret');
  writeFileSync(secretFile, seed.people.cleveland.secret);
  const { profile: siteProfile, keyFile: siteKeys, steward } = sites.cleveland;
  const person = ['--user', steward.name, '--secret-file', secretFile];
  site = ['--profile', siteProfile, '--keys', siteKeys, ...person, '--json'];
});
afterAll(async () => {
  await federation.close();
  seed.remove();
});

interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
  readonly document: Record<string, unknown> | undefined;
}

function run(words: readonly string[], environment: Record<string, string> = {}): Ended {
  const { status, signal, stdout } = spawnSync(process.execPath, ['--import', preload, program, ...words], {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
    timeout: 60_000,
  });
  const document = stdout === '' ? undefined : (JSON.parse(stdout) as Record<string, unknown>);
  return { status, signal, document };
}

/** What the command does to a medium of its own. */
function countOf(words: readonly string[]): number {
  const file = path.join(federation.directory, 'count');
  run(words, { CONSILIUM_TEST_COUNT: file });
  return Number(readFileSync(file, 'utf8'));
}

function countFiles(medium: string): number {
  const entries = readdirSync(medium, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).length;
}

/** Kills the command at moments spread over `total`, each time on a medium of its own where it writes one; then lets it end on the last. */
function killed(command: (medium: string) => readonly string[], total: number): Ended & { medium: string } {
  let medium = '';
  for (let kill = 1; kill <= kills; kill += 1) {
    medium = federation.medium();
    const moment = Math.ceil((kill * total) / kills);
    const { signal } = run(command(medium), { CONSILIUM_TEST_KILL_AT: String(moment) });
    expect([moment, signal]).toEqual([moment, 'SIGKILL']);
  }
  return { ...run(command(medium)), medium };
}

describe('commands that are killed', () => {
  let out: string;

  it('export of the site: the update is on the medium once, whole', () => {
    const command = (medium: string) => ['site', 'bundle', 'export', '--out', medium, ...site];
    const { status, document, medium } = killed(command, countOf(command(federation.medium())));
    out = medium;
    expect(status).toBe(0);
    expect(document).toMatchObject({ kind: 'out', updates: [{ outcome: 'written', code: null }] });
  });

  it('import of the consortium: the update counts once and the round closes', () => {
    const command = () => ['consortium', 'bundle', 'import', out, ...consortium];
    const copy = federation.medium();
    cpSync(out, copy, { recursive: true });
    // The manifest, then each file verified; the last moment is that of the checkpoint, after the update was counted.
    const { status, document } = killed(command, countFiles(out) + 2);
    expect(status).toBe(0);
    expect(document).toMatchObject({
      ok: true,
      items: [
        { item: 'update', outcome: 'received' },
        { item: 'log-checkpoint', outcome: 'received' },
      ],
    });
    expect(run(['consortium', 'bundle', 'import', copy, ...consortium])).toMatchObject({
      status: 0,
      document: { isRepeat: true },
    });
  });

  it('export of the consortium, import of the site: the model and the receipt are there once', () => {
    const order = ['--site', 'cleveland', '--research-study', researchStudyId, ...consortium];
    const command = (medium: string) => ['consortium', 'bundle', 'export', '--out', medium, ...order];
    const { status: exported, medium } = killed(command, countOf(command(federation.medium())));
    expect(exported).toBe(0);
    const read = ['site', 'bundle', 'import', medium, ...site];
    // Two files before the manifest is verified, then each file, then one record after the other.
    expect(killed(() => read, countFiles(medium) + 8).status).toBe(0);
    const again = { isRepeat: true, received: [], receipts: [] };
    expect(run(read)).toMatchObject({ status: 0, document: again });
  });

  it('leave stores with everything in them once, and logs that verify', () => {
    expect(run(['site', 'audit', 'verify', ...site]).status).toBe(0);
    expect(run(['consortium', 'audit', 'verify', ...consortium])).toMatchObject({
      status: 0,
      document: { verified: true },
    });
    const [, profile = ''] = consortium;
    const store = openConsortiumStore({
      file: path.join(profile, 'consortium.db'),
      key: seed.keys.storeKey,
      clock: systemClock,
    });
    const leaves = store.all(store.query.selectFrom('log_leaf').select('line').orderBy('seq'));
    store.close();
    const counted = leaves
      .map(({ line }) => parseLeaf(line))
      .filter(
        ({ action, outcome, reason }) =>
          action === 'update-received' && outcome === 'success' && reason === null,
      );
    expect(counted.map(({ actor }) => actor).sort()).toEqual(['site:cleveland', 'site:switzerland']);
    const held = readSiteStore(federation.sites.cleveland, (opened) => ({
      models: opened.all(opened.query.selectFrom('global_model').select('round').orderBy('round')),
      receipts: opened.all(
        opened.query.selectFrom('outbox').select('update_id').where('received_at', 'is not', null),
      ),
    }));
    expect(held.models.map(({ round }) => round)).toEqual([0, 1]);
    expect(held.receipts).toHaveLength(1);
  });

  it('say what is wrong by their exit codes: 1 for a refusal, 2 for wrong usage', () => {
    const empty = federation.medium();
    expect(run(['site', 'bundle', 'import', empty, ...site])).toMatchObject({
      status: 1,
      document: { ok: false, error: { code: 'BUNDLE_NOT_FOUND' } },
    });
    expect(run(['site', 'bundle', 'export', '--out', path.join(empty, 'gone'), ...site])).toMatchObject({
      status: 1,
      document: { error: { code: 'MEDIA_UNAVAILABLE', details: { found: 'ENOENT' } } },
    });
    expect(run(['site', 'bundle', 'export', ...site]).status).toBe(2);
  });
});

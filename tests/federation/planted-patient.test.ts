// A patient planted into the exports of all four formats is found nowhere: not in a profile, a key file, a log, a report, an exported
// audit log, a temporary file or a byte that was sent. Their own hospital's steward finds them, so they are there.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { playDemo } from '#bench/demo/run-demo.ts';
import { findTraces, findTracesBelow, plant, plantPatient } from '#support/planted-patient.ts';
import { readConsortiumStore, readSiteStore } from '#support/stored-profiles.ts';
import { smallTraining, startTestFederation, type TestFederation } from '#support/test-federation.ts';

const siteIds = ['cleveland', 'hungary', 'switzerland', 'long-beach'];
const recorder = fileURLToPath(new URL('../support/sent-bytes.ts', import.meta.url));

let aside: string;
let sent: string;
let temporary: string;
let reports: string;
let federation: TestFederation;
/** Names of all files that came to be in the folder for temporary files, also if only for a moment. */
const temporaryFiles = new Set<string>();
let watcher: ReturnType<typeof watch>;

beforeAll(async () => {
  aside = mkdtempSync(path.join(tmpdir(), 'consilium-plant-'));
  [sent, temporary, reports] = ['sent', 'tmp', 'reports'].map((name) => {
    const folder = path.join(aside, name);
    mkdirSync(folder);
    return folder;
  }) as [string, string, string];
  watcher = watch(temporary, (_event, name) => temporaryFiles.add(name ?? 'unnamed'));
  federation = await startTestFederation({
    siteIds,
    plan: { training: smallTraining, rounds: ['statistics', 'training', 'evaluation'] },
    environment: {
      NODE_OPTIONS: `--import ${recorder}`,
      CONSILIUM_TEST_SENT: sent,
      CONSILIUM_LOG: 'trace',
      TMPDIR: temporary,
      SQLITE_TMPDIR: temporary,
    },
    isImported: false,
  });
  plantPatient(path.join(federation.directory, 'exports'));
});
afterAll(async () => {
  watcher.close();
  await federation.stop();
  federation.remove();
  rmSync(aside, { recursive: true, force: true });
});

const client = (siteId: string) => federation.site(siteId).reached.client;
/** Files in which something of the patient is, and what. */
const guilty = (folder: string) => findTracesBelow(folder).filter(({ found }) => found.length > 0);

describe('a planted patient', () => {
  it.each([
    ['cleveland', ['given', 'family', 'identifier', 'birthDate']],
    ['hungary', ['given', 'family', 'identifier', 'birthDate']],
    ['switzerland', ['family', 'identifier', 'birthDate']],
    ['long-beach', ['given', 'family', 'identifier', 'birthDate']],
  ])('is found by the search in the export of %s', (siteId, parts) => {
    const found = guilty(path.join(federation.directory, 'exports', siteId)).flatMap((file) => file.found);
    expect([...new Set(found)].map((trace) => trace.replace(/ in .*/, ''))).toEqual(
      expect.arrayContaining(parts),
    );
  });

  it('goes through every stage, up to the report', async () => {
    const outcome = await playDemo({
      federation: federation.current(),
      processes: federation.processes,
      outDirectory: reports,
      say: () => {},
      onRound: () => {},
    });
    expect(outcome.findings.audit.verified).toBe(true);
    expect(
      outcome.findings.ingested.map(({ rows }) => rows.measurement ?? 0).every((count) => count > 1000),
    ).toBe(true);
    expect(existsSync(outcome.report.htmlFile)).toBe(true);
  });

  it.each(siteIds)('is found by the steward of %s, and its refused rows are refused', async (siteId) => {
    const search = siteId === 'switzerland' ? plant.identifier : plant.family;
    const query = { researchStudyId: null, decision: null, search, offset: 0, limit: 10 };
    const { rows } = await client(siteId).consent.list(query);
    expect(rows).toHaveLength(1);
    if (siteId !== 'switzerland') {
      expect(rows[0]?.patientName).toContain(plant.family);
      expect(rows[0]?.patientName).toContain(plant.given);
    }
    const { outcomes } = await client(siteId).ingest.outcomes({ offset: 0, limit: 100 });
    expect(outcomes.reduce((count, { rows: { rejected } }) => count + rejected, 0)).toBeGreaterThan(0);
  });

  it('is in no request and no answer: every byte that any process sent over TLS was recorded', async () => {
    const recorded = readdirSync(sent).map((name) => readFileSync(path.join(sent, name)));
    const all = Buffer.concat(recorded);
    // The recording is whole: each update that the consortium holds is in it as it was sent.
    await federation.killConsortium();
    const { sealedFiles } = readConsortiumStore(federation.current());
    expect(sealedFiles).toHaveLength(3 * siteIds.length);
    for (const file of sealedFiles) expect(all.includes(Buffer.from(file))).toBe(true);
    expect(all.includes('PUT /v1/updates/')).toBe(true);
    expect(all.includes('POST /v1/log-checkpoints')).toBe(true);
    expect(findTraces(all)).toEqual([]);
    await federation.restartConsortium();
  });

  it('is in no file of a running federation: stores with their journals, keys, logs, exported audit logs', () => {
    const files = searched();
    for (const part of ['site.db', 'site.db-wal', 'site.db-shm', 'endpoint.json', 'lock.db'])
      expect(files.some(({ file }) => file.endsWith(`cleveland/${part}`))).toBe(true);
    for (const part of ['processes.log', 'leaves.jsonl', 'details.jsonl', 'consortium.db', 'cleveland.json'])
      expect(files.some(({ file }) => file.endsWith(part))).toBe(true);
    expect(files.filter(({ found }) => found.length > 0)).toEqual([]);
  });

  it('is in no report', () => {
    const files = findTracesBelow(reports);
    expect(files.map(({ file }) => path.basename(file)).sort()).toEqual(['report.html', 'report.json']);
    expect(files.filter(({ found }) => found.length > 0)).toEqual([]);
  });

  it('is in no temporary file: none was made, not even for a moment', async () => {
    expect(guilty(temporary)).toEqual([]);
    expect([...temporaryFiles]).toEqual([]);
    // One that is gone at once would have been seen.
    writeFileSync(path.join(temporary, 'probe'), '');
    rmSync(path.join(temporary, 'probe'));
    await vi.waitFor(() => expect([...temporaryFiles]).toEqual(['probe']));
  });

  it.each(siteIds)('is in the opened store of %s in its own sealed link alone', (siteId) => {
    const bytes = readSiteStore(federation.site(siteId), (store) => {
      const tables = store.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all() as {
        name: string;
      }[];
      const rows = tables.flatMap(({ name }) => store.prepare(`SELECT * FROM "${name}"`).all() as object[]);
      expect(rows.length).toBeGreaterThan(1_000);
      return Buffer.concat(rows.flatMap((row) => Object.values(row).map(toBuffer)));
    });
    expect(findTraces(bytes)).toEqual([]);
  });

  it('is in no file after everything was stopped', async () => {
    await federation.stop();
    expect(searched().filter(({ found }) => found.length > 0)).toEqual([]);
  });
});

function toBuffer(value: unknown): Buffer {
  return value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(`${String(value)}\n`);
}

/** All that the federation has written; the hospitals' own exports lie beside it. */
function searched() {
  const exports = path.join(federation.directory, 'exports') + path.sep;
  return findTracesBelow(federation.directory).filter(({ file }) => !file.startsWith(exports));
}

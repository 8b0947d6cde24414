// A hospital's own bad files through the real command: each fault is named for its row or file, the rest goes in, and nothing of
// a patient is printed.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IngestSummary } from '#ipc/schema.ts';
import { makeHeartExports } from '../../scripts/make-heart-exports.ts';

const command = fileURLToPath(new URL('../../src/cli/consilium.ts', import.meta.url));
const secret = 'a secret for this test';
let directory: string;
let inbox: string;
/** Values of the input that must be printed nowhere. */
let values: string[];

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...words: string[]): Promise<Ended> {
  const profile = [
    '--profile',
    path.join(directory, 'profile'),
    '--keys',
    path.join(directory, 'keys', 'site.json'),
  ];
  const env = { ...process.env, CONSILIUM_SECRET: secret, CONSILIUM_LOG: 'trace' };
  const child = spawn(process.execPath, [command, ...words, ...profile, '--json'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}

const ingest = (...words: string[]) => run('site', 'ingest', ...words, '--user', 'Ada Steward');

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'consilium-ingest-command-'));
  const exports = path.join(directory, 'exports');
  makeHeartExports(exports);
  inbox = path.join(directory, 'inbox');
  mkdirSync(inbox);
  writeInbox(exports);
  expect((await run('site', 'init', '--name', 'Hospital')).code).toBe(0);
  expect((await run('site', 'people', 'add', 'Ada Steward', '--role', 'steward')).code).toBe(0);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Four faults, each in a file with good neighbours. */
function writeInbox(exports: string): void {
  const read = (name: string) => readFileSync(path.join(exports, name), 'utf8');
  const [header = '', ...rows] = read('cleveland/patients.csv').trimEnd().split('\n');
  const taken = rows.slice(0, 40);
  const bad = taken.with(4, (taken[4] ?? '').replace(/,(\d+),(yes|no),/, ',PLANTED-CELL-4417,$2,'));
  expect(bad[4]).toContain('PLANTED-CELL-4417');
  writeFileSync(path.join(inbox, 'rows.csv'), [header, ...bad].join('\n'));
  const without = header.replace('cholesterol', 'PLANTED-COLUMN-9');
  writeFileSync(path.join(inbox, 'column.csv'), [without, ...rows.slice(40, 60)].join('\n'));
  const bundle = read('hungary/bundle.json');
  writeFileSync(path.join(inbox, 'bundle.json'), bundle.slice(0, bundle.length >> 1));
  for (const name of ['Patient', 'Observation', 'Consent']) {
    const lines = read(`long-beach/${name}.ndjson`).trimEnd().split('\n');
    const at = lines.findIndex((line) => line.includes('"code":"mm[Hg]"'));
    const changed =
      at < 0 ? lines : lines.with(at, (lines[at] ?? '').replace('"code":"mm[Hg]"', '"code":"PLANTEDunit"'));
    writeFileSync(path.join(inbox, `${name}.ndjson`), changed.join('\n'));
  }
  writeFileSync(path.join(directory, 'mapping.json'), read('cleveland/mapping.json'));
  const cells = [...taken, ...rows.slice(40, 60)].flatMap((row) => {
    const [identifier = '', name = ''] = row.match(/"[^"]*"|[^,]+/g) ?? [];
    return [identifier, name.replaceAll('"', '')];
  });
  const people = read('long-beach/Patient.ndjson').trimEnd().split('\n');
  const families = people.map((line) => (JSON.parse(line) as { name: [{ family: string }] }).name[0].family);
  values = ['PLANTED', ...cells, ...families];
}

const outcomeOf = ({ files }: IngestSummary, name: string) =>
  files.find((file) => path.basename(file.path) === name);

function expectNothingTold({ stdout, stderr }: Ended): void {
  for (const value of values) {
    expect(value.length).toBeGreaterThan(3);
    expect(stdout, 'standard output').not.toContain(value);
    expect(stderr, 'the log').not.toContain(value);
  }
}

describe('site ingest', () => {
  let summary: IngestSummary;

  it('ends with 1, one JSON document, and a word for every fault', async () => {
    const ended = await ingest(inbox, '--mapping', path.join(directory, 'mapping.json'));
    expect(ended.code).toBe(1);
    expect(ended.stdout.trimEnd().split('\n')).toHaveLength(1);
    summary = JSON.parse(ended.stdout) as IngestSummary;
    expect(outcomeOf(summary, 'rows.csv')).toMatchObject({
      code: 'BAD_NUMBER',
      rows: { accepted: 39, duplicate: 0, rejected: 1 },
      refusals: [{ row: 6, code: 'BAD_NUMBER', field: 'cholesterol' }],
    });
    expect(outcomeOf(summary, 'column.csv')).toMatchObject({
      outcome: 'rejected',
      code: 'MISSING_COLUMN',
      rows: { accepted: 0, duplicate: 0, rejected: 0 },
    });
    expect(outcomeOf(summary, 'bundle.json')).toMatchObject({
      outcome: 'rejected',
      code: 'TRUNCATED',
      rows: { accepted: 0 },
    });
    expect(outcomeOf(summary, 'Observation.ndjson')).toMatchObject({
      code: 'UNKNOWN_UNIT',
      rows: { rejected: 1 },
      refusals: [{ code: 'UNKNOWN_UNIT', field: 'component.value.code' }],
    });
    for (const name of ['Patient.ndjson', 'Consent.ndjson'])
      expect(outcomeOf(summary, name)).toMatchObject({ outcome: 'accepted', code: null });
    expectNothingTold(ended);
  });

  it('takes in all the rest, and the log holds up', async () => {
    const status = JSON.parse((await run('site', 'status')).stdout) as { subjectCount: number };
    expect(status.subjectCount).toBe(39 + 206);
    const verified = await run('site', 'audit', 'verify');
    expect(verified.code).toBe(0);
    expectNothingTold(verified);
  });

  it('takes nothing in twice, and a corrected file without its old fault', async () => {
    const file = path.join(inbox, 'rows.csv');
    writeFileSync(file, readFileSync(file, 'utf8').replace('PLANTED-CELL-4417', '250'));
    const ended = await ingest(file, '--mapping', path.join(directory, 'mapping.json'));
    expect(ended.code).toBe(0);
    const again = JSON.parse(ended.stdout) as IngestSummary;
    expect(outcomeOf(again, 'rows.csv')).toMatchObject({
      outcome: 'accepted',
      rows: { accepted: 1, duplicate: 39, rejected: 0 },
    });
    expectNothingTold(ended);
  });

  it.each([
    ['a mapping that is none', '{"consilium":"csv-mapping/1","PLANTED":', 'BAD_MAPPING'],
    ['a mapping of another kind', '{"PLANTED":[]}', 'BAD_MAPPING'],
  ])('%s is refused by name', async (_what, mapping, code) => {
    const file = path.join(directory, 'bad-mapping.json');
    writeFileSync(file, mapping);
    const ended = await ingest(path.join(inbox, 'column.csv'), '--mapping', file);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain(`"${code}"`);
    expectNothingTold(ended);
  });

  it('lets nobody act without a name or with a wrong secret', async () => {
    const nameless = await run('site', 'ingest', inbox);
    expect([nameless.code, nameless.stdout]).toEqual([1, expect.stringContaining('SIGN_IN_NEEDED')]);
    const file = path.join(directory, 'secret');
    writeFileSync(file, 'PLANTED wrong secret');
    const wrong = await ingest(inbox, '--secret-file', file);
    expect([wrong.code, wrong.stdout]).toEqual([1, expect.stringContaining('SIGN_IN_REFUSED')]);
    expectNothingTold(wrong);
  });
});

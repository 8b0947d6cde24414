// A hospital's own table through the real commands: a mapping is suggested, shown, saved and imported, and cells of patients are
// printed to who asks and written nowhere else.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const command = fileURLToPath(new URL('../../src/cli/consilium.ts', import.meta.url));
let directory: string;
const at = (name: string): string => path.join(directory, name);

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...words: string[]): Promise<Ended> {
  const profile = ['--profile', at('profile'), '--keys', path.join(directory, 'keys', 'site.json'), '--json'];
  const env = { ...process.env, CONSILIUM_SECRET: 'a secret for this test', CONSILIUM_LOG: 'trace' };
  const child = spawn(process.execPath, [command, ...words, ...profile], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}
const asSteward = (...words: string[]) => run(...words, '--user', 'Ada Steward');

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'consilium-mapping-command-'));
  writeFileSync(
    at('table.csv'),
    'Patientennummer;Nachname;Geburtsdatum;Datum;Gewicht (kg);Puls\nPLANTED-17;PLANTED-Name;01.05.1950;03.02.2020;71,5;66\n',
  );
  writeFileSync(at('noise.csv'), Buffer.from([0, 1, 2, 3]));
  expect((await run('site', 'init', '--name', 'Hospital', '--time-zone', 'Europe/Berlin')).code).toBe(0);
  expect((await run('site', 'people', 'add', 'Ada Steward', '--role', 'steward')).code).toBe(0);
}, 60_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the mapping commands', () => {
  it('draft a mapping, show its rows, and the table goes in by it', async () => {
    const suggested = await asSteward(
      'site',
      'mapping',
      'suggest',
      at('table.csv'),
      '--out',
      at('mapping.json'),
    );
    expect(suggested.code).toBe(0);
    expect(JSON.parse(suggested.stdout).columns[1].samples).toEqual(['PLANTED-Name']);
    const shown = await asSteward(
      'site',
      'mapping',
      'preview',
      at('table.csv'),
      '--mapping',
      at('mapping.json'),
    );
    expect(JSON.parse(shown.stdout)).toMatchObject({
      rows: [{ row: 2, day: '2020-02-03', refusal: null }],
      accepted: 1,
      rejected: 0,
    });
    const imported = await asSteward('site', 'ingest', at('table.csv'), '--mapping', at('mapping.json'));
    expect([imported.code, JSON.parse(imported.stdout).rows]).toEqual([0, { patient: 1, measurement: 2 }]);
    const told = await asSteward('site', 'audit', 'export', '--out', at('audit'));
    expect(told.code).toBe(0);
    const written = [suggested, shown, imported, told].map(({ stderr }) => stderr).join('\n');
    const audit = readdirSync(at('audit'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'latin1'));
    expect(audit.join('').length).toBeGreaterThan(1_000);
    for (const planted of ['PLANTED', '1950', '71,5', 'Gewicht'])
      expect(`${written}${audit.join('')}`.includes(planted), planted).toBe(false);
  }, 60_000);

  it('write no mapping over another, and none of what makes none', async () => {
    const suggest = (...words: string[]) => asSteward('site', 'mapping', 'suggest', ...words);
    writeFileSync(at('kept.json'), 'kept');
    expect((await suggest(at('table.csv'), '--out', at('kept.json'))).code).not.toBe(0);
    expect(readFileSync(at('kept.json'), 'utf8')).toBe('kept');
    const noise = await suggest(at('noise.csv'), '--out', at('none.json'));
    expect([noise.code, `${noise.stdout}${noise.stderr}`.includes('NOT_A_TABLE')]).toEqual([1, true]);
    expect(existsSync(at('none.json'))).toBe(false);
  }, 60_000);

  it('make no site in a time zone that is none', async () => {
    const { code, stdout, stderr } = await run(
      'site',
      'init',
      '--name',
      'Other',
      '--time-zone',
      'Europe/Nowhere',
    );
    expect(code).toBe(2);
    expect(`${stdout}${stderr}`).toContain('--time-zone');
  }, 60_000);
});

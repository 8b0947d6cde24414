// The real command over a folder with good, broken and suspicious DICOM files: exit codes, reports, keys; and no file is ever overwritten.
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeDicom } from '#site/deidentify/index.ts';
import { dicomFile, element, mrSlice } from '#support/dicom-object.ts';
import { noisySlice } from '#support/drawn-text.ts';

const command = fileURLToPath(new URL('../../src/cli/consilium.ts', import.meta.url));
const secret = 'Quillfeather';
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'consilium-deidentify-'));
  save('good/a.dcm', '1.2.1');
  save('good/b.dcm', '1.2.2');
  save('mixed/good.dcm', '1.2.3');
  writeFileSync(path.join(directory, 'mixed/broken.dcm'), Buffer.alloc(200, 'DICM'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function save(name: string, uid: string): void {
  const file = path.join(directory, name);
  mkdirSync(path.dirname(file), { recursive: true });
  const pixels = noisySlice(1, 32, 32);
  const content = mrSlice(
    { rows: 32, columns: 32, pixels },
    element(0x00080018, uid),
    element(0x00100010, secret),
  );
  writeFileSync(file, encodeDicom(dicomFile(content)));
}

interface Ended {
  readonly code: number | null;
  readonly said: string;
  readonly document: Record<string, unknown>;
}

function deidentify(source: string, out: string, ...words: string[]): Promise<Ended> {
  const paths = [path.join(directory, source), '--out', path.join(directory, out)];
  return run('deidentify', ...paths, ...words);
}

function run(...words: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [command, ...words, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  return new Promise((resolve) =>
    child.once('close', (code) => resolve({ code, said, document: JSON.parse(output.trim() || '{}') })),
  );
}

const outputs = (out: string): string[] =>
  readdirSync(path.join(directory, out), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.dcm'))
    .sort();

describe('consilium deidentify', () => {
  it('ends with 0 when all is written, and with a report that names no input', async () => {
    const ended = await deidentify('good', 'out', '--key', path.join(directory, 'key'));
    expect([ended.code, ended.said]).toEqual([0, '']);
    expect(ended.document).toMatchObject({ files: 2, written: 2 });
    expect(outputs('out')).toHaveLength(2);
    for (const name of readdirSync(path.join(directory, 'out'), { recursive: true }).map(String)) {
      const file = path.join(directory, 'out', name);
      if (statSync(file).isFile()) expect(readFileSync(file).includes(secret)).toBe(false);
    }
    expect(readFileSync(path.join(directory, 'out/report.json'), 'utf8')).not.toContain('good');
    expect(statSync(path.join(directory, 'key')).mode & 0o777).toBe(0o600);
    const again = await deidentify('good', 'out');
    expect([again.code, again.document]).toMatchObject([
      1,
      { ok: false, error: { code: 'OUTPUT_NOT_EMPTY' } },
    ]);
  });

  it('ends with 1 when a file is refused, and names it to the person alone', async () => {
    const ended = await deidentify('mixed', 'mixed-out');
    expect(ended.code).toBe(1);
    expect(ended.document).toMatchObject({ files: 2, written: 1, rejected: 1, codes: { TRUNCATED: 1 } });
    expect(JSON.stringify(ended.document)).toContain('broken.dcm');
    expect(readFileSync(path.join(directory, 'mixed-out/report.json'), 'utf8')).not.toContain('broken');
  });

  it.each([
    ['an output folder inside of the input', ['good', 'good/out']],
    ['a key and a profile', ['good', 'x', '--key', 'k', '--profile', 'p']],
    ['a private element without its parts', ['good', 'x', '--safe-private', 'ACME']],
  ])('ends with 2 for %s', async (_, [source = '', out = '', ...words]) => {
    const ended = await deidentify(source, out, ...words);
    expect([ended.code, ended.document]).toMatchObject([2, { error: { code: 'USAGE' } }]);
    expect(existsSync(path.join(directory, out))).toBe(false);
  });

  it('takes the key of a profile: the same names each time', async () => {
    const site = [
      '--profile',
      path.join(directory, 'profile'),
      '--keys',
      path.join(directory, 'keys/site.json'),
    ];
    expect((await run('site', 'init', '--name', 'Hospital', ...site)).code).toBe(0);
    expect((await deidentify('good', 'site-1', ...site)).code).toBe(0);
    expect((await deidentify('good', 'site-2', ...site)).code).toBe(0);
    expect(outputs('site-1')).toEqual(outputs('site-2'));
    expect(outputs('site-1')).not.toEqual(outputs('out'));
  });
});

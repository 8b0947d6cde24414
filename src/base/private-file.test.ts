import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromUtf8, utf8 } from './bytes.ts';
import { loadPrivateFile, makePrivateFolder, savePrivateFile } from './private-file.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'consilium-private-'));
  file = join(folder, 'secret.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

const refused = (code: string, details: Record<string, unknown> = {}) =>
  expect.objectContaining({ code, details: expect.objectContaining(details) });

describe('a private file', () => {
  it('is undefined before it is written, and then what was written last, for its owner alone', () => {
    expect(loadPrivateFile(file)).toBeUndefined();
    savePrivateFile(file, utf8('first'));
    savePrivateFile(file, utf8('second'));
    expect(fromUtf8(loadPrivateFile(file) ?? new Uint8Array())).toBe('second');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['secret.json']);
  });

  it('takes the place of one that others could read, and of what a killed process left', () => {
    writeFileSync(file, 'old', { mode: 0o644 });
    writeFileSync(join(folder, `.secret.json.${process.pid}.tmp`), 'half', { mode: 0o644 });
    savePrivateFile(file, utf8('new'));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['secret.json']);
  });

  it.each([0o640, 0o604, 0o620, 0o666])('is refused with mode %o', (mode) => {
    savePrivateFile(file, utf8('text'));
    chmodSync(file, mode);
    expect(() => loadPrivateFile(file)).toThrow(
      refused('PRIVATE_FILE_MODE', { expected: '600', found: mode.toString(8) }),
    );
  });

  it.each<[string, () => void]>([
    ['a folder', () => mkdirSync(file, { mode: 0o700 })],
    ['a pipe', () => execFileSync('mkfifo', ['-m', '600', file])],
    [
      'too large',
      () => {
        savePrivateFile(file, utf8(''));
        truncateSync(file, 4 * 1024 * 1024 + 1);
      },
    ],
  ])('is refused as %s', (_case, make) => {
    make();
    expect(() => loadPrivateFile(file)).toThrow(refused('PRIVATE_FILE_UNFIT'));
  });

  it('is refused by a code and no path where it cannot be opened or written', () => {
    savePrivateFile(file, utf8('text'));
    const below = join(file, 'deeper.json');
    expect(() => loadPrivateFile(below)).toThrow(refused('PRIVATE_FILE_UNAVAILABLE', { found: 'ENOTDIR' }));
    const missing = join(folder, 'missing', 'secret.json');
    expect(() => savePrivateFile(missing, utf8('text'))).toThrow(
      refused('PRIVATE_FILE_UNAVAILABLE', { found: 'ENOENT' }),
    );
  });
});

describe('the folder of a private file', () => {
  it('is made for its owner alone', () => {
    makePrivateFolder(join(folder, 'a', 'b'));
    expect(statSync(join(folder, 'a', 'b')).mode & 0o777).toBe(0o700);
  });

  it.each([
    [0o777, true],
    [0o770, true],
    [0o755, false],
    [0o1777, false],
  ])('with mode %o is refused: %s', (mode, isRefused) => {
    chmodSync(folder, mode);
    const make = expect(() => makePrivateFolder(folder));
    if (isRefused) make.toThrow(refused('PRIVATE_FILE_MODE', { expected: '700' }));
    else make.not.toThrow();
  });
});

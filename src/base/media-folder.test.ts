import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { concatBytes, utf8 } from '#base/bytes.ts';
import { type MediaFolder, openMediaFolder } from '#base/media-folder.ts';

let medium: string;
let root: string;
let media: MediaFolder;
beforeEach(() => {
  medium = mkdtempSync(join(tmpdir(), 'consilium-medium-'));
  root = join(medium, 'consilium-bundle');
  media = openMediaFolder(root);
});
afterEach(() => rmSync(medium, { recursive: true, force: true }));

async function readPieces(name: string, bytes: number): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of media.read(name, bytes)) pieces.push(piece);
  return pieces;
}

describe('a folder on a medium', () => {
  it('is none before the first file, and then holds what was saved', async () => {
    expect(media.list()).toBeUndefined();
    await media.save('log/a.note', utf8('first'));
    await media.save('log/a.note', utf8('second'));
    await media.save('MANIFEST.dsse', utf8('last'));
    expect(media.list()).toEqual(
      new Map([
        ['MANIFEST.dsse', 4],
        ['log/a.note', 6],
      ]),
    );
    expect(concatBytes(...(await readPieces('log/a.note', 6)))).toEqual(utf8('second'));
    await media.remove('log/a.note');
    expect([...(media.list()?.keys() ?? [])]).toEqual(['MANIFEST.dsse']);
    expect(readdirSync(join(root, 'log'))).toEqual([]);
  });

  it('reads a file of several pieces whole', async () => {
    const long = new Uint8Array(9 * 1024 * 1024 + 7).map((_, at) => at % 251);
    await media.save('models/long', long);
    const pieces = await readPieces('models/long', long.length);
    expect(pieces.length).toBeGreaterThan(2);
    expect(Buffer.compare(concatBytes(...pieces), long)).toBe(0);
  });

  it('is not made where its medium is not there', async () => {
    const gone = openMediaFolder(join(medium, 'gone', 'consilium-bundle'));
    await expect(gone.save('log/a', utf8('a'))).rejects.toMatchObject({
      code: 'MEDIA_UNAVAILABLE',
      details: { found: 'ENOENT' },
    });
  });

  it.each([
    '../a',
    'log/../a',
    '/a',
    'log/a/b',
    '..',
    'log/.',
    'a\0b',
    'log/a ',
    'log/a.',
    'a\\b',
    '',
    'log/ä',
    `log/${'a'.repeat(101)}`,
  ])('never reaches for %j', async (name) => {
    mkdirSync(root);
    await expect(readPieces(name, 1)).rejects.toMatchObject({ code: 'BAD_BUNDLE' });
    await expect(media.save(name, utf8('a'))).rejects.toMatchObject({ code: 'BAD_BUNDLE' });
    await expect(media.remove(name)).rejects.toMatchObject({ code: 'BAD_BUNDLE' });
    expect(readdirSync(medium)).toEqual(['consilium-bundle']);
  });

  it.each<[string, () => void]>([
    ['a link to a file', () => symlinkSync('/etc/hostname', join(root, 'log', 'link'))],
    ['a link to a folder', () => symlinkSync('/etc', join(root, 'trust'))],
    ['a link to nothing', () => symlinkSync('/nowhere', join(root, 'log', 'link'))],
    ['a pipe', () => void execFileSync('mkfifo', [join(root, 'log', 'pipe')])],
    ['a folder in a folder', () => mkdirSync(join(root, 'log', 'deeper'))],
    ['a name with a space', () => writeFileSync(join(root, 'log', 'a b'), '')],
    ['a hidden file', () => writeFileSync(join(root, '.DS_Store'), '')],
    ['a name outside of ASCII', () => writeFileSync(join(root, 'log', 'é'), '')],
    [
      'two names that differ only by case',
      () => {
        writeFileSync(join(root, 'log', 'a'), '');
        writeFileSync(join(root, 'log', 'A'), '');
      },
    ],
    [
      'more files than a bundle may have',
      () => {
        for (let number = 0; number < 10_100; number += 1) writeFileSync(join(root, 'log', `n${number}`), '');
      },
    ],
  ])('that holds %s is refused', (_what, plant) => {
    mkdirSync(join(root, 'log'), { recursive: true });
    plant();
    expect(() => media.list()).toThrow(expect.objectContaining({ code: 'BAD_BUNDLE' }));
  });

  it('that is itself a link is refused, and nothing is written through it', async () => {
    const elsewhere = join(medium, 'elsewhere');
    mkdirSync(elsewhere);
    symlinkSync(elsewhere, root);
    expect(() => media.list()).toThrow(expect.objectContaining({ code: 'BAD_BUNDLE' }));
    await expect(media.save('MANIFEST.dsse', utf8('a'))).rejects.toMatchObject({ code: 'BAD_BUNDLE' });
    rmSync(root);
    mkdirSync(root);
    symlinkSync(elsewhere, join(root, 'log'));
    await expect(media.save('log/a', utf8('a'))).rejects.toMatchObject({ code: 'BAD_BUNDLE' });
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  it.each<[string, (file: string) => void]>([
    [
      'a link to a file of that length',
      (file) => {
        writeFileSync(join(medium, 'elsewhere'), 'abcd');
        symlinkSync(join(medium, 'elsewhere'), file);
      },
    ],
    ['a pipe', (file) => void execFileSync('mkfifo', [file])],
    ['a longer file', (file) => writeFileSync(file, 'abcde')],
    ['a shorter file', (file) => writeFileSync(file, 'abc')],
    ['a folder', (file) => mkdirSync(file)],
  ])('does not read %s that was put in the place of a listed file', async (_what, exchange) => {
    mkdirSync(join(root, 'log'), { recursive: true });
    exchange(join(root, 'log', 'a'));
    await expect(readPieces('log/a', 4)).rejects.toMatchObject({ code: 'BAD_BUNDLE' });
  });

  it('replaces a link that was planted in the place of a temporary file, and leaves what it led to', async () => {
    const target = join(medium, 'target');
    writeFileSync(target, 'untouched');
    mkdirSync(join(root, 'log'), { recursive: true });
    symlinkSync(target, join(root, 'log', 'a.tmp'));
    await media.save('log/a', utf8('saved'));
    expect(readFileSync(target, 'utf8')).toBe('untouched');
    expect(readFileSync(join(root, 'log', 'a'), 'utf8')).toBe('saved');
  });
});

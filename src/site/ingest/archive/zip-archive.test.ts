import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ZipMember, zipFile } from '#support/zip-file.ts';
import { type ArchiveLimits, defaultArchiveLimits, openZipArchive } from './zip-archive.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'consilium-zip-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const words = Buffer.from('some words of a file '.repeat(50));

/** Opens the archive and reads all of it; its files by name, or the code it is refused with. */
async function readAll(bytes: Buffer, limits: ArchiveLimits = defaultArchiveLimits) {
  const file = path.join(folder, 'archive.zip');
  writeFileSync(file, bytes);
  const descriptor = openSync(file, 'r');
  try {
    const { files } = await openZipArchive({ descriptor, size: statSync(file).size }, limits);
    const read: Record<string, Buffer> = {};
    for (const { name, read: open } of files) {
      const chunks: Buffer[] = [];
      for await (const chunk of open()) chunks.push(chunk);
      read[name] = Buffer.concat(chunks);
    }
    return read;
  } catch (error) {
    return (error as { code: unknown }).code;
  } finally {
    closeSync(descriptor);
  }
}

describe('a zip archive', () => {
  it('gives its files, packed or stored, and no folders', async () => {
    const found = await readAll(
      zipFile([
        { name: 'a/', content: Buffer.alloc(0), mode: 0o040755, isStored: true },
        { name: 'a/one.txt', content: words },
        { name: 'zwei ä.txt', content: words, isStored: true },
        { name: 'empty', content: Buffer.alloc(0) },
      ]),
    );
    expect(found).toEqual({ 'a/one.txt': words, 'zwei ä.txt': words, empty: Buffer.alloc(0) });
  });

  const one = (member: Partial<ZipMember>): Buffer => zipFile([{ name: 'a', content: words, ...member }]);
  const named = (...names: string[]): Buffer => zipFile(names.map((name) => ({ name, content: words })));
  const good = named('a', 'b');
  it.each([
    ['a link', 'ARCHIVE_SPECIAL_FILE', one({ mode: 0o120777 })],
    ['a device', 'ARCHIVE_SPECIAL_FILE', one({ mode: 0o060600 })],
    ['a pipe', 'ARCHIVE_SPECIAL_FILE', one({ mode: 0o010600 })],
    ['an absolute path', 'ARCHIVE_UNSAFE_NAME', named('/etc/passwd')],
    ['a path upwards', 'ARCHIVE_UNSAFE_NAME', named('a/../../b')],
    ['a path upwards with backslashes', 'ARCHIVE_UNSAFE_NAME', named('a\\..\\..\\b')],
    ['a drive', 'ARCHIVE_UNSAFE_NAME', named('C:/b')],
    ['a control character', 'ARCHIVE_UNSAFE_NAME', named('a\u0007b')],
    ['a NUL character', 'ARCHIVE_UNSAFE_NAME', named('a\0b')],
    ['a name twice', 'ARCHIVE_NAME_COLLISION', named('a', 'a')],
    ['names that differ in case', 'ARCHIVE_NAME_COLLISION', named('a/B', 'A/b')],
    ['names that differ in Unicode form', 'ARCHIVE_NAME_COLLISION', named('\u00e4', 'a\u0308')],
    ['names of one compatible spelling', 'ARCHIVE_NAME_COLLISION', named('\ufb01le', 'file')],
    ['a folder called like a file', 'ARCHIVE_NAME_COLLISION', named('a', 'a/')],
    ['an encrypted file', 'ARCHIVE_ENCRYPTED', one({ isEncrypted: true })],
    ['a wrong check sum', 'ARCHIVE_DAMAGED', one({ statedSum: 1 })],
    ['more bytes than stated', 'ARCHIVE_DAMAGED', one({ statedSize: 10 })],
    ['fewer bytes than stated', 'ARCHIVE_DAMAGED', one({ statedSize: 5_000 })],
    ['its end cut off', 'ARCHIVE_DAMAGED', good.subarray(0, -10)],
    ['its beginning cut off', 'ARCHIVE_DAMAGED', good.subarray(40)],
    ['bytes that are no archive', 'ARCHIVE_DAMAGED', Buffer.from('PK\u0003\u0004 and no more')],
    ['ten million zeros', 'ARCHIVE_RATIO', one({ content: Buffer.alloc(10_000_000) })],
  ])('is refused with %s: %s', async (_, code, bytes) => {
    expect(await readAll(bytes)).toBe(code);
  });

  it('is refused with too many files, or too many bytes', async () => {
    const limits = { ...defaultArchiveLimits, maxFiles: 2 };
    expect(await readAll(named('a', 'b', 'c'), limits)).toBe('ARCHIVE_TOO_MANY_FILES');
    expect(await readAll(named('a', 'b'), { ...limits, maxUnpackedBytes: 1_500 })).toBe('ARCHIVE_TOO_LARGE');
    expect(await readAll(named('a', 'b'), limits)).toEqual({ a: words, b: words });
  });
});

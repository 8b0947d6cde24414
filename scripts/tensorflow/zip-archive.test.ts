import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { extractMember, listMembers } from './zip-archive.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'zip-archive-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A zip file as APPNOTE 6.3.10 section 4.3 lays it out. */
function zip(members: readonly { name: string; content: Buffer; deflated: boolean }[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, deflated } of members) {
    const data = deflated ? deflateRawSync(content) : content;
    const extra = Buffer.from([1, 2, 3]);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    local.writeUInt16LE(extra.length, 28);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(deflated ? 8 : 0, 10);
    entry.writeUInt32LE(data.length, 20);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    parts.push(local, Buffer.from(name), extra, data);
    directory.push(entry, Buffer.from(name));
    offset += local.length + name.length + extra.length + data.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end, Buffer.from('a comment')]);
}

describe('the zip reader', () => {
  it('takes out stored and deflated members by name', async () => {
    const file = path.join(folder, 'archive.zip');
    const stored = Buffer.from('kept as it is');
    const deflated = Buffer.alloc(3_000_000, 'abcdefgh');
    writeFileSync(
      file,
      zip([
        { name: 'folder/stored', content: stored, deflated: false },
        { name: 'folder/deflated', content: deflated, deflated: true },
      ]),
    );
    const members = await listMembers(file);
    expect([...members.keys()]).toEqual(['folder/stored', 'folder/deflated']);
    for (const [name, content] of [
      ['folder/stored', stored],
      ['folder/deflated', deflated],
    ] as const) {
      const member = members.get(name);
      if (member !== undefined) await extractMember(file, member, path.join(folder, 'out'));
      expect(readFileSync(path.join(folder, 'out')).equals(content)).toBe(true);
    }
  });

  it('refuses a file that is no archive', async () => {
    const file = path.join(folder, 'page.html');
    writeFileSync(file, '<html>not found</html>'.repeat(10));
    await expect(listMembers(file)).rejects.toThrow('not a zip file');
  });
});

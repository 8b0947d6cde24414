// Reads single members of a zip file without unpacking the rest (PKWARE APPNOTE 6.3: stored and deflated members, no zip64).
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';

export interface ZipMember {
  readonly name: string;
  readonly method: number;
  readonly compressedSize: number;
  readonly headerOffset: number;
}

const endSignature = 0x06054b50;
const memberSignature = 0x02014b50;
const endRecordSize = 22;
const longestComment = 0xffff;

/** All members of the archive by name, from its central directory. @throws Error when it is no zip file. */
export async function listMembers(file: string): Promise<Map<string, ZipMember>> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const tail = Buffer.alloc(Math.min(size, endRecordSize + longestComment));
    await handle.read(tail, 0, tail.length, size - tail.length);
    let end = tail.length - endRecordSize;
    while (end >= 0 && tail.readUInt32LE(end) !== endSignature) end -= 1;
    if (end < 0) throw new Error('not a zip file');
    const directory = Buffer.alloc(tail.readUInt32LE(end + 12));
    await handle.read(directory, 0, directory.length, tail.readUInt32LE(end + 16));
    return readDirectory(directory);
  } finally {
    await handle.close();
  }
}

function readDirectory(directory: Buffer): Map<string, ZipMember> {
  const members = new Map<string, ZipMember>();
  let at = 0;
  while (at + 46 <= directory.length && directory.readUInt32LE(at) === memberSignature) {
    const nameLength = directory.readUInt16LE(at + 28);
    const name = directory.toString('utf8', at + 46, at + 46 + nameLength);
    members.set(name, {
      name,
      method: directory.readUInt16LE(at + 10),
      compressedSize: directory.readUInt32LE(at + 20),
      headerOffset: directory.readUInt32LE(at + 42),
    });
    at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return members;
}

/** Writes one member's content to `target`. */
export async function extractMember(file: string, member: ZipMember, target: string): Promise<void> {
  const handle = await open(file, 'r');
  const header = Buffer.alloc(30);
  await handle.read(header, 0, header.length, member.headerOffset);
  await handle.close();
  const start = member.headerOffset + header.length + header.readUInt16LE(26) + header.readUInt16LE(28);
  const chunk = { highWaterMark: 1 << 20 };
  const source = createReadStream(file, { ...chunk, start, end: start + member.compressedSize - 1 });
  const sink = createWriteStream(target, chunk);
  if (member.method === 0) await pipeline(source, sink);
  else if (member.method === 8) await pipeline(source, createInflateRaw({ chunkSize: 1 << 20 }), sink);
  else throw new Error(`zip method ${member.method} is not supported`);
}

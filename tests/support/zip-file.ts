// Writes zip archives, also such as no honest program writes.
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipMember {
  readonly name: string;
  readonly content: Uint8Array;
  /** Unix file mode with its kind, e.g. 0o120777 for a link. */
  readonly mode?: number;
  readonly isStored?: boolean;
  readonly isEncrypted?: boolean;
  /** Instead of the true ones. */
  readonly statedSize?: number;
  readonly statedSum?: number;
}

export function zipFile(members: readonly ZipMember[]): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const member of members) {
    const name = Buffer.from(member.name);
    const packed = member.isStored === true ? Buffer.from(member.content) : deflateRawSync(member.content);
    const fixed = Buffer.alloc(26);
    fixed.writeUInt16LE(20, 0);
    fixed.writeUInt16LE(0x800 | (member.isEncrypted === true ? 1 : 0), 2);
    fixed.writeUInt16LE(member.isStored === true ? 0 : 8, 4);
    fixed.writeUInt32LE(member.statedSum ?? crc32(member.content), 10);
    fixed.writeUInt32LE(packed.length, 14);
    fixed.writeUInt32LE(member.statedSize ?? member.content.length, 18);
    fixed.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('504b0304', 'hex'), fixed, name, packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(((member.mode ?? 0o100644) << 16) >>> 0, 6);
    rest.writeUInt32LE(offset, 10);
    centrals.push(Buffer.concat([Buffer.from('504b01021403', 'hex'), fixed, rest, name]));
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.writeUInt32BE(0x504b0506, 0);
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, central, end]);
}

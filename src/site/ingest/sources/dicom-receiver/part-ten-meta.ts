// The beginning of a Part 10 file (PS3.10 section 7.1) for a data set that came over the network: preamble, mark and fresh meta
// information. Who sent it is not kept.

/** UID and name under which this software writes files and answers associations (PS3.7 Annex D.3.3.2). */
export const implementationClassUid = '2.25.236098713467512093471836420198374650913';
export const implementationVersionName = 'CONSILIUM_1';

export interface FileMeta {
  readonly sopClass: string;
  readonly sopInstance: string;
  readonly transferSyntax: string;
}

/** 128 zero bytes, `DICM`, group 0002 in Explicit VR Little Endian. The data set follows. */
export function encodeFileMeta({ sopClass, sopInstance, transferSyntax }: FileMeta): Buffer {
  const version = Buffer.from([0x02, 0x00, 0x01, 0x00, 0x4f, 0x42, 0, 0, 2, 0, 0, 0, 0, 1]);
  const elements = Buffer.concat([
    version,
    shortElement(0x02, 'UI', sopClass),
    shortElement(0x03, 'UI', sopInstance),
    shortElement(0x10, 'UI', transferSyntax),
    shortElement(0x12, 'UI', implementationClassUid),
    shortElement(0x13, 'SH', implementationVersionName),
  ]);
  const length = Buffer.from([0x02, 0x00, 0x00, 0x00, 0x55, 0x4c, 4, 0, 0, 0, 0, 0]);
  length.writeUInt32LE(elements.length, 8);
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM', 'latin1'), length, elements]);
}

function shortElement(number: number, representation: 'UI' | 'SH', text: string): Buffer {
  const padded = text.length % 2 === 0 ? text : text + (representation === 'UI' ? '\0' : ' ');
  const header = Buffer.alloc(8);
  header.writeUInt16LE(2, 0);
  header.writeUInt16LE(number, 2);
  header.write(representation, 4, 'latin1');
  header.writeUInt16LE(padded.length, 6);
  return Buffer.concat([header, Buffer.from(padded, 'latin1')]);
}

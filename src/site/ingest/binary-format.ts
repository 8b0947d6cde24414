// Tells images and archives from their first bytes, whatever they are called; everything else is text of some format.
import { isDicom } from './dicom/parse-dicom.ts';

export type BinaryFormat = 'dicom' | 'zip';

/** @param head at least the first 4 KiB of the file, or all of it */
export function recogniseBinary(head: Uint8Array): BinaryFormat | null {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (isDicom(bytes)) return 'dicom';
  return isZip(bytes) ? 'zip' : null;
}

/** A local file header, or the end of an archive without files (APPNOTE 4.3.7, 4.3.16). */
function isZip(bytes: Buffer): boolean {
  const mark = bytes.length < 4 ? 0 : bytes.readUInt32BE(0);
  return mark === 0x504b0304 || mark === 0x504b0506;
}

/** Whether the bytes begin as archives of any kind do: zip, gzip, 7z, rar, xz, bzip2, tar. */
export function isArchive(head: Uint8Array): boolean {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  const marks = ['504b0304', '504b0506', '1f8b', '377abcaf271c', '526172211a07', 'fd377a585a00', '425a68'];
  const start = bytes.subarray(0, 6).toString('hex');
  return marks.some((mark) => start.startsWith(mark)) || bytes.toString('latin1', 257, 262) === 'ustar';
}

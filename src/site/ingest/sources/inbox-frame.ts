// Layout of an inbox segment: `CSIB` 0x01, a random id (16), then frames: length (u32, big endian), flags (u8), AES-256-GCM under the
// segment's own key with the frame's number as nonce. Only lengths can be read on the disk.
import { concatBytes, fromUtf8, utf8 } from '#base/bytes.ts';
import { hmacSha256 } from '#federation/crypto/digest.ts';
import { FRAME_TAG_BYTES, openFrame, sealFrame } from '#federation/crypto/frame-seal.ts';

const mark = Buffer.from([0x43, 0x53, 0x49, 0x42, 0x01]);
const idBytes = 16;
export const segmentHeaderBytes = mark.length + idBytes;
export const frameHeaderBytes = 5;
/** Plaintext of one frame: larger entries have several. AES-GCM is fastest near this size. */
export const maxFrameBytes = 1_048_576;
const maxSealedBytes = maxFrameBytes + 8_192 + FRAME_TAG_BYTES;

/** The frame begins an entry; it ends an entry. */
export const firstFlag = 1;
export const lastFlag = 2;

export interface InboxEntryHeader {
  /** Which kind of source it came from, e.g. `dicom-receiver`. */
  readonly kind: string;
  /** The source's name at this site, as an administrator configured it. */
  readonly label: string;
  /** ISO time. */
  readonly receivedAt: string;
  /** What a file of it would be called. */
  readonly name: string;
}

/** 32 bytes: what the inbox of a site is sealed under, from the key that seals names. */
export function deriveInboxKey(linkageKey: Uint8Array): Uint8Array {
  return hmacSha256(linkageKey, utf8('consilium/inbox/v1'));
}

export function encodeSegmentHeader(segmentId: Uint8Array): Uint8Array {
  return concatBytes(mark, segmentId);
}

/** The segment's key, or undefined where the bytes begin no segment. */
export function openSegmentKey(inboxKey: Uint8Array, header: Uint8Array): Uint8Array | undefined {
  if (header.length < segmentHeaderBytes || mark.compare(header, 0, mark.length) !== 0) return undefined;
  return hmacSha256(inboxKey, header.subarray(mark.length, segmentHeaderBytes));
}

/** One frame in parts, to be written together. */
export function encodeFrame(
  place: { readonly key: Uint8Array; readonly number: number },
  flags: number,
  parts: readonly Uint8Array[],
): Uint8Array[] {
  const header = Buffer.alloc(frameHeaderBytes);
  const length = parts.reduce((total, part) => total + part.length, 0);
  header.writeUInt32BE(length + FRAME_TAG_BYTES);
  header[4] = flags;
  return [header, ...sealFrame({ ...place, aad: header.subarray(4) }, parts)];
}

/** Length of the sealed part, or undefined where the bytes cannot begin a frame: a torn tail. */
export function parseFrameHeader(header: Uint8Array): { length: number; flags: number } | undefined {
  if (header.length < frameHeaderBytes) return undefined;
  const view = Buffer.from(header.buffer, header.byteOffset, header.byteLength);
  const length = view.readUInt32BE(0);
  const flags = view[4] ?? 0;
  if (length < FRAME_TAG_BYTES || length > maxSealedBytes || flags > (firstFlag | lastFlag)) return undefined;
  return { length, flags };
}

/** @throws CryptoError DECRYPT_FAILED. */
export function openFrameBytes(
  place: { readonly key: Uint8Array; readonly number: number },
  flags: number,
  sealed: Uint8Array,
): Uint8Array {
  return openFrame({ ...place, aad: new Uint8Array([flags]) }, sealed);
}

/** Length (u16) and JSON: how the first frame of an entry begins. */
export function encodeEntryHeader(header: InboxEntryHeader): Uint8Array {
  const { kind, label, receivedAt, name } = header;
  const json = utf8(JSON.stringify({ kind, label, receivedAt, name }));
  if (json.length > 8_000) throw new RangeError('the header of an inbox entry is too long');
  return concatBytes(new Uint8Array([json.length >> 8, json.length & 0xff]), json);
}

export function parseEntryHeader(frame: Uint8Array): { header: InboxEntryHeader; bytes: Uint8Array } {
  const end = 2 + (((frame[0] ?? 0) << 8) | (frame[1] ?? 0));
  return { header: JSON.parse(fromUtf8(frame.subarray(2, end))), bytes: frame.subarray(end) };
}

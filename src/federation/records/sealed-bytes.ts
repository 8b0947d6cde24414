// The two layouts of a sealed update, byte by byte (docs/formats/sealed-update.md): the file, and what is encrypted in it.
// Lengths are u32, big-endian. Every length is checked against what is there before a byte is taken.
import { concatBytes, equalBytes, utf8 } from '#base/bytes.ts';
import { SealedUpdateError } from '#federation/records/sealed-update-error.ts';

/** "CNSLUPD" and the version of the layout. */
const MAGIC = concatBytes(utf8('CNSLUPD'), new Uint8Array([1]));
/** A transport statement has a few kilobytes; more is an attempt to make the reader work. */
const MAX_OUTER_BYTES = 64 * 1024;
const MAX_ENVELOPE_BYTES = 256 * 1024;
const MAX_APPROVALS = 16;

export interface SealedFile {
  /** DSSE envelope of the transport statement. */
  readonly outer: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** What a ciphertext holds. */
export interface SealedContent {
  /** DSSE envelope of the update statement. */
  readonly update: Uint8Array;
  /** DSSE envelopes of the stewards' approvals. */
  readonly approvals: readonly Uint8Array[];
  /** safetensors. */
  readonly payload: Uint8Array;
}

/** magic ‖ length ‖ outer ‖ ciphertext. */
export function encodeSealedFile({ outer, ciphertext }: SealedFile): Uint8Array {
  return concatBytes(MAGIC, withLength(outer), ciphertext);
}

/** Takes a file apart; nothing is verified or decrypted. @throws SealedUpdateError BAD_BUNDLE. */
export function readSealedUpdate(file: Uint8Array): SealedFile {
  if (!equalBytes(file.subarray(0, MAGIC.length), MAGIC)) throw badBundle('magic and version');
  const reader = createReader(file, MAGIC.length);
  return { outer: reader.takeBlock(MAX_OUTER_BYTES), ciphertext: reader.rest() };
}

/** length ‖ update ‖ count ‖ (length ‖ approval) for each ‖ payload. */
export function encodeSealedContent({ update, approvals, payload }: SealedContent): Uint8Array {
  return concatBytes(withLength(update), uint32(approvals.length), ...approvals.map(withLength), payload);
}

/** @throws SealedUpdateError BAD_BUNDLE. */
export function parseSealedContent(plaintext: Uint8Array): SealedContent {
  const reader = createReader(plaintext, 0);
  const update = reader.takeBlock(MAX_ENVELOPE_BYTES);
  const approvalCount = reader.takeUint32(MAX_APPROVALS);
  const approvals = Array.from({ length: approvalCount }, () => reader.takeBlock(MAX_ENVELOPE_BYTES));
  return { update, approvals, payload: reader.rest() };
}

interface Reader {
  /** A number that must not be above `limit`. */
  takeUint32(limit: number): number;
  /** A length, then that many bytes. */
  takeBlock(maxBytes: number): Uint8Array;
  rest(): Uint8Array;
}

function createReader(bytes: Uint8Array, start: number): Reader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = start;
  const take = (length: number): number => {
    if (length > bytes.length - at) throw badBundle('a length that runs past the end');
    at += length;
    return at - length;
  };
  const takeUint32 = (limit: number): number => {
    const value = view.getUint32(take(4));
    if (value > limit) throw badBundle('a length or count above its limit');
    return value;
  };
  return {
    takeUint32,
    takeBlock: (maxBytes) => {
      const length = takeUint32(maxBytes);
      const from = take(length);
      return bytes.subarray(from, from + length);
    },
    rest: () => bytes.subarray(at),
  };
}

function withLength(bytes: Uint8Array): Uint8Array {
  return concatBytes(uint32(bytes.length), bytes);
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function badBundle(what: string): SealedUpdateError {
  return new SealedUpdateError('BAD_BUNDLE', `These bytes are no sealed update: ${what}.`);
}

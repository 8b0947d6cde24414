// The files of an exported log: leaves.jsonl, details.jsonl, checkpoints.txt, and the trust file they are checked with.

import { z } from 'zod';
import { concatBytes, fromBase64, fromHex, fromUtf8, isUtf8, toBase64, toHex } from '#base/bytes.ts';
import { CodedError } from '#base/coded-error.ts';
import { DETAIL_SALT_BYTES } from '#federation/log/leaf.ts';
import type { StoredDetail } from '#federation/log/log-storage.ts';
import { noteText } from '#federation/log/signed-note.ts';
import { type LogTrust, type LogVerification, verifyLog } from '#federation/log/verify-log.ts';

export type LogTrustCode = 'BAD_LOG_TRUST';
export class LogTrustError extends CodedError<LogTrustCode> {}

const trustFile = z.strictObject({
  logs: z
    .array(
      z.strictObject({
        origin: z.string().regex(/^[^\s+]+$/),
        /** Ed25519 SubjectPublicKeyInfo (DER), base64. */
        publicKey: z.base64().max(400),
        /** What others hold of this log. */
        witnessed: z
          .array(z.strictObject({ size: z.int().min(0), rootHash: z.string().regex(/^[0-9a-f]{64}$/) }))
          .optional(),
      }),
    )
    .min(1),
});

/** One log of a trust file. More than one entry with the same origin means more than one trusted key. */
export type LogTrustEntry = z.infer<typeof trustFile>['logs'][number];

/** A file's bytes: whole, or in blocks, which may be the same memory each time. */
export type FileBytes = Uint8Array | Iterable<Uint8Array>;

export interface ExportedLog {
  readonly leaves: FileBytes;
  readonly details: FileBytes;
  readonly checkpoints: Uint8Array;
}

/** A line of details.jsonl, without line feed. `detail` stays text, so that its digest is over its very bytes. */
export function encodeDetailLine({ seq, salt, detail }: StoredDetail): string {
  return JSON.stringify({ seq, salt: toBase64(salt), detail });
}

/** checkpoints.txt: signed notes, each followed by an empty line. */
export function encodeCheckpointFile(notes: readonly string[]): string {
  return notes.map((note) => `${note}\n`).join('');
}

/** A trust file's text. */
export function encodeLogTrust(entries: readonly LogTrustEntry[]): string {
  return `${JSON.stringify({ logs: entries }, null, 2)}\n`;
}

/**
 * The logs that a trust file names.
 * @throws LogTrustError BAD_LOG_TRUST
 */
export function parseLogTrust(text: string): LogTrust[] {
  try {
    const { logs } = trustFile.parse(JSON.parse(text));
    return [...new Set(logs.map((log) => log.origin))].map((origin) => {
      const own = logs.filter((log) => log.origin === origin);
      return {
        origin,
        publicKeys: own.map((log) => fromBase64(log.publicKey)),
        witnessed: own.flatMap((log) =>
          (log.witnessed ?? []).map(({ size, rootHash }) => ({ size, rootHash: fromHex(rootHash) })),
        ),
      };
    });
  } catch (cause) {
    throw new LogTrustError('BAD_LOG_TRUST', 'the trust file is not a list of log keys', { cause });
  }
}

/** Checks an exported log against its key. Every entry must be under a signed checkpoint. */
export function verifyExportedLog(log: ExportedLog, trust: LogTrust): LogVerification {
  return verifyLog({
    leaves: leafLines(log.leaves),
    details: detailLines(log.details),
    checkpoints: splitCheckpoints(log.checkpoints),
    trust,
    isRunning: false,
  });
}

/** The origin that an exported log claims, by its first checkpoint; undefined where it has none. Chooses a trust entry, proves nothing. */
export function claimedOrigin(log: ExportedLog): string | undefined {
  return splitCheckpoints(log.checkpoints)[0]?.split('\n', 1)[0];
}

function* leafLines(bytes: FileBytes): Iterable<{ readonly line: string }> {
  for (const line of lines(bytes)) yield { line: line ?? '' };
}

function* detailLines(bytes: FileBytes): Iterable<StoredDetail | null> {
  for (const line of lines(bytes)) yield line === null ? null : parseDetail(line);
}

/** By hand: a schema for each of a million lines would take as long as the hashes of the log. */
function parseDetail(line: string): StoredDetail | null {
  try {
    const { seq, salt, detail, ...more } = JSON.parse(line) as Record<string, unknown>;
    for (const _ in more) return null;
    if (!Number.isSafeInteger(seq) || (seq as number) < 0) return null;
    if (typeof salt !== 'string' || typeof detail !== 'string') return null;
    const saltBytes = fromBase64(salt);
    return saltBytes.length === DETAIL_SALT_BYTES ? { seq: seq as number, salt: saltBytes, detail } : null;
  } catch {
    return null;
  }
}

function splitCheckpoints(bytes: Uint8Array): string[] {
  let text: string;
  try {
    text = noteText(bytes);
  } catch {
    return [toHex(bytes.subarray(0, 32))];
  }
  // A note has one empty line, before its signatures; the file puts one more after them.
  const blocks = text.split('\n\n');
  const notes: string[] = [];
  for (let index = 0; index < blocks.length; index += 2) {
    const body = blocks[index] ?? '';
    if (index === blocks.length - 1 && body === '') break;
    notes.push(blocks[index + 1] === undefined ? body : `${body}\n\n${blocks[index + 1]}\n`);
  }
  return notes;
}

/** Lines of a file; null for one that is not UTF-8. The last line feed ends the last line. Memory: a block and the longest line. */
function* lines(bytes: FileBytes): Iterable<string | null> {
  let rest: Uint8Array = new Uint8Array();
  for (const block of bytes instanceof Uint8Array ? [bytes] : bytes) {
    const joined = rest.length === 0 ? block : concatBytes(rest, block);
    const end = joined.lastIndexOf(0x0a) + 1;
    yield* wholeLines(joined.subarray(0, end));
    // A copy: the block's memory may be the next one's.
    rest = joined.slice(end);
  }
  if (rest.length > 0) yield decode(rest);
}

/** @param bytes end with a line feed, or are none */
function* wholeLines(bytes: Uint8Array): Iterable<string | null> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // One look at all of them is faster than a strict decoder for each; a bad one is found line by line.
  const areText = isUtf8(bytes);
  for (let start = 0; start < buffer.length; ) {
    const end = buffer.indexOf(0x0a, start);
    yield areText ? buffer.toString('utf8', start, end) : decode(buffer.subarray(start, end));
    start = end + 1;
  }
}

function decode(bytes: Uint8Array): string | null {
  try {
    return fromUtf8(bytes);
  } catch {
    return null;
  }
}

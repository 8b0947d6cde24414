// One entry of a log: a line of JSON with fixed fields in fixed order. Names nobody but staff; details lie beside it under a
// salted digest, so that they can be erased while the tree stays whole (security.md A1; docs/formats/audit-log.md).
import { concatBytes, utf8 } from '#base/bytes.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { LogError } from '#federation/log/log-error.ts';

export type Outcome = 'success' | 'refused' | 'failed';

export interface Leaf {
  /** From 0, no gaps. */
  readonly seq: number;
  /** ISO time, UTC, milliseconds. */
  readonly time: string;
  /** Rises by one each time the log is opened by a new process. */
  readonly boot: number;
  /** Random name of that process. */
  readonly bootId: string;
  /** Leaf hash of the entry before, 64 hex digits (zeros for seq 0): tells which very entry was changed. */
  readonly previous: string;
  readonly actor: string;
  readonly role: string | null;
  readonly onBehalfOf: string | null;
  readonly session: string | null;
  readonly action: string;
  /** Type and pseudonymous id, e.g. `update:3f…`. */
  readonly object: string | null;
  readonly researchStudyId: string | null;
  readonly round: number | null;
  readonly outcome: Outcome;
  /** A code. */
  readonly reason: string | null;
  /** sha256(salt ‖ detail text), 64 hex digits. */
  readonly detailDigest: string | null;
  readonly softwareVersion: string;
}

/** `previous` of the first leaf. */
export const NO_LEAF_HASH = '0'.repeat(64);
export const DETAIL_SALT_BYTES = 32;
/** Action of the entry that the log itself writes before one whose time is earlier than the last one's. */
export const CLOCK_SET_BACK_ACTION = 'clock-set-back';

/** The line, without line feed. JSON.stringify escapes line feeds and lone surrogates, so it is one line of valid UTF-8. */
export function encodeLeaf(leaf: Leaf): string {
  return JSON.stringify({
    seq: leaf.seq,
    time: leaf.time,
    boot: leaf.boot,
    bootId: leaf.bootId,
    previous: leaf.previous,
    actor: leaf.actor,
    role: leaf.role,
    onBehalfOf: leaf.onBehalfOf,
    session: leaf.session,
    action: leaf.action,
    object: leaf.object,
    researchStudyId: leaf.researchStudyId,
    round: leaf.round,
    outcome: leaf.outcome,
    reason: leaf.reason,
    detailDigest: leaf.detailDigest,
    softwareVersion: leaf.softwareVersion,
  });
}

/** The leaf of a line. Only the exact bytes that encodeLeaf writes pass. @throws LogError BAD_LEAF. */
export function parseLeaf(line: string): Leaf {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new LogError('BAD_LEAF', 'a log entry is not JSON', { cause });
  }
  if (typeof value !== 'object' || value === null)
    throw new LogError('BAD_LEAF', 'a log entry is not an object');
  const leaf = value as Leaf;
  verifyLeaf(leaf);
  // Also refuses unknown and repeated fields, another order, other spacing: two readers never see two meanings.
  if (encodeLeaf(leaf) !== line) throw new LogError('BAD_LEAF', 'a log entry is not in its one form');
  return leaf;
}

/** What of a leaf its type cannot say. @throws LogError BAD_LEAF. */
export function verifyLeaf(leaf: Leaf): void {
  const field = brokenField(leaf);
  if (field !== undefined)
    throw new LogError('BAD_LEAF', 'a log entry has a bad field', { details: { field } });
}

/** sha256(salt ‖ detail), in hexadecimal. The salt keeps an erased detail from being guessed and confirmed. */
export function detailDigest(salt: Uint8Array, detail: string): string {
  return sha256Hex(concatBytes(salt, utf8(detail)));
}

const TIME = /^[0-9]{4}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z$/;
const DIGEST = /^[0-9a-f]{64}$/;
const NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

function brokenField(leaf: Leaf): keyof Leaf | undefined {
  if (!isCount(leaf.seq)) return 'seq';
  if (typeof leaf.time !== 'string' || !TIME.test(leaf.time)) return 'time';
  if (!isCount(leaf.boot)) return 'boot';
  if (typeof leaf.bootId !== 'string') return 'bootId';
  if (typeof leaf.previous !== 'string' || !DIGEST.test(leaf.previous)) return 'previous';
  if (typeof leaf.actor !== 'string' || leaf.actor === '') return 'actor';
  if (!isTextOrNull(leaf.role)) return 'role';
  if (!isTextOrNull(leaf.onBehalfOf)) return 'onBehalfOf';
  if (!isTextOrNull(leaf.session)) return 'session';
  if (typeof leaf.action !== 'string' || !NAME.test(leaf.action)) return 'action';
  if (!isTextOrNull(leaf.object)) return 'object';
  if (!isTextOrNull(leaf.researchStudyId)) return 'researchStudyId';
  if (leaf.round !== null && !isCount(leaf.round)) return 'round';
  if (leaf.outcome !== 'success' && leaf.outcome !== 'refused' && leaf.outcome !== 'failed') return 'outcome';
  if (!isTextOrNull(leaf.reason)) return 'reason';
  if (
    leaf.detailDigest !== null &&
    !(typeof leaf.detailDigest === 'string' && DIGEST.test(leaf.detailDigest))
  ) {
    return 'detailDigest';
  }
  return typeof leaf.softwareVersion === 'string' ? undefined : 'softwareVersion';
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === 'string';
}

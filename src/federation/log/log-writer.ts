// Appends to a log and signs its checkpoints. Shared by the site's audit log and the consortium's log; what differs is the
// storage. What it remembers holds only while the last entry is the very one that it wrote: a transaction that is rolled back, or another
// process, leaves no trace here either.

import { toHex } from '#base/bytes.ts';
import type { Clock } from '#base/clock.ts';
import { isoTime } from '#base/clock.ts';
import type { SigningKey } from '#federation/crypto/signing-key.ts';
import { parseCheckpoint, signCheckpoint } from '#federation/log/checkpoint.ts';
import {
  CLOCK_SET_BACK_ACTION,
  DETAIL_SALT_BYTES,
  detailDigest,
  encodeLeaf,
  type Leaf,
  NO_LEAF_HASH,
  type Outcome,
  parseLeaf,
  verifyLeaf,
} from '#federation/log/leaf.ts';
import { LogError } from '#federation/log/log-error.ts';
import { createLogMemory, type LogMemory } from '#federation/log/log-memory.ts';
import type { LogStorage, StoredLeaf } from '#federation/log/log-storage.ts';
import { completedNodes, hashLeafText, rootHash } from '#federation/log/merkle-tree.ts';

/** A checkpoint is signed at every multiple of this many leaves. */
export const LEAVES_PER_CHECKPOINT = 1000;
/** A checkpoint is signed with the first leaf that comes this long after the last one. */
export const CHECKPOINT_INTERVAL_MS = 10 * 60 * 1000;

export interface LogEvent {
  readonly actor: string;
  readonly role: string | null;
  /** Lower-case words joined by hyphens. */
  readonly action: string;
  readonly outcome: Outcome;
  /** Type and pseudonymous id, e.g. `update:3f…`. */
  readonly object?: string | undefined;
  readonly researchStudyId?: string | undefined;
  readonly round?: number | undefined;
  readonly reason?: string | undefined;
  readonly onBehalfOf?: string | undefined;
  readonly session?: string | undefined;
  /** JSON text kept beside the leaf. No patient data. */
  readonly detail?: string | undefined;
}

export interface LogWriterOptions {
  readonly storage: LogStorage;
  readonly signer: SigningKey;
  /** Name of the log in its checkpoints: no space, no plus sign. */
  readonly origin: string;
  readonly clock: Clock;
  /** Random bytes from the system's generator. */
  readonly random: (length: number) => Uint8Array;
  /** Random name of this process. */
  readonly bootId: string;
  readonly softwareVersion: string;
}

export interface SignedCheckpoint {
  readonly size: number;
  /** Lower-case hexadecimal. */
  readonly rootHash: string;
  /** C2SP signed note. */
  readonly note: string;
}

export interface LogWriter {
  /** Appends a leaf; call inside the transaction of the act. Gives the stored leaf. @throws LogError BAD_LEAF when the last one is damaged. */
  append(event: LogEvent): StoredLeaf;
  /** The checkpoint of the log as it stands; signs a new one where the tree has grown. Call inside a transaction. @throws LogError LOG_DAMAGED. */
  checkpoint(): SignedCheckpoint;
}

export function createLogWriter(given: LogWriterOptions): LogWriter {
  const memory = createLogMemory(given.storage);
  const options = { ...given, memory };
  return {
    append: (event) => append(event, options),
    checkpoint: () => checkpoint(options),
  };
}

interface WriterContext extends LogWriterOptions {
  readonly memory: LogMemory;
}

function append(event: LogEvent, options: WriterContext): StoredLeaf {
  const last = options.storage.lastLeaf();
  const nowMs = options.clock.nowMs();
  if (last === undefined) return addLeaf(event, { nowMs, previous: undefined }, options);
  const previous = options.memory.recall(last) ?? parseLeaf(last.line);
  if (isoTime(nowMs) >= previous.time)
    return addLeaf(event, { nowMs, previous: { stored: last, leaf: previous } }, options);
  const notice = addLeaf(
    clockSetBack(previous.time),
    { nowMs, previous: { stored: last, leaf: previous } },
    options,
  );
  return addLeaf(event, { nowMs, previous: { stored: notice, leaf: parseLeaf(notice.line) } }, options);
}

interface Place {
  readonly nowMs: number;
  readonly previous: { readonly stored: StoredLeaf; readonly leaf: Leaf } | undefined;
}

function clockSetBack(from: string): LogEvent {
  return {
    actor: 'system',
    role: null,
    action: CLOCK_SET_BACK_ACTION,
    outcome: 'failed',
    detail: JSON.stringify({ from }),
  };
}

function addLeaf(event: LogEvent, { nowMs, previous }: Place, options: WriterContext): StoredLeaf {
  const { storage, bootId, memory } = options;
  const seq = previous === undefined ? 0 : previous.stored.seq + 1;
  const salt = event.detail === undefined ? undefined : options.random(DETAIL_SALT_BYTES);
  const leaf: Leaf = {
    seq,
    time: isoTime(nowMs),
    boot: nextBoot(previous?.leaf, bootId),
    bootId,
    previous: previous === undefined ? NO_LEAF_HASH : toHex(previous.stored.leafHash),
    actor: event.actor,
    role: event.role,
    onBehalfOf: event.onBehalfOf ?? null,
    session: event.session ?? null,
    action: event.action,
    object: event.object ?? null,
    researchStudyId: event.researchStudyId ?? null,
    round: event.round ?? null,
    outcome: event.outcome,
    reason: event.reason ?? null,
    detailDigest: salt === undefined || event.detail === undefined ? null : detailDigest(salt, event.detail),
    softwareVersion: options.softwareVersion,
  };
  // What the verifier would refuse is not written.
  verifyLeaf(leaf);
  const line = encodeLeaf(leaf);
  const stored: StoredLeaf = { seq, line, leafHash: hashLeafText(line) };
  storage.addLeaf(stored);
  const completed = completedNodes(seq, stored.leafHash, memory);
  for (const node of completed) storage.addNode(node);
  memory.remember(stored, leaf, completed);
  if (salt !== undefined && event.detail !== undefined)
    storage.addDetail({ seq, salt, detail: event.detail });
  checkpointWhenDue(seq + 1, nowMs, options);
  return stored;
}

function nextBoot(previous: Leaf | undefined, bootId: string): number {
  if (previous === undefined) return 1;
  return previous.bootId === bootId ? previous.boot : previous.boot + 1;
}

function checkpointWhenDue(size: number, nowMs: number, options: WriterContext): void {
  const latest = options.storage.latestCheckpoint();
  const sinceMs = latest === undefined ? 0 : nowMs - latest.createdAtMs;
  if (size % LEAVES_PER_CHECKPOINT === 0 || sinceMs >= CHECKPOINT_INTERVAL_MS) checkpoint(options);
}

function checkpoint({ storage, signer, origin, clock, memory }: WriterContext): SignedCheckpoint {
  const last = storage.lastLeaf();
  memory.recall(last);
  const size = last === undefined ? 0 : last.seq + 1;
  const latest = storage.latestCheckpoint();
  if (latest !== undefined && latest.size > size) {
    // Signing again below a signed size would hide that the log was cut or an older copy put back.
    const details = { expected: latest.size, found: size };
    throw new LogError('LOG_DAMAGED', 'the log has fewer entries than its checkpoint covers', { details });
  }
  if (latest !== undefined && latest.size === size) {
    return { size, rootHash: toHex(parseCheckpoint(latest.note).rootHash), note: latest.note };
  }
  const root = rootHash(size, memory);
  const note = signCheckpoint({ origin, size, rootHash: root }, signer);
  storage.addCheckpoint({ size, note, createdAtMs: clock.nowMs() });
  return { size, rootHash: toHex(root), note };
}

// Keeps what each site shows of its own log. A newer checkpoint comes with the proof that it continues the last one kept: from then on
// the site cannot cut, rewrite, fork or restore what that covers unseen (security.md A4, A6).
import { fromHex, toHex } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { BugError, CodedError, isCodedError } from '#base/coded-error.ts';
import type { SignedTrust } from '#consortium/enrolment/index.ts';
import type { ConsortiumSchema, ConsortiumStore, Foundation } from '#consortium/store/index.ts';
import { type Checkpoint, parseCheckpoint, verifyCheckpoint } from '#federation/log/checkpoint.ts';
import { LogError } from '#federation/log/log-error.ts';
import { type LogExtension, parseLogExtension } from '#federation/log/log-extension.ts';
import { verifyConsistency } from '#federation/log/merkle-tree.ts';
import { noteText } from '#federation/log/signed-note.ts';
import { logSize } from '#federation/records/fields.ts';
import { isKeyValid, publicKeyOf } from '#federation/records/trusted-keys.ts';
import { SyncError } from '#federation/sync-contract/sync-error.ts';
import { refuseFork, refuseShorter, statedSize } from './held-log.ts';
import { refusal } from './intake-error.ts';

type HeldCheckpoint = ConsortiumSchema['site_checkpoint'];

/**
 * Stores a site's signed checkpoint; the same one again changes nothing.
 * @throws LogError BAD_CHECKPOINT, LOG_KEY_NOT_TRUSTED; IntakeError LOG_ROLLBACK when the log does not continue the one that was seen
 * before: these are logged, as signs of a log that was changed. SyncError STALE_CHECKPOINT when the proof starts from another size
 * than the one held, which `details.expected` tells.
 */
export function receiveCheckpoint(
  foundation: Foundation,
  trust: SignedTrust,
  { siteId, extension: bytes }: { readonly siteId: string; readonly extension: Uint8Array },
): void {
  const { store, log } = foundation;
  const actor = `site:${siteId}`;
  try {
    const extension = parseLogExtension(noteText(bytes));
    const checkpoint = verifyOwn(trust, siteId, { note: extension.note, nowMs: store.clock.nowMs() });
    store.transaction(() => {
      if (!isContinued(store, siteId, { checkpoint, extension })) return;
      const { size, origin } = checkpoint;
      const rootHash = toHex(checkpoint.rootHash);
      const row: HeldCheckpoint = {
        site_id: siteId,
        size,
        root_hash: rootHash,
        origin,
        note: extension.note,
        received_at: isoTime(store.clock.nowMs()),
      };
      store.run(store.query.insertInto('site_checkpoint').values(row));
      log.append({
        actor,
        action: 'site-checkpoint-received',
        outcome: 'success',
        detail: { size, rootHash },
      });
    });
  } catch (error) {
    if (!(error instanceof CodedError) || error instanceof BugError) throw error;
    const { code: reason } = error;
    if (reason === 'STALE_CHECKPOINT') throw error;
    store.transaction(() =>
      log.append({ actor, action: 'site-checkpoint-received', outcome: 'refused', reason }),
    );
    throw error;
  }
}

function verifyOwn(
  { keys }: SignedTrust,
  siteId: string,
  { note, nowMs }: { readonly note: string; readonly nowMs: number },
): Checkpoint {
  // A site names its log itself; that it keeps the name is checked below, and its key is in the trust list.
  const { origin: name, size } = parseCheckpoint(note);
  // No log is that long: whoever signs such a size would lock the site out with it.
  if (!logSize.safeParse(size).success) throw new LogError('BAD_CHECKPOINT', 'not a checkpoint: size');
  for (const key of keys.withRole('site-log', siteId)) {
    if (!isKeyValid(key, nowMs)) continue;
    try {
      return verifyCheckpoint(note, { name, publicKey: publicKeyOf(key) });
    } catch (error) {
      if (!isCodedError(error, 'LOG_KEY_NOT_TRUSTED')) throw error;
    }
  }
  throw new LogError('LOG_KEY_NOT_TRUSTED', 'The checkpoint is not signed by the log key of this site.', {
    details: { expected: siteId },
  });
}

interface ShownLog {
  readonly checkpoint: Checkpoint;
  readonly extension: LogExtension;
}

/** Whether the checkpoint is to be kept; false for the one that is held already. */
function isContinued(store: ConsortiumStore, siteId: string, { checkpoint, extension }: ShownLog): boolean {
  const held = findHeld(store, siteId);
  const { origin, size } = checkpoint;
  if (held !== undefined && origin !== held.origin)
    throw refusal('LOG_ROLLBACK', 'origin', { expected: held.origin, found: origin });
  const state = { size, rootHash: toHex(checkpoint.rootHash) };
  refuseShorter(Math.max(held?.size ?? 0, statedSize(store, siteId)), state);
  refuseFork(store, siteId, state);
  if (held?.size === size) return false;
  requireProof(held, { checkpoint, extension });
  return true;
}

/** Entries of a site's log under the newest checkpoint that it showed; 0 before the first. */
export function heldLogSize(store: ConsortiumStore, siteId: string): number {
  return findHeld(store, siteId)?.size ?? 0;
}

function findHeld(store: ConsortiumStore, siteId: string): HeldCheckpoint | undefined {
  return store.get(
    store.query
      .selectFrom('site_checkpoint')
      .selectAll()
      .where('site_id', '=', siteId)
      .orderBy('size', 'desc')
      .limit(1),
  );
}

/** Stops a site from going on with another log than the one it showed (fork, rewritten history). */
function requireProof(held: HeldCheckpoint | undefined, { checkpoint, extension }: ShownLog): void {
  const expected = held?.size ?? 0;
  const { oldSize, proof } = extension;
  if (oldSize !== expected) {
    throw new SyncError('STALE_CHECKPOINT', 'The proof does not start from the checkpoint that is held.', {
      details: { expected, found: oldSize },
    });
  }
  const { size, rootHash } = checkpoint;
  try {
    verifyConsistency({ oldSize, oldRootHash: fromHex(held?.root_hash ?? ''), size, rootHash, proof });
  } catch (error) {
    if (!isCodedError(error, 'BAD_LOG_PROOF')) throw error;
    throw refusal('LOG_ROLLBACK', 'proof', { expected, found: size });
  }
}

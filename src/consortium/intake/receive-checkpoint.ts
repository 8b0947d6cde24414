// Keeps what each site shows of its own log: from then on the site cannot cut, rewrite or restore it unseen (security.md A4, A6).
import { toHex } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { BugError, CodedError, isCodedError } from '#base/coded-error.ts';
import type { SignedTrust } from '#consortium/enrolment/index.ts';
import type { ConsortiumStore, Foundation } from '#consortium/store/index.ts';
import { type Checkpoint, parseCheckpoint, verifyCheckpoint } from '#federation/log/checkpoint.ts';
import { LogError } from '#federation/log/log-error.ts';
import { noteText } from '#federation/log/signed-note.ts';
import { isKeyValid, publicKeyOf } from '#federation/records/trusted-keys.ts';
import { SyncError } from '#federation/sync-contract/sync-error.ts';

/**
 * Stores a site's signed checkpoint; the same one again changes nothing.
 * @throws LogError BAD_CHECKPOINT, LOG_KEY_NOT_TRUSTED; SyncError LOG_ROLLBACK when the log is shorter than it was, has
 * another root at the same size or another name. All are logged: they are signs of a log that was changed.
 */
export function receiveCheckpoint(
  foundation: Foundation,
  trust: SignedTrust,
  { siteId, note: bytes }: { readonly siteId: string; readonly note: Uint8Array },
): void {
  const { store, log } = foundation;
  const actor = `site:${siteId}`;
  try {
    const note = noteText(bytes);
    const checkpoint = verifyOwn(trust, siteId, { note, nowMs: store.clock.nowMs() });
    store.transaction(() => {
      if (!isNewer(store, siteId, checkpoint)) return;
      const { size, origin } = checkpoint;
      const rootHash = toHex(checkpoint.rootHash);
      const row = {
        site_id: siteId,
        size,
        root_hash: rootHash,
        origin,
        note,
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
  const { origin: name } = parseCheckpoint(note);
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

function isNewer(store: ConsortiumStore, siteId: string, checkpoint: Checkpoint): boolean {
  const last = store.get(
    store.query
      .selectFrom('site_checkpoint')
      .selectAll()
      .where('site_id', '=', siteId)
      .orderBy('size', 'desc')
      .limit(1),
  );
  if (last === undefined) return true;
  const found = { origin: checkpoint.origin, size: checkpoint.size, rootHash: toHex(checkpoint.rootHash) };
  const isOther =
    found.origin !== last.origin || (found.size === last.size && found.rootHash !== last.root_hash);
  if (isOther || found.size < last.size) {
    throw new SyncError('LOG_ROLLBACK', "The site's log does not continue the one that was seen before.", {
      details: { expected: { origin: last.origin, size: last.size, rootHash: last.root_hash }, found },
    });
  }
  return found.size > last.size;
}

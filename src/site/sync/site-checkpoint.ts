// Shows the consortium this site's audit checkpoint and proves that its log continues what was shown before: from then on the site cannot
// rewrite its log unseen (security.md A4, A6).
import { isCodedError } from '#base/coded-error.ts';
import { encodeLogExtension } from '#federation/log/log-extension.ts';
import type { SignedCheckpoint } from '#federation/log/log-writer.ts';
import { logSize } from '#federation/records/fields.ts';
import type { ExchangeContext, SyncContext } from './sync-context.ts';

const SETTING = 'sent-log-checkpoint';

/** Sends the latest checkpoint where it differs from the one sent last. */
export async function sendSiteCheckpoint(context: ExchangeContext): Promise<void> {
  const { store, auditLog, actor } = context;
  const sent = loadSentSize(context);
  const checkpoint = auditLog.checkpoint();
  const { size } = checkpoint;
  // The entry of the last sending is one leaf more than was sent; it alone is no reason to send again.
  if (sent !== undefined && size === sent + 1) return;
  await showCheckpoint(context, sent ?? 0, checkpoint);
  store.transaction(() => {
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action: 'checkpoint-sent',
      outcome: 'success',
      detail: { size },
    });
    saveSentSize(context, size);
  });
}

/** A consortium that holds another size than this site remembers (an answer was lost) says so, and gets the proof from there. */
async function showCheckpoint(
  { auditLog, client }: ExchangeContext,
  sentSize: number,
  { size, note }: SignedCheckpoint,
): Promise<void> {
  const proveFrom = (oldSize: number): string =>
    encodeLogExtension({ oldSize, proof: auditLog.proveConsistency(oldSize, size), note });
  try {
    await client.postLogCheckpoint(proveFrom(sentSize));
  } catch (error) {
    if (!isCodedError(error, 'STALE_CHECKPOINT')) throw error;
    const held = logSize.max(size).safeParse(error.details.expected);
    if (!held.success) throw error;
    await client.postLogCheckpoint(proveFrom(held.data));
  }
}

/** Entries of this site's log that the consortium is known to hold a checkpoint of; undefined before the first. */
export function loadSentSize({ store }: SyncContext): number | undefined {
  const row = store.get(store.query.selectFrom('setting').select('value').where('name', '=', SETTING));
  return row === undefined ? undefined : logSize.parse(JSON.parse(row.value));
}

/** In the caller's transaction. */
export function saveSentSize({ store }: SyncContext, size: number): void {
  const value = JSON.stringify(size);
  store.run(
    store.query
      .insertInto('setting')
      .values({ name: SETTING, value })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value })),
  );
}

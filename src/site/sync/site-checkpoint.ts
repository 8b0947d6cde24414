// Shows the consortium this site's audit checkpoint: from then on the site cannot rewrite its log unseen (security.md A4, A6).
import type { SyncContext } from './sync-context.ts';

const SETTING = 'sent-log-checkpoint';

/** Sends the latest checkpoint where it differs from the one sent last. */
export async function sendSiteCheckpoint(context: SyncContext): Promise<void> {
  const { store, auditLog, client, actor } = context;
  const last = loadSentSize(context);
  const { size, note } = auditLog.checkpoint();
  if (size === last) return;
  await client.postLogCheckpoint(note);
  store.transaction(() => {
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action: 'checkpoint-sent',
      outcome: 'success',
      detail: { size },
    });
    // The entry above is one leaf more than was sent; it alone is no reason to send again.
    saveSentSize(context, size + 1);
  });
}

function loadSentSize({ store }: SyncContext): number | undefined {
  const row = store.get(store.query.selectFrom('setting').select('value').where('name', '=', SETTING));
  return row === undefined ? undefined : Number(JSON.parse(row.value));
}

function saveSentSize({ store }: SyncContext, size: number): void {
  const value = JSON.stringify(size);
  store.run(
    store.query
      .insertInto('setting')
      .values({ name: SETTING, value })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value })),
  );
}

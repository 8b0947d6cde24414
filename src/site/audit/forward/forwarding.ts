// Forwards the log to an audit record repository. The log itself is the spool: what the receiver has acknowledged is a row of the store, and
// everything behind it waits there, also over a restart.
import type { Actor } from '#site/audit/audit-event.ts';
import type { Store } from '#site/store/index.ts';
import { systemActor } from '../audit-event.ts';
import type { AuditLog } from '../audit-log.ts';
import { type ExportedEntry, exportedEntry } from '../formats/exported-entry.ts';
import type { Feed } from './feed.ts';
import { createFhirFeed } from './fhir-feed.ts';
import { ForwardingError } from './forwarding-error.ts';
import {
  type ForwardingSettings,
  isSameReceiver,
  loadForwardingSettings,
  loadPosition,
  parseForwardingSettings,
  receiverOf,
  saveForwardingSettings,
  savePosition,
} from './forwarding-settings.ts';
import { createSyslogFeed } from './syslog-feed.ts';

export interface ForwardingStatus {
  /** null: nothing is forwarded. */
  readonly kind: ForwardingSettings['kind'] | null;
  readonly receiver: string | null;
  /** Entries that the receiver has. */
  readonly acknowledged: number;
  /** Entries that it does not have yet. */
  readonly waiting: number;
  /** Why the last try failed; null where it did not. */
  readonly lastCode: string | null;
}

export interface AuditForwarding {
  status(): ForwardingStatus;
  /**
   * Sets the receiver, or ends the forwarding with null. Another receiver gets the log from its first entry.
   * @throws ForwardingError BAD_FORWARDING_SETTINGS.
   */
  set(settings: unknown, actor: Actor): ForwardingStatus;
  /** Sends what waits; a second call joins the first. @throws ForwardingError FORWARDING_NOT_SET and as a feed does. */
  forward(): Promise<ForwardingStatus>;
  /** From now on sends by itself what waits, now and then; a failure is in the status and in the log. */
  start(): void;
  /** Ends what is being sent. */
  close(): Promise<void>;
}

export interface ForwardingOptions {
  readonly store: Store;
  readonly auditLog: AuditLog;
}

/** How long an entry waits for the next try at most. */
const intervalMs = 10_000;

export function openAuditForwarding({ store, auditLog }: ForwardingOptions): AuditForwarding {
  const ending = new AbortController();
  let running: Promise<ForwardingStatus> | undefined;
  let timer: NodeJS.Timeout | undefined;
  const context = { store, auditLog, signal: ending.signal };
  const forward = (): Promise<ForwardingStatus> => {
    running ??= forwardAll(context).finally(() => {
      running = undefined;
    });
    return running;
  };
  return {
    status: () => readStatus(store),
    set: (settings, actor) =>
      setReceiver(context, settings === null ? null : parseForwardingSettings(settings), actor),
    forward,
    start: () => {
      timer ??= setInterval(() => void forward().catch(() => {}), intervalMs).unref();
    },
    close: async () => {
      clearInterval(timer);
      ending.abort();
      await running?.catch(() => {});
    },
  };
}

interface Context extends ForwardingOptions {
  readonly signal: AbortSignal;
}

function setReceiver(
  { store, auditLog }: Context,
  settings: ForwardingSettings | null,
  actor: Actor,
): ForwardingStatus {
  return store.transaction(() => {
    const before = loadForwardingSettings(store);
    saveForwardingSettings(store, settings);
    if (settings !== null && (before === undefined || !isSameReceiver(before, settings))) {
      savePosition(store, { acknowledged: 0, lastCode: null });
    }
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action: 'audit-forwarding-changed',
      outcome: 'success',
      detail: settings === null ? { kind: null } : { kind: settings.kind, receiver: receiverOf(settings) },
    });
    return readStatus(store);
  });
}

async function forwardAll(context: Context): Promise<ForwardingStatus> {
  const { store, signal } = context;
  const settings = loadForwardingSettings(store);
  if (settings === undefined)
    throw new ForwardingError('FORWARDING_NOT_SET', 'The audit log is not forwarded to anybody.');
  const feed = settings.kind === 'fhir' ? createFhirFeed(settings) : createSyslogFeed(settings);
  try {
    while (!signal.aborted && (await forwardBatch(context, settings, feed)));
    return readStatus(store);
  } catch (error) {
    if (error instanceof ForwardingError && !signal.aborted) recordFailure(context, error);
    throw error;
  } finally {
    await feed.close();
  }
}

/** False when nothing waits. */
async function forwardBatch(
  { store, auditLog, signal }: Context,
  settings: ForwardingSettings,
  feed: Feed,
): Promise<boolean> {
  const { acknowledged } = loadPosition(store);
  const entries = readEntries(store, acknowledged, feed.batchSize);
  if (entries.length === 0) return false;
  const arrived = await feed.send({ entries, source: { origin: auditLog.origin }, signal });
  return store.transaction(() => {
    const now = loadForwardingSettings(store);
    // Somebody set another receiver meanwhile, whose position this is not.
    if (now === undefined || !isSameReceiver(now, settings)) return false;
    savePosition(store, { acknowledged: acknowledged + arrived, lastCode: null });
    return true;
  });
}

/** Once for a row of failures: a repository that is down for a week must not fill the log. */
function recordFailure({ store, auditLog }: Context, { code }: ForwardingError): void {
  store.transaction(() => {
    const position = loadPosition(store);
    if (position.lastCode === code) return;
    savePosition(store, { ...position, lastCode: code });
    const { name, role } = systemActor;
    auditLog.append({
      actor: name,
      role,
      action: 'audit-forwarding-failed',
      outcome: 'failed',
      reason: code,
    });
  });
}

function readEntries(store: Store, from: number, count: number): ExportedEntry[] {
  const rows = store.all(
    store.query
      .selectFrom('audit_leaf as leaf')
      .leftJoin('audit_detail as detail', 'detail.seq', 'leaf.seq')
      .select(['leaf.line', 'detail.detail'])
      .where('leaf.seq', '>=', from)
      .orderBy('leaf.seq')
      .limit(count),
  );
  return rows.map(({ line, detail }) => exportedEntry(line, detail));
}

function readStatus(store: Store): ForwardingStatus {
  const settings = loadForwardingSettings(store);
  const last = store.get(store.query.selectFrom('audit_leaf').select('seq').orderBy('seq', 'desc').limit(1));
  const size = last === undefined ? 0 : last.seq + 1;
  if (settings === undefined)
    return { kind: null, receiver: null, acknowledged: 0, waiting: 0, lastCode: null };
  const { acknowledged, lastCode } = loadPosition(store);
  return {
    kind: settings.kind,
    receiver: receiverOf(settings),
    acknowledged,
    waiting: Math.max(0, size - acknowledged),
    lastCode,
  };
}

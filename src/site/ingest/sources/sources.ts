// The sources of a site: set up by an admin, listened to while the site is served, run when a steward asks. What arrives goes through
// the inbox or a batch of the ordinary import; secrets never come back out.
import type { Clock } from '#base/clock.ts';
import { isCodedError } from '#base/coded-error.ts';
import type { Logger } from '#base/logger.ts';
import { type Actor, type AuditLog, systemActor } from '#site/audit/index.ts';
import type { Store } from '#site/store/index.ts';
import type { IngestEvent } from '../ingest-outcome.ts';
import { type Inbox, openInbox } from './inbox.ts';
import { type InboxImport, openInboxImport } from './inbox-import.ts';
import { SourceError } from './source-error.ts';
import type {
  ListeningSource,
  SourceContext,
  SourceEvent,
  SourceKind,
  SourceKindName,
  SourceSettings,
} from './source-kind.ts';
import { SourceRows, type StoredSource } from './source-table.ts';

export interface Source {
  readonly sourceId: string;
  readonly kind: SourceKindName;
  readonly label: string;
  readonly state: 'off' | 'listening' | 'running' | 'failed';
  readonly code: string | null;
  readonly received: number;
  readonly lastReceivedAt: string | null;
  /** Without secrets. */
  readonly settings: SourceSettings;
}

export interface SaveSource {
  readonly kind: SourceKindName;
  readonly label: string;
  /** A secret that is left out stays as it was. */
  readonly settings: SourceSettings;
}

export interface Sources {
  list(): Source[];
  /** Adds a source, or changes the one of this kind and label. @throws SourceError BAD_SOURCE_SETTINGS, SOURCE_KIND_UNKNOWN. */
  save(source: SaveSource, actor: Actor): Promise<Source>;
  /** @throws SourceError SOURCE_NOT_FOUND. */
  remove(sourceId: string, actor: Actor): Promise<void>;
  /** Fetches now. @throws SourceError SOURCE_NOT_FOUND, SOURCE_NOT_RUNNABLE, SOURCE_RUNNING, SOURCE_UNAVAILABLE. */
  run(sourceId: string, actor: Actor, signal: AbortSignal): AsyncGenerator<IngestEvent>;
  /** Begins to listen with every source that does, and to import what waits in the inbox. */
  listen(): Promise<void>;
  close(): Promise<void>;
}

export interface SourcesOptions {
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly linkageKey: Uint8Array;
  readonly profile: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly kinds: readonly SourceKind[];
  readonly openArrivals: SourceContext['openArrivals'];
  readonly importPaths: SourceContext['importPaths'];
}

export function openSources(options: SourcesOptions): Sources {
  return new SiteSources(options);
}

class SiteSources implements Sources {
  readonly #options: SourcesOptions;
  readonly #rows: SourceRows;
  readonly #listening = new Map<string, ListeningSource>();
  readonly #running = new Set<string>();
  #inbox: { readonly inbox: Inbox; readonly import: InboxImport } | undefined;

  constructor(options: SourcesOptions) {
    this.#options = options;
    this.#rows = new SourceRows(options.store, options.linkageKey);
  }

  list(): Source[] {
    return this.#rows.list().map((stored) => this.#describe(stored));
  }

  async save({ kind, label, settings }: SaveSource, actor: Actor): Promise<Source> {
    const { check, secrets } = this.#kindOf(kind);
    const earlier = this.#rows.findByLabel(kind, label)?.settings ?? {};
    const kept = Object.entries(earlier).filter(([name]) => secrets.includes(name));
    const whole = { ...Object.fromEntries(kept), ...settings };
    check(whole);
    const sourceId = this.#options.store.transaction(() => {
      const saved = this.#rows.save(kind, label, whole);
      this.#append(actor, saved, { action: 'source-saved', outcome: 'success', detail: { kind } });
      return saved;
    });
    if (this.#inbox !== undefined) await this.#restart(sourceId);
    return this.#describe(this.#rows.find(sourceId));
  }

  async remove(sourceId: string, actor: Actor): Promise<void> {
    const { kind } = this.#rows.find(sourceId);
    if (this.#running.has(sourceId)) throw isRunning();
    await this.#stop(sourceId);
    this.#options.store.transaction(() => {
      this.#rows.remove(sourceId);
      this.#append(actor, sourceId, { action: 'source-removed', outcome: 'success', detail: { kind } });
    });
  }

  async *run(sourceId: string, actor: Actor, signal: AbortSignal): AsyncGenerator<IngestEvent> {
    const stored = this.#rows.find(sourceId);
    const { run } = this.#kindOf(stored.kind);
    if (run === undefined)
      throw new SourceError('SOURCE_NOT_RUNNABLE', 'This source is sent to; it cannot be asked.');
    if (this.#running.has(sourceId)) throw isRunning();
    this.#running.add(sourceId);
    let count = 0;
    let code: string | null = null;
    try {
      const memory = this.#rows.memoryOf(sourceId);
      for await (const event of run({ ...this.#contextOf(stored), actor, signal, memory })) {
        if (event.kind === 'file') count += 1;
        yield event;
      }
    } catch (error) {
      code = isCodedError(error) ? error.code : 'SOURCE_UNAVAILABLE';
      throw error;
    } finally {
      this.#running.delete(sourceId);
      this.#options.store.transaction(() => {
        this.#rows.setCode(sourceId, code);
        if (count > 0) this.#rows.count(stored.kind, stored.label, count);
        if (code !== null)
          this.#append(actor, sourceId, { action: 'source-failed', outcome: 'failed', reason: code });
      });
    }
  }

  async listen(): Promise<void> {
    if (this.#inbox !== undefined) return;
    const { profile, linkageKey, openArrivals, logger } = this.#options;
    const inbox = openInbox({
      profile,
      linkageKey,
      onDamage: (byteCount) => {
        const event = { action: 'inbox-damaged', outcome: 'failed', detail: { byteCount } } as const;
        this.#attempt(() => this.#append(systemActor, null, event), 'damage of the inbox');
      },
    });
    const onImported = (kind: string, label: string, count: number) => this.#rows.count(kind, label, count);
    this.#inbox = { inbox, import: openInboxImport({ inbox, openArrivals, logger, onImported }) };
    for (const { sourceId } of this.#rows.list()) await this.#restart(sourceId);
  }

  async close(): Promise<void> {
    for (const sourceId of [...this.#listening.keys()]) await this.#stop(sourceId);
    const opened = this.#inbox;
    this.#inbox = undefined;
    await opened?.import.close();
    await opened?.inbox.close();
  }

  async #restart(sourceId: string): Promise<void> {
    await this.#stop(sourceId);
    const stored = this.#rows.find(sourceId);
    const { listen } = this.#kindOf(stored.kind);
    const inbox = this.#inbox?.inbox;
    if (listen === undefined || inbox === undefined) return;
    const onFailed = (code: string) => {
      this.#listening.delete(sourceId);
      this.#fail(sourceId, code);
    };
    try {
      const memory = this.#rows.memoryOf(sourceId);
      const onReceived = (count: number) => this.#rows.count(stored.kind, stored.label, count);
      const context = { ...this.#contextOf(stored), inbox, memory, onReceived, onFailed };
      this.#listening.set(sourceId, await listen(context));
      this.#rows.setCode(sourceId, null);
    } catch (error) {
      // One source that cannot listen (its port is taken) keeps neither the site nor the other sources from their work.
      this.#fail(sourceId, isCodedError(error) ? error.code : 'SOURCE_UNAVAILABLE');
    }
  }

  async #stop(sourceId: string): Promise<void> {
    const listening = this.#listening.get(sourceId);
    this.#listening.delete(sourceId);
    await listening?.close();
  }

  #fail(sourceId: string, code: string): void {
    const write = () => {
      this.#rows.setCode(sourceId, code);
      this.#append(systemActor, sourceId, { action: 'source-failed', outcome: 'failed', reason: code });
    };
    this.#attempt(() => this.#options.store.transaction(write), 'the failure of a source');
  }

  /** Attack: on a full disk, a stranger who connects would end the process by the entry that cannot be written about it. */
  #attempt(write: () => void, what: string): boolean {
    try {
      write();
      return true;
    } catch {
      this.#options.logger.error(`${what} could not be written`, {});
      return false;
    }
  }

  #contextOf({ sourceId, label, settings }: StoredSource): SourceContext {
    const { clock, logger, openArrivals, importPaths } = this.#options;
    const record = (event: SourceEvent) =>
      this.#attempt(() => this.#append(systemActor, sourceId, event), 'an audit entry of a source');
    return { sourceId, label, settings, clock, logger, record, openArrivals, importPaths };
  }

  #append(actor: Actor, sourceId: string | null, event: SourceEvent): void {
    const { store, auditLog } = this.#options;
    const object = sourceId === null ? undefined : `source:${sourceId}`;
    const append = () => auditLog.append({ ...event, actor: actor.name, role: actor.role, object });
    if (store.inTransaction) append();
    else store.transaction(append);
  }

  #describe(stored: StoredSource): Source {
    const { sourceId, kind, label, received, lastReceivedAt, lastCode } = stored;
    const { secrets } = this.#kindOf(kind);
    const shown = Object.entries(stored.settings).filter(([name]) => !secrets.includes(name));
    const state = this.#listening.has(sourceId)
      ? 'listening'
      : this.#running.has(sourceId)
        ? 'running'
        : lastCode === null
          ? 'off'
          : 'failed';
    return {
      sourceId,
      kind,
      label,
      state,
      code: lastCode,
      received,
      lastReceivedAt,
      settings: Object.fromEntries(shown),
    };
  }

  #kindOf(kind: SourceKindName): SourceKind {
    const known = this.#options.kinds.find((entry) => entry.kind === kind);
    if (known === undefined)
      throw new SourceError('SOURCE_KIND_UNKNOWN', 'This release has no such kind of source.');
    return known;
  }
}

function isRunning(): SourceError {
  return new SourceError('SOURCE_RUNNING', 'This source is being fetched from just now.');
}

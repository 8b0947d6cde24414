// What a kind of source is to the site: settings that can be checked, and a way to listen, to be asked, or both. Kinds register in
// source-kinds.ts; secrets, table, roles, life and audit are the same for all.
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/logger.ts';
import type { Actor, AuditEvent } from '#site/audit/index.ts';
import type { SourceTable } from '#site/store/index.ts';
import type { ArrivalBatch } from '../arrival-batch.ts';
import type { IngestEvent } from '../ingest-outcome.ts';
import type { Inbox } from './inbox.ts';

export type SourceKindName = SourceTable['kind'];
/** As a person set them, by name. */
export type SourceSettings = Readonly<Record<string, string | number | boolean>>;

export interface SourceKind {
  readonly kind: SourceKindName;
  /** Names of settings that are kept and never shown again. */
  readonly secrets: readonly string[];
  /** @throws SourceError BAD_SOURCE_SETTINGS. */
  check(settings: SourceSettings): void;
  /** Listens until it is closed; for kinds that are sent to. @throws Error of the system, or a CodedError. */
  listen?(context: ListenContext): Promise<ListeningSource>;
  /** Fetches what is new; for kinds that are asked. Its last event is the summary. */
  run?(context: RunContext): AsyncGenerator<IngestEvent>;
}

export interface ListeningSource {
  close(): Promise<void>;
}

/** An audit event of a source; actor and object are added. */
export type SourceEvent = Pick<AuditEvent, 'action' | 'outcome' | 'reason' | 'detail'>;

export interface SourceContext {
  readonly sourceId: string;
  readonly label: string;
  readonly settings: SourceSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether it could be written: never throws, because timers and sockets call it. */
  record(event: SourceEvent): boolean;
  /** A batch of the ordinary import; whoever opens it closes it. */
  openArrivals(actor: Actor): ArrivalBatch;
  /** Imports files and folders of this machine. */
  importPaths(paths: readonly string[], actor: Actor, signal: AbortSignal): AsyncGenerator<IngestEvent>;
}

export interface ListenContext extends SourceContext {
  /** What is appended with this kind and label counts as received from this source when it is imported. */
  readonly inbox: Inbox;
  readonly memory: SourceMemory;
  /** Files of this source that were imported without the inbox. */
  onReceived(count: number): void;
  /** It stopped listening by itself. @param code why */
  onFailed(code: string): void;
}

export interface RunContext extends SourceContext {
  readonly actor: Actor;
  readonly signal: AbortSignal;
  readonly memory: SourceMemory;
}

/** What a source gave already, by keyed digests of its own names for objects. */
export interface SourceMemory {
  isKnown(name: string): boolean;
  /** The object has its outcome: it is not fetched again. */
  add(name: string): void;
  /** What the kind keeps between runs, sealed; null before the first, and when the settings were changed. */
  loadState(): string | null;
  saveState(state: string): void;
}

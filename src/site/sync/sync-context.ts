// What the steps of a sync and of an offline bundle need.
import type { Agreement, ConsortiumSettings } from '#site/agreement/index.ts';
import type { Actor, AuditLog } from '#site/audit/index.ts';
import type { ConsentSnapshot } from '#site/signing/index.ts';
import type { Store } from '#site/store/index.ts';
import type { ConsortiumClient } from './consortium-client.ts';

export interface SyncContext {
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly agreement: Agreement;
  readonly settings: ConsortiumSettings;
  readonly actor: Actor;
}

/** For whatever asks the consortium, or a bundle with its answers. */
export interface ExchangeContext extends SyncContext {
  readonly client: ConsortiumClient;
}

/** For what leaves. */
export interface DepartureContext extends SyncContext {
  /** Evaluates consent now for the cohort of an update. Called inside a transaction. */
  readonly reevaluateConsent: (updateId: string) => ConsentSnapshot;
}

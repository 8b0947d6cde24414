// What every step of a sync needs.
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
  readonly client: ConsortiumClient;
  readonly actor: Actor;
  /** Evaluates consent now for the cohort of an update. Called inside a transaction. */
  readonly reevaluateConsent: (updateId: string) => ConsentSnapshot;
}

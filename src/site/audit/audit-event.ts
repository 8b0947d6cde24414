// Who did what, as every stage reports it to the audit log (security.md A7). To add an event, add its name here.

/** Roles of people at a site; null in an event means the system itself. */
export type Role = 'steward' | 'investigator' | 'auditor' | 'admin';

/** On whose behalf a stage acts. */
export interface Actor {
  /** Printed name. */
  readonly name: string;
  readonly role: Role | null;
}

export const systemActor: Actor = { name: 'system', role: null };

export const auditActions = [
  // installation and running
  'site-initialised',
  'app-started',
  'app-stopped',
  'software-changed',
  'crash-recovered',
  'clock-set-back',
  'integrity-failure',
  // people and keys
  'signed-in',
  'sign-in-refused',
  'signed-out',
  'action-refused',
  'person-added',
  'key-created',
  // agreement
  'enrolled',
  'enrolment-refused',
  'trust-list-accepted',
  'trust-list-refused',
  'plan-accepted',
  'plan-refused',
  'round-received',
  'round-refused',
  'remedy-accepted',
  'remedy-refused',
  // ingest and de-identification
  'import-started',
  'import-finished',
  'import-interrupted',
  'file-imported',
  'file-refused',
  'file-quarantined',
  'images-imported',
  'quarantine-released',
  'quarantine-deleted',
  'names-shown',
  // sources
  'source-saved',
  'source-removed',
  'source-failed',
  'association-ended',
  'messages-received',
  'messages-refused',
  'association-refused',
  'inbox-damaged',
  // consent
  'consent-imported',
  'consent-granted',
  'consent-withdrawn',
  'subject-erased',
  'subject-rounds-shown',
  'disclosures-shown',
  'remedy-requested',
  'opt-outs-imported',
  // cohort
  'cohort-previewed',
  'cohort-frozen',
  'cohort-refused',
  'quality-report-made',
  // training and evaluation
  'statistics-started',
  'statistics-computed',
  'statistics-failed',
  'training-started',
  'training-finished',
  'training-failed',
  'training-cancelled',
  'evaluation-started',
  'evaluation-finished',
  'evaluation-failed',
  // update, approval, sealing
  'update-built',
  'privacy-spend',
  'update-build-refused',
  'report-shown',
  'update-approved',
  'update-refused',
  'update-blocked',
  'update-sealed',
  // sync
  'update-sent',
  'send-failed',
  'send-refused',
  'receipt-received',
  'receipt-refused',
  'checkpoint-sent',
  'remedy-request-sent',
  'remedy-request-answered',
  'bundle-written',
  'bundle-read',
  'global-model-verified',
  'global-model-refused',
  // the log itself
  'audit-read',
  'audit-verified',
  'audit-exported',
  'audit-forwarding-changed',
  'audit-forwarding-failed',
] as const;
export type AuditAction = (typeof auditActions)[number];

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

export interface AuditEvent {
  /** Printed name of the person, or `system`. */
  readonly actor: string;
  readonly role: Role | null;
  readonly action: AuditAction;
  /** Type and pseudonymous id, e.g. `update:3f…`. Never a patient's name or a path. */
  readonly object?: string | undefined;
  readonly researchStudyId?: string | undefined;
  readonly round?: number | undefined;
  readonly outcome: 'success' | 'refused' | 'failed';
  /** A code. */
  readonly reason?: string | undefined;
  /** Counts, digests, versions. Kept beside the entry, erasable; no patient data all the same. */
  readonly detail?: Json | undefined;
}

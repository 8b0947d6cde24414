// The audit stage: the site's append-only Merkle log, its checkpoints, its reading, verification and export.
export { type AuditCode, AuditError } from './audit-error.ts';
export {
  type Actor,
  type AuditAction,
  type AuditEvent,
  auditActions,
  type Json,
  type Role,
  systemActor,
} from './audit-event.ts';
export type { AuditExport } from './audit-export.ts';
export type { AuditEntry, AuditPage, AuditQuery } from './audit-list.ts';
export { type AuditLog, type AuditLogOptions, type AuditVerification, openAuditLog } from './audit-log.ts';
export type { EntrySource } from './formats/exported-entry.ts';
export {
  type Agent,
  agentType,
  agentTypes,
  discloseSubtype,
  type FhirAuditEvent,
  objectEntity,
  ownSystem,
  patientEntity,
  siteDevice,
  sourceOf,
} from './formats/fhir-audit-event.ts';
export { type ReadableFormat, readableFormats, writeReadableCopy } from './formats/readable-copy.ts';
export { type AuditForwarding, type ForwardingStatus, openAuditForwarding } from './forward/forwarding.ts';
export { type ForwardingCode, ForwardingError } from './forward/forwarding-error.ts';

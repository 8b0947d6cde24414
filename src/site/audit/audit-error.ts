// Faults of the audit stage.
import { CodedError } from '#base/coded-error.ts';

export type AuditCode = 'AUDIT_EXPORT_FAILED';

export class AuditError extends CodedError<AuditCode> {}

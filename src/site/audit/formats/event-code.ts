// What each event of the log is called by others: the event identifiers and types of DICOM PS3.16 (CID 400, CID 401; PS3.15 A.5.3), and the
// action letter that PS3.15 and FHIR R4 share.
import type { AuditAction } from '#site/audit/audit-event.ts';

/** A code with its meaning, of the system DCM. */
export interface DicomCode {
  readonly code: string;
  readonly meaning: string;
}

export interface EventCode {
  readonly event: DicomCode;
  /** What kind of such an event, where DICOM has a code for it. */
  readonly type: DicomCode | null;
  /** Create, read, update, delete, execute. */
  readonly action: 'C' | 'R' | 'U' | 'D' | 'E';
}

const events = {
  activity: { code: '110100', meaning: 'Application Activity' },
  logUsed: { code: '110101', meaning: 'Audit Log Used' },
  accessed: { code: '110103', meaning: 'DICOM Instances Accessed' },
  transferred: { code: '110104', meaning: 'DICOM Instances Transferred' },
  exported: { code: '110106', meaning: 'Export' },
  imported: { code: '110107', meaning: 'Import' },
  query: { code: '110112', meaning: 'Query' },
  alert: { code: '110113', meaning: 'Security Alert' },
  authentication: { code: '110114', meaning: 'User Authentication' },
} as const;

const types = {
  start: { code: '110120', meaning: 'Application Start' },
  stop: { code: '110121', meaning: 'Application Stop' },
  login: { code: '110122', meaning: 'Login' },
  logout: { code: '110123', meaning: 'Logout' },
  nodeAuthentication: { code: '110126', meaning: 'Node Authentication' },
  networkConfiguration: { code: '110128', meaning: 'Network Configuration' },
  securityConfiguration: { code: '110129', meaning: 'Security Configuration' },
  softwareConfiguration: { code: '110131', meaning: 'Software Configuration' },
  restrictedFunction: { code: '110132', meaning: 'Use of Restricted Function' },
  objectSecurity: { code: '110135', meaning: 'Object Security Attributes Changed' },
  userSecurity: { code: '110137', meaning: 'User security Attributes Changed' },
} as const;

type Row = readonly [keyof typeof events, keyof typeof types | null, EventCode['action']];

const activity: Row = ['activity', null, 'E'];
const refused: Row = ['alert', 'nodeAuthentication', 'E'];
const security: Row = ['alert', 'securityConfiguration', 'U'];
const objectSecurity: Row = ['alert', 'objectSecurity', 'U'];
const imported: Row = ['imported', null, 'C'];
const sent: Row = ['exported', null, 'R'];

const rows: Readonly<Record<AuditAction, Row>> = {
  'site-initialised': ['alert', 'softwareConfiguration', 'C'],
  'app-started': ['activity', 'start', 'E'],
  'app-stopped': ['activity', 'stop', 'E'],
  'software-changed': ['alert', 'softwareConfiguration', 'U'],
  'crash-recovered': activity,
  'clock-set-back': security,
  'integrity-failure': ['alert', null, 'E'],
  'signed-in': ['authentication', 'login', 'E'],
  'sign-in-refused': ['authentication', 'login', 'E'],
  'signed-out': ['authentication', 'logout', 'E'],
  'action-refused': ['alert', 'restrictedFunction', 'E'],
  'person-added': ['alert', 'userSecurity', 'C'],
  'key-created': ['alert', 'securityConfiguration', 'C'],
  enrolled: security,
  'enrolment-refused': refused,
  'trust-list-accepted': security,
  'trust-list-refused': refused,
  'plan-accepted': security,
  'plan-refused': security,
  'round-received': activity,
  'round-refused': activity,
  'remedy-accepted': activity,
  'remedy-refused': activity,
  'import-started': activity,
  'import-finished': imported,
  'import-interrupted': activity,
  'file-imported': imported,
  'file-refused': imported,
  'file-quarantined': imported,
  'images-imported': ['transferred', null, 'C'],
  'quarantine-released': ['accessed', null, 'U'],
  'quarantine-deleted': ['accessed', null, 'D'],
  'names-shown': ['query', null, 'R'],
  'source-saved': ['alert', 'networkConfiguration', 'U'],
  'source-removed': ['alert', 'networkConfiguration', 'D'],
  'source-failed': activity,
  'association-ended': ['transferred', null, 'C'],
  'messages-received': imported,
  'messages-refused': imported,
  'association-refused': refused,
  'inbox-damaged': ['alert', null, 'E'],
  'consent-imported': objectSecurity,
  'consent-granted': objectSecurity,
  'consent-withdrawn': objectSecurity,
  'subject-erased': ['accessed', null, 'D'],
  'subject-rounds-shown': ['query', null, 'R'],
  'disclosures-shown': ['query', null, 'R'],
  'remedy-requested': activity,
  'opt-outs-imported': objectSecurity,
  'cohort-previewed': ['query', null, 'E'],
  'cohort-frozen': ['query', null, 'E'],
  'cohort-refused': ['query', null, 'E'],
  'quality-report-made': ['query', null, 'E'],
  'statistics-started': activity,
  'statistics-computed': activity,
  'statistics-failed': activity,
  'training-started': activity,
  'training-finished': activity,
  'training-failed': activity,
  'training-cancelled': activity,
  'evaluation-started': activity,
  'evaluation-finished': activity,
  'evaluation-failed': activity,
  'privacy-spend': activity,
  'update-built': activity,
  'update-build-refused': activity,
  'report-shown': activity,
  'update-approved': objectSecurity,
  'update-refused': objectSecurity,
  'update-blocked': objectSecurity,
  'update-sealed': activity,
  'update-sent': sent,
  'send-failed': sent,
  'send-refused': sent,
  'receipt-received': activity,
  'receipt-refused': activity,
  'checkpoint-sent': ['logUsed', null, 'R'],
  'remedy-request-sent': activity,
  'remedy-request-answered': activity,
  'bundle-written': sent,
  'bundle-read': imported,
  'global-model-verified': activity,
  'global-model-refused': refused,
  'audit-read': ['logUsed', null, 'R'],
  'audit-verified': ['logUsed', null, 'R'],
  'audit-exported': ['logUsed', null, 'R'],
  'audit-forwarding-changed': security,
  'audit-forwarding-failed': activity,
};

/** The codes of an event. One that this release does not know, of a log that a later one wrote, is application activity. */
export function eventCodeOf(action: string): EventCode {
  const [event, type, letter] = Object.hasOwn(rows, action) ? rows[action as AuditAction] : activity;
  return { event: events[event], type: type === null ? null : types[type], action: letter };
}

// The sync stage: enrolment, what comes from the consortium, what goes to it.
export { type EnrolmentOptions, enrol } from './enrol.ts';
export { type EnrolmentCode, EnrolmentError } from './enrolment-error.ts';
export { type BundleExport, type BundleExportOptions, exportBundle } from './export-bundle.ts';
export { type BundleImport, type BundleImportOptions, importBundle } from './import-bundle.ts';
export type { SentUpdate } from './outbox.ts';
export { type PublishedCode, PublishedError } from './published-error.ts';
export { type SyncOptions, type SyncResult, syncOnce } from './sync-once.ts';
export type { ReceivedRecord } from './take-over.ts';
export { loadTraffic, type TrafficTotals } from './traffic.ts';

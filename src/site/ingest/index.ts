// Ingest: files in, pseudonymous facts and consents out, and for every file and refused row a reason by name.

export {
  type DeidentifyEvent,
  type DeidentifyOrder,
  type DeidentifySummary,
  deidentifyFolder,
  type FileReport as DeidentifyFileReport,
} from './deidentified-copy/deidentify-folder.ts';
export { deriveDeidentifyKey, loadOrMakeDeidentifyKey } from './deidentified-copy/deidentify-key.ts';
export { type OpenFrames, openFrames } from './dicom/decoded-image.ts';
export { DicomRefusal } from './dicom/dicom-refusal.ts';
export type { FrameGeometry } from './dicom/functional-groups.ts';
export { parseDicom } from './dicom/parse-dicom.ts';
export {
  isSamePlane,
  openSegmentation,
  type Segmentation,
  type SegmentFrame,
} from './dicom/segmentation.ts';
export { deathCode } from './ehr/code-system.ts';
export type { MappingPreview } from './ehr/preview-mapping.ts';
export type { MappingSuggestion } from './ehr/suggest-mapping.ts';
export { eraseImages } from './erase-records.ts';
export { type IdentifierAuthorities, noAuthorities } from './identifier-authorities.ts';
export { saveImagingSettings } from './imaging/imaging-settings.ts';
export type { Quarantine, QuarantineDecision, QuarantineEntry } from './imaging/quarantine.ts';
export type { IngestOptions } from './import-batch.ts';
export { type Ingest, type IngestPathsRequest, type OpenBatchRequest, openIngest } from './ingest.ts';
export { type FileRefusalCode, type IngestCode, IngestError, type RowRefusalCode } from './ingest-error.ts';
export type {
  FileOutcome,
  IngestChunk,
  IngestEvent,
  IngestOrder,
  IngestPushed,
  IngestSummary,
  RecordCount,
  StoredOutcome,
} from './ingest-outcome.ts';
export type { SourceKindName, SourceSettings } from './sources/source-kind.ts';
export { sourceKinds } from './sources/source-kinds.ts';
export { openSources, type SaveSource, type Source, type Sources } from './sources/sources.ts';
export { openTimeZone, type TimeZone } from './time-zone.ts';
export { convertUnit, normaliseUnit } from './unit.ts';

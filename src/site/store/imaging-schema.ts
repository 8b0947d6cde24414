// Row types of the tables of images, column by column as in migrations/0002-imaging.ts and 0006-series-summary.ts; what each column holds
// is said there.
import type { Generated } from 'kysely';

export interface SealedObjectTable {
  object_no: Generated<number>;
  segment: number;
  position: number;
  byte_count: number;
  object_key: Uint8Array;
}

export interface ImagingStudyTable {
  imaging_study_no: Generated<number>;
  imaging_study_uid: string;
  subject_no: number;
  day: number | null;
  second: number | null;
  age_years: number | null;
}

export interface ImagingSeriesTable {
  imaging_series_no: Generated<number>;
  imaging_series_uid: string;
  imaging_study_no: number;
  modality: string;
  body_part: string | null;
  series_number: number | null;
  frame_of_reference_uid: string | null;
}

export interface SopInstanceTable {
  sop_instance_no: Generated<number>;
  sop_instance_uid: string;
  imaging_series_no: number;
  sop_class_uid: string;
  transfer_syntax_uid: string;
  instance_number: number | null;
  pixel_rows: number | null;
  pixel_columns: number | null;
  frame_count: number;
  samples_per_pixel: number | null;
  photometric: string | null;
  bits_allocated: number | null;
  bits_stored: number | null;
  is_signed: number | null;
  row_spacing: number | null;
  column_spacing: number | null;
  slice_thickness: number | null;
  orientation: string | null;
  position: string | null;
  rescale_slope: number | null;
  rescale_intercept: number | null;
  day: number | null;
  second: number | null;
  source_digest: Uint8Array;
  object_no: number | null;
  outcome_id: number;
}

export interface SegmentationSourceTable {
  sop_instance_no: number;
  frame: number;
  source_uid: string;
  source_frame: number;
}

export interface SeriesSummaryTable {
  imaging_series_no: number;
  left_out: string | null;
  slices: string;
  intensity_shift: number;
  intensities: Uint8Array;
}

export interface QuarantineTable {
  quarantine_id: Generated<number>;
  outcome_id: number;
  object_no: number;
  source_digest: Uint8Array;
  format: string;
  code: string;
  field: string | null;
  modality: string | null;
  quarantined_at: string;
  waived: string;
}

export interface ImagingSchema {
  sealed_object: SealedObjectTable;
  imaging_study: ImagingStudyTable;
  imaging_series: ImagingSeriesTable;
  sop_instance: SopInstanceTable;
  segmentation_source: SegmentationSourceTable;
  series_summary: SeriesSummaryTable;
  quarantine: QuarantineTable;
}

// Row types of the site's tables, column by column as in migrations/; what each column holds is said there.

import type { Generated } from 'kysely';
import type { CarriedOutRemedy } from '#federation/records/withdrawal-remedy.ts';
import type { SourceObjectTable, SourceTable } from '#site/store/source-schema.ts';
import type {
  AuditCheckpointTable,
  AuditDetailTable,
  AuditLeafTable,
  AuditNodeTable,
} from './audit-schema.ts';
import type { ImagingSchema } from './imaging-schema.ts';

export interface SettingTable {
  name: string;
  value: string;
}

export interface PersonTable {
  name: string;
  role: string;
  public_key: string;
  added_at: string;
}

export interface SubjectTable {
  subject_no: Generated<number>;
  subject_id: string;
  sex: string | null;
  added_at: string;
  survivor_no: Generated<number | null>;
  days_moved: Generated<number>;
  erased_at: Generated<string | null>;
  erasure_pending: Generated<number>;
  images_only: Generated<number>;
  deceased_by: Generated<string | null>;
}

export interface PatientLinkTable {
  link_key: Uint8Array;
  subject_no: number;
  sealed: Uint8Array;
}

export interface IngestBatchTable {
  batch_id: string;
  started_at: string;
  finished_at: string | null;
}

export interface IngestOutcomeTable {
  outcome_id: Generated<number>;
  batch_id: string;
  sealed_name: Uint8Array;
  file_digest: string | null;
  format: string | null;
  outcome: 'accepted' | 'duplicate' | 'quarantined' | 'rejected';
  code: string | null;
  reason: string | null;
  rows_accepted: number;
  rows_duplicate: number;
  rows_rejected: number;
  rows_not_needed: number;
  finished_at: string;
}

export interface RowRefusalTable {
  outcome_id: number;
  row: number;
  code: string;
  field: string | null;
}

export interface ConceptTable {
  concept_id: Generated<number>;
  kind: string;
  system: string;
  code: string;
}

export interface FactTable {
  concept_id: number;
  fact_id: number;
  record_key: number;
  record_check: number;
  subject_no: number;
  number: number | null;
  value_id: number | null;
  day: number;
  second: number | null;
  end_day: number | null;
  outcome_id: number | null;
  row: number | null;
}

export interface FactSequenceTable {
  last_fact_id: number;
  merged_fact_id: number;
}

/** Finds the facts of a record whose name is not a number. */
export interface NamedRecordTable {
  record_key: number;
  concept_id: number;
  fact_id: number;
}

/** A fact in words; days and subject as they stand after merges. */
export interface SubjectFactView {
  fact_id: number;
  subject_id: string;
  kind: string;
  code_system: string;
  code: string;
  value_number: number | null;
  unit: string | null;
  value_system: string | null;
  value_code: string | null;
  day: number;
  second: number | null;
  end_day: number | null;
  outcome_id: number | null;
  row: number | null;
  record_key: number;
  record_check: number;
}

export interface ConsentTable {
  consent_id: string;
  version: number;
  subject_id: string;
  merged_from: Generated<string | null>;
  research_study_id: string | null;
  status: string;
  decision: 'permit' | 'deny';
  is_by_guardian: Generated<number>;
  stated_day: number | null;
  stated_until_day: Generated<number | null>;
  verified_day: Generated<number | null>;
  from_day: number | null;
  until_day: number | null;
  provision: Generated<string | null>;
  replacement: Generated<string | null>;
  source: string;
  content_digest: Uint8Array;
  recorded_at: string;
}

export interface TrustListTable {
  version: number;
  envelope: Uint8Array;
  accepted_at: string;
}

export interface ResearchStudyTable {
  research_study_id: string;
  plan_version: number;
  plan_digest: string;
  envelope: Uint8Array;
  accepted_at: string;
}

export interface RemedyTable {
  research_study_id: string;
  number: number;
  kind: CarriedOutRemedy;
  from_round: number;
  model_digest: string;
  envelope: Uint8Array;
  accepted_at: string;
}

export interface RemedyRequestTable {
  request_digest: string;
  research_study_id: string;
  subject_no: number;
  from_round: number;
  to_round: number;
  envelope: Uint8Array;
  requested_at: string;
  sent_at: string | null;
  refused_code: string | null;
  answer: Uint8Array | null;
  answer_outcome: 'carried-out' | 'dismissed' | null;
  dismissal_reason: string | null;
}

export interface RoundTable {
  research_study_id: string;
  round: number;
  attempt: number;
  remedy: number;
  envelope: Uint8Array;
  received_at: string;
}

export interface GlobalModelTable {
  research_study_id: string;
  remedy: number;
  round: number;
  model_digest: string;
  envelope: Uint8Array;
  tensors: Uint8Array;
  verified_at: string;
}

export interface CohortTable {
  cohort_id: string;
  research_study_id: string;
  round: number;
  cohort_digest: string;
  consent_snapshot_digest: string;
  erased_training: Generated<number>;
  erased_holdout: Generated<number>;
  selection: string;
  frozen_at: string;
}

export interface CohortMemberTable {
  cohort_id: string;
  pseudonym: string;
  subject_no: number;
  part: 'training' | 'holdout';
  index_day: number;
  consent_id: string | null;
  consent_version: number | null;
  consent_path: string;
}

export interface ErasedMemberTable {
  subject_no: number;
  research_study_id: string;
  round: number;
  part: 'training' | 'holdout';
  departure: 'never' | 'possible' | 'received';
  erased_at: string;
}

export interface SplitPartTable {
  research_study_id: string;
  subject_no: number;
  part: 'training' | 'holdout';
}

export interface TrainingRunTable {
  run_id: string;
  research_study_id: string;
  round: number;
  attempt: number;
  cohort_id: string;
  seed: Uint8Array | null;
  engine: string | null;
  state: 'running' | 'done' | 'failed' | 'cancelled';
  result: string | null;
  tensors: Uint8Array | null;
  started_at: string;
  finished_at: string | null;
}

export interface ModelUpdateTable {
  update_id: string;
  research_study_id: string;
  round: number;
  attempt: number;
  run_id: string;
  envelope: Uint8Array;
  payload: Uint8Array;
  report: string;
  report_digest: string;
  state: 'draft' | 'approved' | 'refused' | 'blocked' | 'sealed' | 'received';
  built_at: string;
}

export interface PrivacySpendTable {
  run_id: string;
  research_study_id: string;
  round: number;
  attempt: number;
  noise_multiplier: number;
  sampling_rate: number;
  steps: number;
  charged_at: string;
}

export interface ApprovalTable {
  update_id: string;
  decision: 'approve' | 'refuse';
  person: string;
  envelope: Uint8Array;
  decided_at: string;
}

export interface OfflineBundleTable {
  kind: 'in' | 'out';
  sequence: number;
  research_study_id: string;
  manifest_digest: string;
  log_size: number | null;
  moved_at: string;
}

export interface OutboxTable {
  update_id: string;
  sealed_file: Uint8Array;
  sealed_at: string;
  attempt_count: Generated<number>;
  last_code: string | null;
  receipt: Uint8Array | null;
  received_at: string | null;
}

export interface EvaluationReportTable {
  research_study_id: string;
  round: number;
  model_digest: string;
  report: string;
  evaluated_at: string;
}

export interface KnownIdentifierTable {
  link_key: Uint8Array;
  subject_no: number;
}

export interface OptOutListTable {
  list_no: Generated<number>;
  authority: string;
  stated_day: number;
  entry_count: number;
  imported_at: string;
}

export interface OptOutTable {
  link_key: Uint8Array;
  list_no: number;
}

/** Every table and view of a site, by its name. */
export interface SiteSchema extends ImagingSchema {
  setting: SettingTable;
  person: PersonTable;
  subject: SubjectTable;
  patient_link: PatientLinkTable;
  ingest_batch: IngestBatchTable;
  ingest_outcome: IngestOutcomeTable;
  row_refusal: RowRefusalTable;
  concept: ConceptTable;
  fact: FactTable;
  fact_sequence: FactSequenceTable;
  named_record: NamedRecordTable;
  subject_fact: SubjectFactView;
  consent: ConsentTable;
  trust_list: TrustListTable;
  research_study: ResearchStudyTable;
  remedy: RemedyTable;
  remedy_request: RemedyRequestTable;
  round: RoundTable;
  /** A view: rounds that no remedy has taken back. */
  round_in_force: Pick<RoundTable, 'research_study_id' | 'round' | 'attempt' | 'remedy'>;
  global_model: GlobalModelTable;
  /** A view: models that no remedy has taken back. */
  model_in_force: GlobalModelTable;
  cohort: CohortTable;
  cohort_member: CohortMemberTable;
  erased_member: ErasedMemberTable;
  split_part: SplitPartTable;
  training_run: TrainingRunTable;
  model_update: ModelUpdateTable;
  privacy_spend: PrivacySpendTable;
  approval: ApprovalTable;
  outbox: OutboxTable;
  offline_bundle: OfflineBundleTable;
  evaluation_report: EvaluationReportTable;
  audit_leaf: AuditLeafTable;
  audit_node: AuditNodeTable;
  audit_detail: AuditDetailTable;
  audit_checkpoint: AuditCheckpointTable;
  known_identifier: KnownIdentifierTable;
  opt_out_list: OptOutListTable;
  opt_out: OptOutTable;
  source: SourceTable;
  source_object: SourceObjectTable;
}

import { describe, expect, it } from 'vitest';
import { openStore, type SiteSchema, type Store, siteMigrations } from '#site/store/index.ts';
import { columnsByTable, looseTables, schemaText, sortedColumns } from '#support/store-schema.ts';

const open = (): Store =>
  openStore({ file: ':memory:', key: new Uint8Array(32).fill(1), clock: { nowMs: () => 0 } });

/** Column names by table. The type keeps it equal to SiteSchema: a missing or foreign name does not compile. */
const columns: { [Table in keyof SiteSchema]: Record<keyof SiteSchema[Table], true> } = {
  setting: { name: true, value: true },
  person: { name: true, role: true, public_key: true, added_at: true },
  subject: {
    subject_no: true,
    subject_id: true,
    sex: true,
    added_at: true,
    survivor_no: true,
    days_moved: true,
    erased_at: true,
    erasure_pending: true,
    images_only: true,
    deceased_by: true,
  },
  patient_link: { link_key: true, subject_no: true, sealed: true },
  ingest_batch: { batch_id: true, started_at: true, finished_at: true },
  ingest_outcome: {
    outcome_id: true,
    batch_id: true,
    sealed_name: true,
    file_digest: true,
    format: true,
    outcome: true,
    code: true,
    reason: true,
    rows_accepted: true,
    rows_duplicate: true,
    rows_rejected: true,
    rows_not_needed: true,
    finished_at: true,
  },
  source: {
    source_id: true,
    kind: true,
    label: true,
    sealed_settings: true,
    received: true,
    last_received_at: true,
    last_code: true,
    saved_at: true,
    sealed_state: true,
  },
  source_object: { source_id: true, object_digest: true },
  row_refusal: { outcome_id: true, row: true, code: true, field: true },
  concept: { concept_id: true, kind: true, system: true, code: true },
  fact_sequence: { last_fact_id: true, merged_fact_id: true },
  named_record: { record_key: true, concept_id: true, fact_id: true },
  fact: {
    fact_id: true,
    record_key: true,
    record_check: true,
    subject_no: true,
    concept_id: true,
    number: true,
    value_id: true,
    day: true,
    second: true,
    end_day: true,
    outcome_id: true,
    row: true,
  },
  subject_fact: {
    fact_id: true,
    subject_id: true,
    kind: true,
    code_system: true,
    code: true,
    value_number: true,
    unit: true,
    value_system: true,
    value_code: true,
    day: true,
    second: true,
    end_day: true,
    outcome_id: true,
    row: true,
    record_key: true,
    record_check: true,
  },
  consent: {
    consent_id: true,
    version: true,
    subject_id: true,
    merged_from: true,
    research_study_id: true,
    status: true,
    decision: true,
    is_by_guardian: true,
    stated_day: true,
    stated_until_day: true,
    verified_day: true,
    from_day: true,
    until_day: true,
    provision: true,
    replacement: true,
    source: true,
    content_digest: true,
    recorded_at: true,
  },
  trust_list: { version: true, envelope: true, accepted_at: true },
  research_study: {
    research_study_id: true,
    plan_version: true,
    plan_digest: true,
    envelope: true,
    accepted_at: true,
  },
  remedy: {
    research_study_id: true,
    number: true,
    kind: true,
    from_round: true,
    model_digest: true,
    envelope: true,
    accepted_at: true,
  },
  remedy_request: {
    request_digest: true,
    research_study_id: true,
    subject_no: true,
    from_round: true,
    to_round: true,
    envelope: true,
    requested_at: true,
    sent_at: true,
    refused_code: true,
    answer: true,
    answer_outcome: true,
    dismissal_reason: true,
  },
  round: {
    research_study_id: true,
    round: true,
    attempt: true,
    remedy: true,
    envelope: true,
    received_at: true,
  },
  round_in_force: { research_study_id: true, round: true, attempt: true, remedy: true },
  global_model: {
    research_study_id: true,
    remedy: true,
    round: true,
    model_digest: true,
    envelope: true,
    tensors: true,
    verified_at: true,
  },
  model_in_force: {
    research_study_id: true,
    remedy: true,
    round: true,
    model_digest: true,
    envelope: true,
    tensors: true,
    verified_at: true,
  },
  cohort_member: {
    cohort_id: true,
    pseudonym: true,
    subject_no: true,
    part: true,
    index_day: true,
    consent_id: true,
    consent_version: true,
    consent_path: true,
  },
  erased_member: {
    subject_no: true,
    research_study_id: true,
    round: true,
    part: true,
    departure: true,
    erased_at: true,
  },
  split_part: { research_study_id: true, subject_no: true, part: true },
  cohort: {
    cohort_id: true,
    research_study_id: true,
    round: true,
    cohort_digest: true,
    consent_snapshot_digest: true,
    erased_training: true,
    erased_holdout: true,
    selection: true,
    frozen_at: true,
  },
  training_run: {
    run_id: true,
    research_study_id: true,
    round: true,
    attempt: true,
    cohort_id: true,
    seed: true,
    engine: true,
    state: true,
    result: true,
    tensors: true,
    started_at: true,
    finished_at: true,
  },
  model_update: {
    update_id: true,
    research_study_id: true,
    round: true,
    attempt: true,
    run_id: true,
    envelope: true,
    payload: true,
    report: true,
    report_digest: true,
    state: true,
    built_at: true,
  },
  privacy_spend: {
    run_id: true,
    research_study_id: true,
    round: true,
    attempt: true,
    noise_multiplier: true,
    sampling_rate: true,
    steps: true,
    charged_at: true,
  },
  approval: { update_id: true, decision: true, person: true, envelope: true, decided_at: true },
  offline_bundle: {
    kind: true,
    sequence: true,
    research_study_id: true,
    manifest_digest: true,
    log_size: true,
    moved_at: true,
  },
  outbox: {
    update_id: true,
    sealed_file: true,
    sealed_at: true,
    attempt_count: true,
    last_code: true,
    receipt: true,
    received_at: true,
  },
  evaluation_report: {
    research_study_id: true,
    round: true,
    model_digest: true,
    report: true,
    evaluated_at: true,
  },
  sealed_object: { object_no: true, segment: true, position: true, byte_count: true, object_key: true },
  imaging_study: {
    imaging_study_no: true,
    imaging_study_uid: true,
    subject_no: true,
    day: true,
    second: true,
    age_years: true,
  },
  imaging_series: {
    imaging_series_no: true,
    imaging_series_uid: true,
    imaging_study_no: true,
    modality: true,
    body_part: true,
    series_number: true,
    frame_of_reference_uid: true,
  },
  sop_instance: {
    sop_instance_no: true,
    sop_instance_uid: true,
    imaging_series_no: true,
    sop_class_uid: true,
    transfer_syntax_uid: true,
    instance_number: true,
    pixel_rows: true,
    pixel_columns: true,
    frame_count: true,
    samples_per_pixel: true,
    photometric: true,
    bits_allocated: true,
    bits_stored: true,
    is_signed: true,
    row_spacing: true,
    column_spacing: true,
    slice_thickness: true,
    orientation: true,
    position: true,
    rescale_slope: true,
    rescale_intercept: true,
    day: true,
    second: true,
    source_digest: true,
    object_no: true,
    outcome_id: true,
  },
  segmentation_source: { sop_instance_no: true, frame: true, source_uid: true, source_frame: true },
  series_summary: {
    imaging_series_no: true,
    left_out: true,
    slices: true,
    intensity_shift: true,
    intensities: true,
  },
  quarantine: {
    quarantine_id: true,
    outcome_id: true,
    object_no: true,
    source_digest: true,
    format: true,
    code: true,
    field: true,
    modality: true,
    quarantined_at: true,
    waived: true,
  },
  known_identifier: { link_key: true, subject_no: true },
  opt_out_list: { list_no: true, authority: true, stated_day: true, entry_count: true, imported_at: true },
  opt_out: { link_key: true, list_no: true },
  audit_leaf: { seq: true, line: true, leaf_hash: true },
  audit_node: { level: true, position: true, hash: true },
  audit_detail: { seq: true, salt: true, detail: true },
  audit_checkpoint: { size: true, note: true, created_at: true },
};

describe('the store', () => {
  it('has exactly the tables and columns that the typed schema names', () => {
    const store = open();
    expect(columnsByTable(store)).toEqual(sortedColumns(columns));
    store.close();
  });

  it('has the schema of the snapshot (after a new migration: npx vitest run src/site/store -u)', async () => {
    const store = open();
    await expect(schemaText(store)).toMatchFileSnapshot('./site-schema.snapshot.sql');
    expect(store.prepare('PRAGMA user_version').get()).toEqual({ user_version: siteMigrations.length });
    store.close();
  });

  it('has only STRICT tables, so that a value of the wrong type is refused', () => {
    const store = open();
    expect(looseTables(store)).toEqual([]);
    store.close();
  });

  it('runs typed queries and keeps references whole', () => {
    const store = open();
    store.run(store.query.insertInto('subject').values({ subject_id: 's1', sex: null, added_at: 'now' }));
    const row = store.get(store.query.selectFrom('subject').selectAll().where('subject_id', '=', 's1'));
    expect(row?.sex).toBeNull();
    expect(() =>
      store.run(
        store.query.insertInto('patient_link').values({
          link_key: new Uint8Array(32),
          subject_no: 9,
          sealed: new Uint8Array(1),
        }),
      ),
    ).toThrow('FOREIGN KEY');
    store.close();
  });

  it('has no way to change or remove what the audit log holds', () => {
    const store = open();
    store.prepare(`INSERT INTO audit_leaf VALUES (0, '{}', x'00')`).run();
    store.prepare(`INSERT INTO audit_node VALUES (1, 0, x'00')`).run();
    store.prepare(`INSERT INTO audit_checkpoint VALUES (1, 'note', 'now')`).run();
    for (const table of ['audit_leaf', 'audit_node', 'audit_checkpoint']) {
      expect(() => store.prepare(`DELETE FROM ${table}`).run()).toThrow('AUDIT_APPEND_ONLY');
    }
    expect(() => store.prepare(`UPDATE audit_leaf SET line = '[]'`).run()).toThrow('AUDIT_APPEND_ONLY');
    expect(() => store.prepare(`UPDATE audit_node SET hash = x'01'`).run()).toThrow('AUDIT_APPEND_ONLY');
    expect(() => store.prepare(`UPDATE audit_checkpoint SET note = ''`).run()).toThrow('AUDIT_APPEND_ONLY');
    store.close();
  });
});

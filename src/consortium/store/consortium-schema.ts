// The columns of each table as Kysely sees them; meanings are in the migration.
import type { RoundKind } from '#federation/records/round.ts';
import type { CarriedOutRemedy, RequestedRemedy } from '#federation/records/withdrawal-remedy.ts';

export interface ConsortiumSchema {
  setting: { name: string; value: string };
  trust_list: { version: number; envelope: Uint8Array; issued_at: string };
  invitation: {
    code_digest: string;
    site_id: string;
    name: string;
    created_at: string;
    expires_at: string;
    used_at: string | null;
    request_digest: string | null;
  };
  site: { site_id: string; name: string; signing_key_id: string; enrolled_at: string };
  research_study: {
    research_study_id: string;
    plan_version: number;
    plan_digest: string;
    envelope: Uint8Array;
    published_at: string;
  };
  round: RoundRow;
  received_update: ReceivedUpdateRow;
  global_model: GlobalModelRow;
  /** A view: what no remedy has taken back. */
  model_in_force: GlobalModelRow;
  remedy: RemedyRow;
  remedy_request: RemedyRequestRow;
  offline_bundle: {
    site_id: string;
    kind: 'in' | 'out';
    sequence: number;
    research_study_id: string;
    manifest_digest: string;
    moved_at: string;
  };
  request_nonce: { key_id: string; nonce: string; seen_at_ms: number };
  site_checkpoint: {
    site_id: string;
    size: number;
    root_hash: string;
    origin: string;
    note: string;
    received_at: string;
  };
  log_leaf: { seq: number; line: string; leaf_hash: Uint8Array };
  log_node: { level: number; position: number; hash: Uint8Array };
  log_detail: { seq: number; salt: Uint8Array; detail: string };
  log_checkpoint: { size: number; note: string; created_at_ms: number };
}

export interface RoundRow {
  research_study_id: string;
  round: number;
  attempt: number;
  kind: RoundKind;
  state: 'open' | 'closed' | 'abandoned';
  base_model_digest: string;
  envelope: Uint8Array;
  opened_at: string;
  closes_at: string;
  ended_at: string | null;
}

export interface ReceivedUpdateRow {
  update_digest: string;
  sequence: number;
  research_study_id: string;
  round: number;
  attempt: number;
  site_id: string;
  bundle_id: string;
  example_count: number;
  audit_size: number;
  audit_root_hash: string;
  payload_bytes: number;
  sealed_file: Uint8Array;
  payload: Uint8Array;
  receipt: Uint8Array;
  received_at: string;
}

export interface RemedyRow {
  research_study_id: string;
  number: number;
  kind: CarriedOutRemedy;
  from_round: number;
  envelope: Uint8Array;
  decided_at: string;
}

export interface RemedyRequestRow {
  request_digest: string;
  research_study_id: string;
  site_id: string;
  kind: RequestedRemedy;
  from_round: number;
  to_round: number;
  envelope: Uint8Array;
  received_at: string;
  carried_out_at: string | null;
  dismissed_at: string | null;
  answer: Uint8Array | null;
}

export interface GlobalModelRow {
  research_study_id: string;
  remedy: number;
  round: number;
  model_digest: string;
  envelope: Uint8Array;
  tensors: Uint8Array;
  leaf_seq: number;
  published_at: string;
}

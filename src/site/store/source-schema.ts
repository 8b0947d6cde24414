// Row types of the tables of sources, column by column as in migrations/0003-sources.ts; what each column holds is said there.

export interface SourceTable {
  source_id: string;
  kind: 'folder' | 'dicom-receiver' | 'dicomweb' | 'mllp' | 'bulk-export';
  label: string;
  sealed_settings: Uint8Array;
  received: number;
  last_received_at: string | null;
  last_code: string | null;
  saved_at: string;
  sealed_state: Uint8Array | null;
}

export interface SourceObjectTable {
  source_id: string;
  object_digest: Uint8Array;
}

// Row types of the audit log's tables, column by column as in migrations/0001-initial.ts; what each column holds is said there.

export interface AuditLeafTable {
  seq: number;
  line: string;
  leaf_hash: Uint8Array;
}

export interface AuditNodeTable {
  level: number;
  position: number;
  hash: Uint8Array;
}

export interface AuditDetailTable {
  seq: number;
  salt: Uint8Array;
  detail: string;
}

export interface AuditCheckpointTable {
  size: number;
  note: string;
  created_at: string;
}

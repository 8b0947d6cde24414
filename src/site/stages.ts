// The pipeline of a site, in order. A stage imports only stages before it, by their index.ts (tests/architecture).

export const STAGES = [
  'store',
  'audit',
  'people',
  'agreement',
  'deidentify',
  'ingest',
  'statistics',
  'consent',
  'cohort',
  'quality',
  'imaging',
  'model',
  'training',
  'update',
  'approval',
  'signing',
  'sync',
  'evaluation',
] as const;
export type Stage = (typeof STAGES)[number];

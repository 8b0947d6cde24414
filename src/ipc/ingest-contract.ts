// Parts of the site contract about what is taken in: files held in quarantine, the column mapping of a plain CSV, and the sources
// that data comes from. A part joins `siteContract` with the site that serves it.
import { eventIterator, oc } from '@orpc/contract';
import { z } from 'zod';
import * as schema from '#ipc/schema.ts';

const count = z.int().min(0);
/** Why a person does what changes or frees data; kept in the audit log. */
const personReason = z.string().min(3).max(500);

export const quarantineEntry = z.strictObject({
  quarantineId: z.int(),
  /** As the file was named when it came. */
  name: z.string(),
  format: z.string().nullable(),
  code: z.string(),
  reason: z.string(),
  /** Column or element name, never a value. */
  field: z.string().nullable(),
  modality: z.string().nullable(),
  byteCount: count,
  quarantinedAt: z.string(),
});
export type QuarantineEntry = z.infer<typeof quarantineEntry>;
const quarantineDecision = z.strictObject({ quarantineId: z.int(), reason: personReason });

export const quarantineContract = {
  /** What is held, newest first. */
  list: oc
    .input(schema.page)
    .output(z.strictObject({ total: count, entries: z.array(quarantineEntry).readonly() })),
  /** Takes the file in after all, de-identified as any other. */
  release: oc.input(quarantineDecision).output(schema.fileOutcome),
  delete: oc.input(quarantineDecision).output(z.void()),
};

export const columnRole = z.enum([
  'identifier',
  'name',
  'birth-date',
  'sex',
  'index-date',
  'quantity',
  'boolean',
  'coded',
  'consent',
  'ignore',
]);
export type ColumnRole = z.infer<typeof columnRole>;
export const mappedColumn = z.strictObject({
  name: z.string(),
  samples: z.array(z.string()).max(5).readonly(),
  role: columnRole,
  code: z.strictObject({ system: z.string(), code: z.string(), display: z.string() }).nullable(),
  /** UCUM. */
  unit: z.string().nullable(),
  confidence: z.number().min(0).max(1),
});
export type MappedColumn = z.infer<typeof mappedColumn>;
/** The first bytes of a CSV file, at most 256 KiB, base64. */
const head = z.base64().max(360_000);

export const mappingSuggestion = z.strictObject({
  delimiter: z.string(),
  columns: z.array(mappedColumn).readonly(),
  /** JSON text of a csv-mapping/1; null where the columns do not make one yet. */
  mapping: z.string().nullable(),
});
export type MappingSuggestion = z.infer<typeof mappingSuggestion>;
export const mappingPreview = z.strictObject({
  /** The first rows, as they would be stored. */
  rows: z
    .array(
      z.strictObject({
        row: z.int().min(1),
        day: z.string().nullable(),
        facts: z
          .array(z.strictObject({ code: z.string(), value: z.string(), unit: z.string().nullable() }))
          .readonly(),
        refusal: z.strictObject({ code: z.string(), field: z.string().nullable() }).nullable(),
      }),
    )
    .readonly(),
  /** Rows of the head in all. */
  accepted: count,
  rejected: count,
});
export type MappingPreview = z.infer<typeof mappingPreview>;

export const mappingContract = {
  suggest: oc.input(z.strictObject({ head })).output(mappingSuggestion),
  preview: oc.input(z.strictObject({ head, mapping: z.string().max(1_000_000) })).output(mappingPreview),
};

export const sourceKind = z.enum(['folder', 'dicom-receiver', 'dicomweb', 'mllp', 'bulk-export']);
export type SourceKind = z.infer<typeof sourceKind>;
/** By name, without secrets. */
const sourceSettings = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
export const source = z.strictObject({
  sourceId: z.string(),
  kind: sourceKind,
  label: z.string(),
  state: z.enum(['off', 'listening', 'running', 'failed']),
  /** Why it failed last. */
  code: z.string().nullable(),
  received: count,
  lastReceivedAt: z.string().nullable(),
  settings: sourceSettings,
});
export type Source = z.infer<typeof source>;

export const sourcesContract = {
  list: oc.output(z.array(source)),
  save: oc
    .input(z.strictObject({ kind: sourceKind, label: z.string().min(1).max(100), settings: sourceSettings }))
    .output(source),
  remove: oc.input(z.strictObject({ sourceId: z.string().max(64) })).output(z.void()),
  /** Fetches now, where the source is one that is asked. */
  run: oc.input(z.strictObject({ sourceId: z.string().max(64) })).output(eventIterator(schema.ingestEvent)),
};

// What came of each file, as the site contract shows it, and how it is kept: the file's name only sealed.
import { fromUtf8, utf8 } from '#base/bytes.ts';
import { openBytes, sealBytes } from '#federation/crypto/seal.ts';
import type { Store } from '#site/store/index.ts';
import type { BatchPace } from './import-pace.ts';

export type OutcomeKind = 'accepted' | 'duplicate' | 'quarantined' | 'rejected';

export interface RowCounts {
  readonly accepted: number;
  readonly duplicate: number;
  readonly rejected: number;
  /** Recognised, of a kind that has no place in the clinical vocabulary. */
  readonly notNeeded: number;
}

export interface RowRefusalEntry {
  /** From 1. */
  readonly row: number;
  readonly code: string;
  /** Column or element name, never a value. */
  readonly field: string | null;
}

export interface FileOutcome {
  /** As the caller named it. */
  readonly path: string;
  readonly outcome: OutcomeKind;
  readonly format: string | null;
  /** Why it is not, or not wholly, accepted. */
  readonly code: string | null;
  readonly reason: string | null;
  readonly rows: RowCounts;
  /** The first refused rows. */
  readonly refusals: readonly RowRefusalEntry[];
}

export interface IngestSummary {
  readonly batchId: string;
  readonly accepted: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly rejected: number;
  /** Rows of all files. */
  readonly rowCounts: RowCounts;
  /** Every file of a batch of up to 1,000; of a larger one first of all those that are not wholly in. */
  readonly files: readonly FileOutcome[];
  /** Files that are counted above and not among `files`. */
  readonly filesOmitted: number;
  /** What was added, by kind, without those of which there was none: patient, measurement, consent... */
  readonly rows: Readonly<Record<string, number>>;
}

export interface IngestProgress extends BatchPace {
  readonly kind: 'progress';
  readonly path: string;
  readonly fileIndex: number;
  readonly fileCount: number;
  readonly bytesRead: number;
  readonly bytesTotal: number;
  readonly rowCount: number;
}

export type IngestEvent =
  | IngestProgress
  | { readonly kind: 'file'; readonly file: FileOutcome }
  | { readonly kind: 'summary'; readonly summary: IngestSummary };

export interface IngestOrder {
  readonly batchId: string;
  /** Indexes into the announced files, in the order in which they are wanted. */
  readonly order: readonly number[];
}

export interface IngestChunk {
  readonly batchId: string;
  readonly fileIndex: number;
  readonly offset: number;
  /** Base64, at most 1 MiB of bytes. */
  readonly bytes: string;
  readonly isLast: boolean;
}

export interface IngestPushed {
  readonly bytesRead: number;
  readonly rowCount: number;
  /** Set with the last chunk, and earlier where the file is refused as a whole. */
  readonly file: FileOutcome | null;
}

export interface StoredOutcome {
  readonly outcomeId: number;
  readonly name: string;
  readonly format: string | null;
  readonly outcome: OutcomeKind;
  readonly code: string | null;
  readonly reason: string | null;
  readonly rows: RowCounts;
  readonly finishedAt: string;
}

export interface RecordCount {
  readonly kind: string;
  readonly system: string;
  readonly code: string;
  readonly factCount: number;
  readonly subjectCount: number;
}

const nameContext = utf8('ingest-outcome-name');

/** A file's name may name a patient: it is kept sealed. */
export function sealName(linkageKey: Uint8Array, name: string): Uint8Array {
  return sealBytes(linkageKey, utf8(name), nameContext);
}

/** @throws CryptoError DECRYPT_FAILED. */
export function openName(linkageKey: Uint8Array, sealedName: Uint8Array): Uint8Array {
  return openBytes(linkageKey, sealedName, nameContext);
}

/** Outcomes of all imports, newest first. */
export function listOutcomes(
  store: Store,
  linkageKey: Uint8Array,
  page: { readonly offset: number; readonly limit: number },
): { total: number; outcomes: StoredOutcome[] } {
  const { query } = store;
  const count = store.get(
    query.selectFrom('ingest_outcome').select(({ fn }) => fn.countAll<number>().as('total')),
  );
  const rows = store.all(
    query
      .selectFrom('ingest_outcome')
      .selectAll()
      .orderBy('outcome_id', 'desc')
      .limit(page.limit)
      .offset(page.offset),
  );
  const outcomes = rows.map((row) => ({
    outcomeId: row.outcome_id,
    name: fromUtf8(openName(linkageKey, row.sealed_name)),
    format: row.format,
    outcome: row.outcome,
    code: row.code,
    reason: row.reason,
    rows: {
      accepted: row.rows_accepted,
      duplicate: row.rows_duplicate,
      rejected: row.rows_rejected,
      notNeeded: row.rows_not_needed,
    },
    finishedAt: row.finished_at,
  }));
  return { total: count?.total ?? 0, outcomes };
}

/** How many facts there are of each kind and code, and of how many subjects. */
export function recordCounts(store: Store): RecordCount[] {
  const statement = store.prepare(`
    SELECT kind, system, code, factCount, subjectCount FROM (
      SELECT concept_id, count(*) AS factCount, count(DISTINCT coalesce(survivor_no, subject_no)) AS subjectCount
      FROM fact JOIN subject USING (subject_no) GROUP BY concept_id
    ) JOIN concept USING (concept_id) ORDER BY kind, system, code`);
  return statement.all() as RecordCount[];
}

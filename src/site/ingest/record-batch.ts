// Rows of a file, packed: numbers in typed arrays that move between threads without a copy, words once in dictionaries. Source
// identities are in it only as keyed digests.
import type { DeathStatement, PatientKey, PatientRecord } from '#site/deidentify/index.ts';
import type { ConsentReplacement } from '#site/store/index.ts';
import type { FactKind, ReadRow, RowProblem, SourceConsent } from './clinical-record.ts';

/** What a row of a batch is. `other`: as an object in `others`. */
export const rowKinds = { record: 0, reference: 1, notNeeded: 2, other: 3 } as const;

/** A word of the dictionary: what a fact is, its unit or its coded value. */
export interface Concept {
  readonly kind: FactKind | 'answer' | 'unit';
  readonly system: string;
  readonly code: string;
}

/** Codes and systems hold no space. */
export function conceptName(kind: Concept['kind'], system: string, code: string): string {
  return `${kind} ${system} ${code}`;
}

/** A consent by the keyed digest of its source identity. */
export interface PackedConsent {
  readonly consentId: string;
  readonly contentDigest: Uint8Array;
  readonly consent: SourceConsent;
  /** Without the consent's own name; null where there is nothing to say. */
  readonly replacement: ConsentReplacement | null;
}

/** What a record says beside facts. */
export interface RecordDetails {
  readonly patient: PatientRecord | null;
  /** Null: left as it is. */
  readonly death: DeathStatement | null;
  readonly consents: readonly PackedConsent[];
  /** Null for a row that is not refused. */
  readonly refusal: RowProblem | null;
}

/** A deletion by the keyed digest of the record's name. */
export interface PackedDeletion {
  readonly kind: 'deletion';
  readonly row: number;
  readonly recordKey: number;
  /** First half of the ids of the consents that have the name. */
  readonly consentName: string;
}

export type OtherRow =
  | Exclude<ReadRow, { readonly kind: 'record' | 'reference' | 'not-needed' | 'deletion' }>
  | PackedDeletion;

export const linkKeyBytes = 32;
/** In `factEndDays` and `factSeconds`: not stated. */
export const notStated = -2_147_483_648;

export interface RecordBatch {
  readonly rowCount: number;
  /** For each row. */
  readonly kinds: Uint8Array;
  readonly rowNumbers: Float64Array;
  /** Index into `subjects`, for records. */
  readonly subjectIndexes: Uint32Array;
  /** NaN for a record that has no facts by its nature. */
  readonly recordKeys: Float64Array;
  readonly recordChecks: Float64Array;
  /** One more than rows: the facts of row i are those from firstFacts[i] to firstFacts[i + 1]. */
  readonly firstFacts: Uint32Array;
  /** For each fact: indexes into `concepts`; -1 for a fact without unit and without coded value. */
  readonly factConcepts: Int32Array;
  readonly factValues: Int32Array;
  /** NaN for none. */
  readonly factNumbers: Float64Array;
  /** Real days. */
  readonly factDays: Int32Array;
  readonly factSeconds: Int32Array;
  readonly factEndDays: Int32Array;
  readonly subjects: readonly PatientKey[];
  /** 32 bytes each. */
  readonly subjectLinkKeys: Uint8Array;
  readonly concepts: readonly Concept[];
  readonly details: ReadonlyMap<number, RecordDetails>;
  readonly others: ReadonlyMap<number, OtherRow>;
}

/** The memory of a batch that can move to another thread. */
export function batchBuffers(batch: RecordBatch): ArrayBuffer[] {
  return Object.values(batch).flatMap((column) =>
    ArrayBuffer.isView(column) && column.buffer instanceof ArrayBuffer ? [column.buffer] : [],
  );
}

// What every reader gives, whatever the format: patients, facts and consents as the source states them, before de-identification.
import type { DeathStatement, PatientKey, PatientRecord } from '#site/deidentify/index.ts';
import type { ConsentProvision } from '#site/store/index.ts';
import type { FileRefusalCode, RowRefusalCode } from './ingest-error.ts';

export interface CodedValue {
  readonly system: string;
  readonly code: string;
}

/** A quantity in its UCUM unit, a boolean as 0 or 1 without one, or a code. */
export type FactValue =
  | { readonly number: number; readonly unit: string | null }
  | { readonly coded: CodedValue };

/** Yes and no as SNOMED CT and LOINC answer codes: sources without booleans say them so. */
const booleanCodes = new Map<string, number>([
  ['http://snomed.info/sct|373066001', 1],
  ['http://snomed.info/sct|373067005', 0],
  ['http://loinc.org|LA33-6', 1],
  ['http://loinc.org|LA32-8', 0],
]);

/** A coded value, as a boolean where it says yes or no: the same fact whatever the format. */
export function codedFactValue(coded: CodedValue): FactValue {
  const number = booleanCodes.get(`${coded.system}|${coded.code}`);
  return number === undefined ? { coded } : { number, unit: null };
}

/** The site's clinical vocabulary, whatever the format: what a fact is. Observations of any kind are measurements. */
export const factKinds = ['encounter', 'condition', 'measurement', 'medication', 'procedure'] as const;
export type FactKind = (typeof factKinds)[number];

export interface SourceFact {
  readonly kind: FactKind;
  /** Names the fact within its record. */
  readonly part: string;
  /** What was there, done, given or measured: LOINC, SNOMED CT, ICD-10, RxNorm, CVX... with its system. */
  readonly code: CodedValue;
  /** Null where the fact is that it was there: a condition, an encounter. */
  readonly value: FactValue | null;
  /** Real day, in the site's time zone where the source states an instant. */
  readonly day: number;
  /** Second of that day; null where the source states a day only. */
  readonly second: number | null;
  /** Real day of its end (abatement, discharge, last dose); null while it lasts or where none is stated. */
  readonly endDay: number | null;
}

export interface SourceConsent {
  /** Names the consent at its source; the same again is the same consent, changed or repeated. */
  readonly sourceId: readonly string[];
  readonly researchStudyId: string | null;
  /** FHIR Consent.status. */
  readonly status: ConsentStatus;
  readonly decision: 'permit' | 'deny';
  /** Whether somebody else gave it for the patient, as far as the source says. */
  readonly isByGuardian: boolean;
  /** Real days. */
  readonly statedDay: number | null;
  /** The last day that `statedDay` may mean, where the source states a month or a year. */
  readonly statedUntilDay?: number;
  /** The day on which it was verified with the patient; absent where the source states none. */
  readonly verifiedDay?: number | null;
  readonly fromDay: number | null;
  readonly untilDay: number | null;
  /** The rules where the source has more than one permit or deny, with real days; null: `decision` is all it says. */
  readonly provision: ConsentProvision | null;
  /** What ties it to other consents of the patient; absent: nothing. */
  readonly replacement?: SourceReplacement;
  readonly source: 'csv' | 'fhir' | 'omop' | 'ccda' | 'hl7v2';
  /** Kept only where an earlier version of the consent is known, which it ends: it is about something else than research. */
  readonly onlyReplaces?: boolean;
}

/** Other names of a consent, the consents that it says it replaces, and who gave it where that is not the patient. */
export interface SourceReplacement {
  readonly names: readonly (readonly string[])[];
  /** As the `name` of their `RecordIdentity`, or as one of `names`. */
  readonly replaces: readonly (readonly string[])[];
  /** Sorted; empty for the patient. */
  readonly givenBy: readonly string[];
}

export const consentStatuses = [
  'draft',
  'proposed',
  'active',
  'rejected',
  'inactive',
  'entered-in-error',
] as const;
export type ConsentStatus = (typeof consentStatuses)[number];

/** What a source calls a record, and what keeps it apart from others of that name; null where the name alone is unique. */
export interface RecordIdentity {
  readonly name: readonly string[];
  readonly scope: string | null;
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * FHIR's `['fhir', type, scope, id]` is named by type and id; the scope keeps apart the records of different patients that have
 * one id, as hand-made bundles do. A UUID is nobody else's: sent again under another patient, the record has moved there. So has
 * one of an OMOP table, `['omop', table, id, person]`. Anything else is its own name.
 */
export function recordIdentityOf(sourceId: readonly string[]): RecordIdentity {
  const [format = '', type = '', third = '', fourth = ''] = sourceId;
  if (sourceId.length !== 4) return { name: sourceId, scope: null };
  if (format === 'omop') return { name: [format, type, third], scope: null };
  if (format !== 'fhir') return { name: sourceId, scope: null };
  return { name: [format, type, fourth], scope: uuid.test(fourth) ? null : third };
}

/** One row: whom it is about and what it says. */
export interface ClinicalRecord {
  /** How the row names its patient. */
  readonly subject: PatientKey;
  /** Set where the row states the patient's identity. */
  readonly patient: PatientRecord | null;
  /** Whether the patient died; absent where the row leaves that as it is. */
  readonly death?: DeathStatement | undefined;
  /**
   * Names the record at its source, null where it has no facts by its nature. The record's facts become exactly `facts`:
   * what an earlier version of it said and this one does not is removed.
   */
  readonly sourceId: readonly string[] | null;
  readonly facts: readonly SourceFact[];
  readonly consents: readonly SourceConsent[];
  /** Why the row is refused although what it says here is taken: the consent in it denies more than it may have said. */
  readonly refusal?: RowProblem | undefined;
}

export interface RowProblem {
  readonly code: RowRefusalCode;
  /** Column or element name, never a value. */
  readonly field: string | null;
}

/**
 * A row that was read: taken, recognised as one that adds no record (a concept), of a kind that has no place in the clinical
 * vocabulary (a claim), a deletion, a merge of two patients, or refused; or the end of the whole file.
 */
export type ReadRow =
  | { readonly kind: 'record'; readonly row: number; readonly record: ClinicalRecord }
  | { readonly kind: 'reference'; readonly row: number }
  | { readonly kind: 'not-needed'; readonly row: number }
  | DeletionRow
  | MergeRow
  | RefusedRow
  | { readonly kind: 'file-refused'; readonly code: FileRefusalCode; readonly field: string | null };

/** The source says that it no longer has a record: its facts and consents go. */
export interface DeletionRow {
  readonly kind: 'deletion';
  readonly row: number;
  /** The `sourceId` of the record; of a FHIR resource `['fhir', type, id]`, because its deletion does not say whose it was. */
  readonly sourceId: readonly string[];
}

/** The source says that two identities are one person: everything of the retired one becomes the survivor's. */
export interface MergeRow {
  readonly kind: 'merge';
  readonly row: number;
  readonly survivor: PatientKey;
  readonly retired: PatientKey;
  /** How records of the retired one name their patient, as in `PatientRecord`: they may come without an earlier version of it. */
  readonly aliases: readonly PatientKey[];
}

export interface RefusedRow extends RowProblem {
  readonly kind: 'refused';
  /** From 1: line of a CSV or NDJSON file, entry of a bundle. */
  readonly row: number;
}

/** Reads one file from its bytes in order. Readers hold no more than a row (and digests of a CSV's rows), except for a bundle. */
export interface RecordReader {
  write(bytes: Uint8Array): Iterable<ReadRow>;
  end(): Iterable<ReadRow>;
}

/** Leaves the parse of one row; caught by its reader and turned into a value. */
export class RowRefusal extends Error {
  readonly code: RowRefusalCode;
  readonly field: string | null;

  constructor(code: RowRefusalCode, field: string | null) {
    super(code);
    this.code = code;
    this.field = field;
  }
}

/** What `read` gives, and undefined where it is refused. */
export function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RowRefusal) return undefined;
    throw error;
  }
}

/** `parse` of one row, with its refusal as a value: a record, nothing that adds one (null), or a row of another kind. */
export function readRow(row: number, parse: () => ClinicalRecord | ReadRow | null): ReadRow {
  try {
    const read = parse();
    if (read === null) return { kind: 'reference', row };
    return 'kind' in read ? read : { kind: 'record', row, record: read };
  } catch (error) {
    if (error instanceof RowRefusal) return { kind: 'refused', row, code: error.code, field: error.field };
    throw error;
  }
}

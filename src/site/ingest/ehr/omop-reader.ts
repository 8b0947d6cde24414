// OMOP CDM 5.4 tables as records: persons are patients, measurements and observations are facts, by the concept table's codes.
import type { PatientKey } from '#site/deidentify/index.ts';
import {
  type ClinicalRecord,
  type CodedValue,
  codedFactValue,
  type FactValue,
  type ReadRow,
  type RecordReader,
  RowRefusal,
  readRow,
} from '../clinical-record.ts';
import { type TableHeader, TableReader, type TableRow } from './csv-table.ts';
import {
  readBirthDate,
  readCode,
  readConsentStatus,
  readDay,
  readNumber,
  readText,
  readUnit,
} from './field-value.ts';
import { type OmopConcepts, researchStudySystems, ucumSystem } from './omop-concepts.ts';
import type { OmopTable } from './omop-tables.ts';

const personAuthority = 'urn:consilium:omop:person_id';
const personSourceAuthority = 'urn:consilium:omop:person_source_value';
/** Standard concepts of the CDM's Gender domain. */
const genders = new Map<number, 'male' | 'female'>([
  [8507, 'male'],
  [8532, 'female'],
]);
const equalsOperator = 4172703;
/** Observations with this code of a research study's own system are consents to it. */
const consentCode = 'research-consent';

/** @param header with lower-case names and every needed column */
export function createOmopReader(
  table: OmopTable,
  header: TableHeader,
  concepts: OmopConcepts,
): RecordReader {
  if (table === 'concept') return new ConceptReader(header, concepts);
  const read = { person, observation_period: observationPeriod, measurement, observation }[table];
  return new TableReader(header, (row) => readRow(row.row, () => read(row, concepts)));
}

/** Fills the dictionary; its rows are no records. */
class ConceptReader implements RecordReader {
  readonly #table: TableReader;
  readonly #concepts: OmopConcepts;
  #isFull = false;

  constructor(header: TableHeader, concepts: OmopConcepts) {
    this.#concepts = concepts;
    this.#table = new TableReader(header, (row) =>
      readRow(row.row, () => {
        const id = required(row, 'concept_id', readId);
        const code = row.cell('concept_code');
        if (!concepts.add(id, row.cell('vocabulary_id'), code)) this.#isFull = true;
        return null;
      }),
    );
  }

  *write(bytes: Uint8Array): Generator<ReadRow> {
    for (const read of this.#table.write(bytes)) {
      if (this.#isFull) yield { kind: 'file-refused', code: 'TOO_MANY_CONCEPTS', field: null };
      yield read;
    }
  }

  *end(): Generator<ReadRow> {
    yield* this.#table.end();
    this.#concepts.finish();
  }
}

function person(row: TableRow): ClinicalRecord {
  const alias = personKey(row);
  const source = row.cell('person_source_value');
  const key =
    source === ''
      ? alias
      : { authority: personSourceAuthority, identifier: readText(source, 'person_source_value') };
  const sex = genders.get(required(row, 'gender_concept_id', readId)) ?? null;
  const patient = { key, aliases: source === '' ? [] : [alias], name: null, birthDate: birthDate(row), sex };
  return { subject: key, patient, sourceId: null, facts: [], consents: [] };
}

function birthDate(row: TableRow): string | null {
  const at = row.cell('birth_datetime');
  if (at.length > 10) readDay(at, 'birth_datetime');
  if (at !== '') return readBirthDate(at.slice(0, 10), 'birth_datetime');
  const year = required(row, 'year_of_birth', readId);
  const parts = ['month_of_birth', 'day_of_birth'].map((column) => row.cell(column));
  const isWhole = parts.every((part) => part !== '');
  const text = [String(year), ...(isWhole ? parts.map((part) => part.padStart(2, '0')) : [])].join('-');
  return readBirthDate(text, 'year_of_birth');
}

/** Adds no fact; says that the person is under observation at all. */
function observationPeriod(row: TableRow): ClinicalRecord {
  required(row, 'observation_period_start_date', readDay);
  required(row, 'observation_period_end_date', readDay);
  return { subject: personKey(row), patient: null, sourceId: null, facts: [], consents: [] };
}

function measurement(row: TableRow, concepts: OmopConcepts): ClinicalRecord {
  const operator = row.cell('operator_concept_id');
  // `< 5` is no number that a model may take for 5.
  if (operator !== '' && ![0, equalsOperator].includes(readId(operator, 'operator_concept_id'))) {
    throw new RowRefusal('UNSUPPORTED_VALUE', 'operator_concept_id');
  }
  return fact(row, { table: 'measurement', concepts });
}

function observation(row: TableRow, concepts: OmopConcepts): ClinicalRecord {
  const code = concept(row, 'observation_concept_id', concepts);
  const isConsent = code.code === consentCode && code.system.startsWith(researchStudySystems);
  return isConsent
    ? consent(row, code.system.slice(researchStudySystems.length), concepts)
    : fact(row, { table: 'observation', concepts });
}

interface FactTable {
  readonly table: 'measurement' | 'observation';
  readonly concepts: OmopConcepts;
}

function fact(row: TableRow, { table, concepts }: FactTable): ClinicalRecord {
  const subject = personKey(row);
  const code = concept(row, `${table}_concept_id`, concepts);
  const day = required(row, `${table}_date`, readDay);
  const value = factValue(row, concepts);
  return {
    subject,
    patient: null,
    sourceId: ['omop', table, String(required(row, `${table}_id`, readId)), subject.identifier],
    facts: [{ kind: 'measurement', part: 'value', code, value, day, second: null, endDay: null }],
    consents: [],
  };
}

function factValue(row: TableRow, concepts: OmopConcepts): FactValue {
  const number = row.cell('value_as_number');
  if (number !== '') {
    const value = readNumber(number, 'value_as_number');
    if (['', '0'].includes(row.cell('unit_concept_id')))
      throw new RowRefusal('MISSING_UNIT', 'unit_concept_id');
    const unit = concept(row, 'unit_concept_id', concepts);
    if (unit.system !== ucumSystem) throw new RowRefusal('UNKNOWN_UNIT', 'unit_concept_id');
    return { number: value, unit: readUnit(unit.code, 'unit_concept_id') };
  }
  if (!['', '0'].includes(row.cell('value_as_concept_id'))) {
    return codedFactValue(concept(row, 'value_as_concept_id', concepts));
  }
  const isText = row.cell('value_as_string') !== '';
  throw new RowRefusal(
    isText ? 'UNSUPPORTED_VALUE' : 'MISSING_FIELD',
    isText ? 'value_as_string' : 'value_as_number',
  );
}

/** Value: permit or deny. Qualifier: FHIR consent status, active where there is none. Text: the last day it holds. */
function consent(row: TableRow, researchStudyId: string, concepts: OmopConcepts): ClinicalRecord {
  const subject = personKey(row);
  const decision = concept(row, 'value_as_concept_id', concepts).code;
  if (decision !== 'permit' && decision !== 'deny') throw new RowRefusal('BAD_VALUE', 'value_as_concept_id');
  const isQualified = !['', '0'].includes(row.cell('qualifier_concept_id'));
  const status = isQualified ? concept(row, 'qualifier_concept_id', concepts).code : 'active';
  const until = row.cell('value_as_string');
  const id = String(required(row, 'observation_id', readId));
  return {
    subject,
    patient: null,
    sourceId: null,
    facts: [],
    consents: [
      {
        sourceId: ['omop', 'observation', id, subject.identifier],
        researchStudyId,
        status: readConsentStatus(status, 'qualifier_concept_id'),
        decision,
        statedDay: required(row, 'observation_date', readDay),
        fromDay: null,
        untilDay: until === '' ? null : readDay(until, 'value_as_string'),
        source: 'omop',
      },
    ],
  };
}

function personKey(row: TableRow): PatientKey {
  return { authority: personAuthority, identifier: String(required(row, 'person_id', readId)) };
}

function concept(row: TableRow, column: string, concepts: OmopConcepts): CodedValue {
  const found = concepts.find(required(row, column, readId));
  if (found === undefined) throw new RowRefusal('UNKNOWN_CONCEPT', column);
  return { system: found.system, code: readCode(found.code, column) };
}

function required<T>(row: TableRow, column: string, read: (text: string, field: string) => T): T {
  const text = row.cell(column);
  if (text === '') throw new RowRefusal('MISSING_FIELD', column);
  return read(text, column);
}

/** A whole number from 0, as ids and years are. */
function readId(text: string, field: string): number {
  const id = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(id)) throw new RowRefusal('BAD_NUMBER', field);
  return id;
}

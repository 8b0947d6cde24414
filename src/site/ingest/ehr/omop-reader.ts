// OMOP CDM 5.3 and 5.4 tables as records, by the concept table's codes: persons are patients, the clinical tables are facts.
import { type ClinicalRecord, type ReadRow, type RecordReader, readRow } from '../clinical-record.ts';
import { type TableHeader, TableReader, type TableRow } from './csv-table.ts';
import { readBirthDate, readDay, readText } from './field-value.ts';
import type { OmopConcepts } from './omop-concepts.ts';
import { createEventReader, readDeath } from './omop-events.ts';
import { type OmopContext, personKey, required, requiredId } from './omop-row.ts';
import type { OmopTable } from './omop-tables.ts';
import { readMeasurement, readOmopObservation } from './omop-values.ts';

const personSourceAuthority = 'urn:consilium:omop:person_source_value';
/** Standard concepts of the CDM's Gender domain. */
const genders = new Map<number, 'male' | 'female'>([
  [8507, 'male'],
  [8532, 'female'],
]);

type RowReader = (row: TableRow, context: OmopContext) => ClinicalRecord;

const rowReaders: Readonly<Record<Exclude<OmopTable, 'concept'>, RowReader>> = {
  person: readPerson,
  observation_period: readObservationPeriod,
  visit_occurrence: createEventReader('visit_occurrence'),
  condition_occurrence: createEventReader('condition_occurrence'),
  drug_exposure: createEventReader('drug_exposure'),
  procedure_occurrence: createEventReader('procedure_occurrence'),
  measurement: readMeasurement,
  observation: readOmopObservation,
  death: readDeath,
};

/** @param header with lower-case names and every needed column */
export function createOmopReader(
  table: OmopTable | 'not-needed',
  header: TableHeader,
  context: OmopContext,
): RecordReader {
  if (table === 'not-needed') return new TableReader(header, ({ row }) => ({ kind: 'not-needed', row }));
  if (table === 'concept') return new ConceptReader(header, context.concepts);
  const read = rowReaders[table];
  return new TableReader(header, (row) => readRow(row.row, () => read(row, context)));
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
        const id = requiredId(row, 'concept_id');
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

function readPerson(row: TableRow, { zone }: OmopContext): ClinicalRecord {
  const alias = personKey(row);
  const source = row.cell('person_source_value');
  const key =
    source === ''
      ? alias
      : { authority: personSourceAuthority, identifier: readText(source, 'person_source_value') };
  const sex = genders.get(requiredId(row, 'gender_concept_id')) ?? null;
  const birthDate = readBirth(row, zone);
  const patient = {
    key,
    aliases: source === '' ? [] : [alias],
    otherIdentifiers: [],
    name: null,
    birthDate,
    sex,
  };
  return { subject: key, patient, sourceId: null, facts: [], consents: [] };
}

/** A birth date is what the calendar on the wall said: no zone moves it. */
function readBirth(row: TableRow, zone: OmopContext['zone']): string | null {
  const at = row.cell('birth_datetime');
  if (at.length > 10) readDay(at, 'birth_datetime', zone);
  if (at !== '') return readBirthDate(at.slice(0, 10), 'birth_datetime');
  const year = requiredId(row, 'year_of_birth');
  const parts = ['month_of_birth', 'day_of_birth'].map((column) => row.cell(column));
  const isWhole = parts.every((part) => part !== '');
  const text = [String(year), ...(isWhole ? parts.map((part) => part.padStart(2, '0')) : [])].join('-');
  return readBirthDate(text, 'year_of_birth');
}

/** Adds no fact; says that the person is under observation at all. */
function readObservationPeriod(row: TableRow, { zone }: OmopContext): ClinicalRecord {
  for (const column of ['observation_period_start_date', 'observation_period_end_date'])
    readDay(required(row, column), column, zone);
  return { subject: personKey(row), patient: null, sourceId: null, facts: [], consents: [] };
}

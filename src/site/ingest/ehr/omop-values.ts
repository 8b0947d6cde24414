// OMOP measurements and observations: a number with its unit, a coded answer, or a finding that is its own statement.
import { type ClinicalRecord, codedFactValue, type FactValue, RowRefusal } from '../clinical-record.ts';
import { loincSystem, ucumSystem } from './code-system.ts';
import type { TableRow } from './csv-table.ts';
import { isNumber, readNumber, readUnit } from './field-value.ts';
import { researchStudySystems } from './omop-concepts.ts';
import { readOmopConsent } from './omop-consent.ts';
import {
  isMapped,
  type OmopContext,
  personKey,
  readConcept,
  readConceptOrSource,
  readId,
  readOmopTime,
  requiredId,
} from './omop-row.ts';
import { readSourceUnit } from './unit-spelling.ts';

const equalsOperator = 4172703;
/** Observations with this code of a research study's own system are consents to it. */
const consentCode = 'research-consent';

export function readMeasurement(row: TableRow, context: OmopContext): ClinicalRecord {
  const operator = row.cell('operator_concept_id');
  // `< 5` is no number that a model may take for 5.
  if (operator !== '' && ![0, equalsOperator].includes(readId(operator, 'operator_concept_id'))) {
    throw new RowRefusal('UNSUPPORTED_VALUE', 'operator_concept_id');
  }
  return readValueRow(row, 'measurement', context);
}

export function readOmopObservation(row: TableRow, context: OmopContext): ClinicalRecord {
  const code = readConceptOrSource(row, 'observation', context.concepts);
  const isConsent = code.code === consentCode && code.system.startsWith(researchStudySystems);
  return isConsent
    ? readOmopConsent(row, code.system.slice(researchStudySystems.length), context)
    : readValueRow(row, 'observation', context);
}

function readValueRow(
  row: TableRow,
  table: 'measurement' | 'observation',
  { concepts, zone }: OmopContext,
): ClinicalRecord {
  const subject = personKey(row);
  const code = readConceptOrSource(row, table, concepts);
  const { day, second } = readOmopTime(row, table, zone);
  const value = readFactValue(row, { concepts, zone });
  // A finding stands for itself; a question (LOINC) without its answer says nothing.
  if (value === null && code.system === loincSystem) throw new RowRefusal('MISSING_FIELD', 'value_as_number');
  return {
    subject,
    patient: null,
    sourceId: ['omop', table, String(requiredId(row, `${table}_id`)), subject.identifier],
    facts: [{ kind: 'measurement', part: 'value', code, value, day, second, endDay: null }],
    consents: [],
  };
}

function readFactValue(row: TableRow, { concepts }: OmopContext): FactValue | null {
  const number = row.cell('value_as_number');
  if (number !== '') {
    const value = readNumber(number, 'value_as_number');
    if (!isMapped(row, 'unit_concept_id')) {
      return { number: value, unit: readSourceUnit(row.cell('unit_source_value'), 'unit_concept_id') };
    }
    const unit = readConcept(row, 'unit_concept_id', concepts);
    if (unit.system !== ucumSystem) throw new RowRefusal('UNKNOWN_UNIT', 'unit_concept_id');
    return { number: value, unit: readUnit(unit.code, 'unit_concept_id') };
  }
  if (isMapped(row, 'value_as_concept_id'))
    return codedFactValue(readConcept(row, 'value_as_concept_id', concepts));
  return readSourceValue(row);
}

/** What a conversion to OMOP left as the source had it: a number with its unit counts, other text does not. */
function readSourceValue(row: TableRow): FactValue | null {
  const source = row.cell('value_source_value');
  const unit = row.cell('unit_source_value');
  if (isNumber(source) && unit !== '') {
    return {
      number: readNumber(source, 'value_source_value'),
      unit: readSourceUnit(unit, 'unit_source_value'),
    };
  }
  if (row.cell('value_as_string') !== '') throw new RowRefusal('UNSUPPORTED_VALUE', 'value_as_string');
  if (source !== '') throw new RowRefusal('UNSUPPORTED_VALUE', 'value_source_value');
  return null;
}

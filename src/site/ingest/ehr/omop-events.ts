// OMOP rows whose fact is that something was there, done or given: visits, conditions, drug exposures, procedures, deaths.
import type { ClinicalRecord, CodedValue, FactKind } from '../clinical-record.ts';
import { encounterClassSystem } from './code-system.ts';
import type { TableRow } from './csv-table.ts';
import { deathFact } from './death.ts';
import {
  type OmopContext,
  personKey,
  readConceptOrSource,
  readOmopTime,
  readOptionalDay,
  requiredId,
} from './omop-row.ts';

export const eventTables = [
  'visit_occurrence',
  'condition_occurrence',
  'drug_exposure',
  'procedure_occurrence',
] as const;
export type EventTable = (typeof eventTables)[number];

const eventColumns: Readonly<
  Record<
    EventTable,
    { readonly kind: FactKind; readonly name: string; readonly start: string; readonly end: string }
  >
> = {
  visit_occurrence: { kind: 'encounter', name: 'visit', start: 'visit_start', end: 'visit_end_date' },
  condition_occurrence: {
    kind: 'condition',
    name: 'condition',
    start: 'condition_start',
    end: 'condition_end_date',
  },
  drug_exposure: {
    kind: 'medication',
    name: 'drug',
    start: 'drug_exposure_start',
    end: 'drug_exposure_end_date',
  },
  procedure_occurrence: {
    kind: 'procedure',
    name: 'procedure',
    start: 'procedure',
    end: 'procedure_end_date',
  },
};

/** Standard concepts of the Visit domain as FHIR encounter classes: the same visit whatever the format. */
const visitClasses = new Map<string, string>([
  ['9201', 'IMP'],
  ['8717', 'IMP'],
  ['32037', 'ACUTE'],
  ['9202', 'AMB'],
  ['8756', 'AMB'],
  ['5083', 'VR'],
  ['722455', 'VR'],
  ['9203', 'EMER'],
  ['262', 'EMER'],
  ['581476', 'HH'],
  ['32036', 'AMB'],
]);

export function createEventReader(
  table: EventTable,
): (row: TableRow, context: OmopContext) => ClinicalRecord {
  const { kind, name, start, end } = eventColumns[table];
  return (row, { concepts, zone }) => {
    const subject = personKey(row);
    const code =
      (kind === 'encounter' ? visitClass(row) : undefined) ?? readConceptOrSource(row, name, concepts);
    const { day, second } = readOmopTime(row, start, zone);
    const stated = readOptionalDay(row, end, zone);
    // An end before the start is a slip of the source: the start is kept, the end is not known.
    const endDay = stated === null || stated < day ? null : stated;
    return {
      subject,
      patient: null,
      sourceId: ['omop', table, String(requiredId(row, `${table}_id`)), subject.identifier],
      facts: [{ kind, part: 'event', code, value: null, day, second, endDay }],
      consents: [],
    };
  };
}

function visitClass(row: TableRow): CodedValue | undefined {
  const code = visitClasses.get(row.cell('visit_concept_id'));
  return code === undefined ? undefined : { system: encounterClassSystem, code };
}

export function readDeath(row: TableRow, { zone }: OmopContext): ClinicalRecord {
  const subject = personKey(row);
  return {
    subject,
    patient: null,
    death: { source: 'omop', says: 'deceased' },
    sourceId: ['omop', 'death', subject.identifier],
    facts: [deathFact(readOmopTime(row, 'death', zone))],
    consents: [],
  };
}

// Makes an OMOP CDM 5.4 export of any size: persons, the concepts they need, and a measurement table of twenty columns. The same bytes
// for the same size.
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { Sequence } from './fhir-export.ts';

export interface MadeMeasurements {
  readonly folder: string;
  readonly file: string;
  readonly byteCount: number;
  readonly rowCount: number;
}

/** concept id, LOINC code, unit's concept id, UCUM unit, least, range. */
const measured = [
  [3036277, '8302-2', 8582, 'cm', 120, 80],
  [3025315, '29463-7', 9529, 'kg', 40, 80],
  [3038553, '39156-5', 9531, 'kg/m2', 16, 20],
  [3027018, '8867-4', 8541, '/min', 50, 60],
  [3027114, '2093-3', 8840, 'mg/dL', 120, 160],
  [3022192, '2571-8', 8840, 'mg/dL', 60, 200],
  [3004410, '4548-4', 8554, '%', 4, 8],
  [3004501, '2339-0', 8840, 'mg/dL', 60, 120],
] as const;

const columns =
  'measurement_id,person_id,measurement_concept_id,measurement_date,measurement_datetime,measurement_time,measurement_type_concept_id,' +
  'operator_concept_id,value_as_number,value_as_concept_id,unit_concept_id,range_low,range_high,provider_id,visit_occurrence_id,' +
  'visit_detail_id,measurement_source_value,measurement_source_concept_id,unit_source_value,value_source_value';

/** Forty measurements for each person, person after person, as a database gives them. */
export function writeOmopExport(folder: string, rowCount: number): MadeMeasurements {
  mkdirSync(folder, { recursive: true });
  const sequence = new Sequence(5_040);
  const personCount = Math.ceil(rowCount / 40);
  writeFileSync(path.join(folder, 'concept.csv'), conceptTable());
  writeTable(path.join(folder, 'person.csv'), personCount + 1, (index) =>
    index === 0
      ? 'person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,race_concept_id,ethnicity_concept_id,person_source_value'
      : `${index},${index % 2 === 0 ? 8507 : 8532},${1930 + sequence.below(60)},${1 + sequence.below(12)},${1 + sequence.below(28)},0,0,source-${index}`,
  );
  const file = path.join(folder, 'measurement.csv');
  const byteCount = writeTable(file, rowCount + 1, (index) =>
    index === 0 ? columns : measurementRow(index, Math.ceil(index / 40), sequence),
  );
  return { folder, file, byteCount, rowCount };
}

function measurementRow(id: number, person: number, sequence: Sequence): string {
  const [concept, loinc, unitConcept, unit, least, range] = measured[
    sequence.below(measured.length)
  ] as (typeof measured)[number];
  const value = (least + sequence.below(range * 10) / 10).toFixed(1);
  const date = `${2000 + sequence.below(20)}-${two(1 + sequence.below(12))}-${two(1 + sequence.below(28))}`;
  return `${id},${person},${concept},${date},${date} 08:30:00,08:30:00,32856,4172703,${value},0,${unitConcept},${least},${least + range},${1 + sequence.below(500)},${id >> 3},,${loinc},${concept},${unit},${value}`;
}

function conceptTable(): string {
  const units = new Map(measured.map(([, , unitConcept, unit]) => [unitConcept, unit]));
  const rows = [
    'concept_id,concept_name,domain_id,vocabulary_id,concept_class_id,standard_concept,concept_code,valid_start_date,valid_end_date,invalid_reason',
    ...measured.map(
      ([concept, loinc]) => `${concept},Name,Measurement,LOINC,Lab Test,S,${loinc},1970-01-01,2099-12-31,`,
    ),
    ...[...units].map(([concept, unit]) => `${concept},Name,Unit,UCUM,Unit,S,${unit},1970-01-01,2099-12-31,`),
  ];
  return `${rows.join('\n')}\n`;
}

/** Rows one after the other, in pieces of a megabyte; how many bytes they take. */
function writeTable(file: string, rowCount: number, row: (index: number) => string): number {
  const handle = openSync(file, 'w');
  let byteCount = 0;
  let piece: string[] = [];
  try {
    for (let index = 0; index < rowCount; index += 1) {
      piece.push(row(index));
      if (piece.length < 8_000 && index + 1 < rowCount) continue;
      byteCount += writeSync(handle, `${piece.join('\n')}\n`);
      piece = [];
    }
  } finally {
    closeSync(handle);
  }
  return byteCount;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}

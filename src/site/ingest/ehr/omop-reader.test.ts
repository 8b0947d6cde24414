import { describe, expect, it } from 'vitest';
import { readFile, readingContext, tellRow } from '#support/read-file.ts';

const concepts = [
  'concept_id,concept_name,domain_id,vocabulary_id,concept_code',
  '1,Systolic,Measurement,LOINC,8480-6',
  '2,mmHg,Unit,UCUM,mm[Hg]',
  '3,Diabetes,Condition,SNOMED,44054006',
  '4,Aspirin,Drug,RxNorm,1191',
  '5,Appendectomy,Procedure,SNOMED,80146002',
  '6,Vaccine,Drug,CVX,140',
  '7,Something,Drug,RxNorm Extension,OMOP123',
  '8,E11,Condition,ICD10CM,E11.9',
  '9,Yes,Meas Value,LOINC,LA33-6',
  '10,None,Metadata,None,No matching concept',
  '11,Office,Visit,Visit,OMOP4822458',
].join('\n');

function readTable(header: string, ...rows: string[]): string[] {
  const context = readingContext(null, 'Europe/Berlin');
  readFile(concepts, context);
  return readFile(`${[header, ...rows].join('\n')}\n`, context).map(tellRow);
}

const visits =
  'visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_start_datetime,visit_end_date,visit_source_value';
const conditions =
  'condition_occurrence_id,person_id,condition_concept_id,condition_start_date,condition_start_datetime,condition_end_date,condition_source_value';
const drugs =
  'drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,drug_exposure_end_date,drug_source_value';
const measurements =
  'measurement_id,person_id,measurement_concept_id,measurement_date,measurement_datetime,operator_concept_id,value_as_number,value_as_concept_id,unit_concept_id,measurement_source_value,unit_source_value,value_source_value';

describe('an OMOP row', () => {
  it.each<[string, string, string, string]>([
    [
      'an inpatient visit',
      visits,
      '1,7,9201,2020-01-02,2020-01-02 10:30:00,2020-01-05,',
      'encounter IMP - 2020-01-02 37800 2020-01-05',
    ],
    [
      'an outpatient visit',
      visits,
      '1,7,9202,2020-01-02,2020-01-02 00:00:00,2020-01-02,',
      'encounter AMB - 2020-01-02 - 2020-01-02',
    ],
    ['an emergency', visits, '1,7,9203,2020-01-02,,,', 'encounter EMER - 2020-01-02 - -'],
    ['another visit', visits, '1,7,11,2020-01-02,,,', 'encounter OMOP4822458 - 2020-01-02 - -'],
    ['an unmapped visit', visits, '1,7,0,2020-01-02,,,AMB-17', 'encounter AMB-17 - 2020-01-02 - -'],
    [
      'a condition',
      conditions,
      '1,7,3,2020-01-02,2020-01-02T08:00:00,,',
      'condition 44054006 - 2020-01-02 28800 -',
    ],
    [
      'a condition by ICD',
      conditions,
      '1,7,8,2020-01-02,,2020-02-01,',
      'condition E11.9 - 2020-01-02 - 2020-02-01',
    ],
    [
      'a condition that ended first',
      conditions,
      '1,7,3,2020-01-02,,2019-01-01,',
      'condition 44054006 - 2020-01-02 - -',
    ],
    ['an unmapped condition', conditions, '1,7,0,2020-01-02,,,250.00', 'condition 250.00 - 2020-01-02 - -'],
    ['an unmapped word', conditions, '1,7,0,2020-01-02,,,Zucker', 'UNKNOWN_CONCEPT condition_concept_id'],
    [
      'unmapped free text',
      conditions,
      '1,7,0,2020-01-02,,,Otto Muster 17',
      'UNKNOWN_CONCEPT condition_concept_id',
    ],
    ['nothing mapped', conditions, '1,7,0,2020-01-02,,,', 'UNKNOWN_CONCEPT condition_concept_id'],
    [
      'a concept that is not in the table',
      conditions,
      '1,7,99,2020-01-02,,,250.00',
      'UNKNOWN_CONCEPT condition_concept_id',
    ],
    [
      'a concept of no code system',
      conditions,
      '1,7,10,2020-01-02,,,',
      'UNKNOWN_CONCEPT condition_concept_id',
    ],
    ['a condition without a day', conditions, '1,7,3,,,,', 'MISSING_FIELD condition_start_date'],
    ['a drug', drugs, '1,7,4,2020-01-02,2020-01-09,', 'medication 1191 - 2020-01-02 - 2020-01-09'],
    ['a vaccine', drugs, '1,7,6,2020-01-02,,', 'medication 140 - 2020-01-02 - -'],
    ['a drug that RxNorm lacks', drugs, '1,7,7,2020-01-02,,', 'medication OMOP123 - 2020-01-02 - -'],
    [
      'a procedure of CDM 5.3',
      'procedure_occurrence_id,person_id,procedure_concept_id,procedure_date',
      '1,7,5,2020-01-02',
      'procedure 80146002 - 2020-01-02 - -',
    ],
    [
      'a procedure of CDM 5.4',
      'procedure_occurrence_id,person_id,procedure_concept_id,procedure_date,procedure_end_date',
      '1,7,5,2020-01-02,2020-01-03',
      'procedure 80146002 - 2020-01-02 - 2020-01-03',
    ],
    [
      'a death',
      'person_id,death_date,death_datetime,death_type_concept_id',
      '7,2020-01-02,2020-01-02 23:00:00,1',
      'condition 419099009 - 2020-01-02 82800 -',
    ],
    [
      'a measurement',
      measurements,
      '1,7,1,2020-01-02,2020-01-02 08:00:01,0,120,0,2,,,',
      'measurement 8480-6 120 mm[Hg] 2020-01-02 28801 -',
    ],
    [
      'a unit by its source value',
      measurements,
      '1,7,1,2020-01-02,,0,120,0,0,,mmHg,',
      'measurement 8480-6 120 mm[Hg] 2020-01-02 - -',
    ],
    [
      'a unit that nobody knows',
      measurements,
      '1,7,1,2020-01-02,,0,120,0,0,,Striche,',
      'UNKNOWN_UNIT unit_concept_id',
    ],
    ['a yes', measurements, '1,7,1,2020-01-02,,,,9,,,,', 'measurement 8480-6 1 null 2020-01-02 - -'],
    [
      'a number in the source value',
      measurements,
      '1,7,1,2020-01-02,,,,,,,mm[Hg],118',
      'measurement 8480-6 118 mm[Hg] 2020-01-02 - -',
    ],
    [
      'text in the source value',
      measurements,
      '1,7,1,2020-01-02,,,,,,,,high',
      'UNSUPPORTED_VALUE value_source_value',
    ],
    [
      'a question without an answer',
      measurements,
      '1,7,1,2020-01-02,,,,,,,,',
      'MISSING_FIELD value_as_number',
    ],
    [
      'a finding by itself',
      measurements,
      '1,7,3,2020-01-02,,,,,,,,',
      'measurement 44054006 - 2020-01-02 - -',
    ],
    [
      'an unmapped measurement',
      measurements,
      '1,7,0,2020-01-02,,,5,,2,LAB-77,,',
      'measurement LAB-77 5 mm[Hg] 2020-01-02 - -',
    ],
    [
      'column names in capitals',
      conditions.toUpperCase(),
      '1,7,3,2020-01-02,,,',
      'condition 44054006 - 2020-01-02 - -',
    ],
  ])('that is %s is read as such', (_, header, row, expected) => {
    expect(readTable(header, row)).toEqual([expected]);
  });

  it.each([
    ['visit_detail_id,person_id,visit_detail_concept_id,visit_detail_start_date,visit_occurrence_id'],
    ['drug_era_id,person_id,drug_concept_id,drug_era_start_date'],
    ['cost_id,cost_event_id,cost_domain_id'],
    ['provider_id,provider_name,npi,year_of_birth,gender_concept_id'],
    ['concept_id,concept_synonym_name,language_concept_id'],
    ['note_id,person_id,note_date,note_type_concept_id,note_text'],
  ])('of a table with %s is not needed', (header) => {
    const row = header.replaceAll(/[^,]+/g, '1');
    expect(readTable(header, row, row)).toEqual(['not-needed', 'not-needed']);
  });

  it('of a hospital’s own table that has a person_id is not taken for OMOP', () => {
    expect(readTable('person_id,visit,systolic', '1,2020-01-02,120')).toEqual(['MAPPING_REQUIRED']);
  });

  it('needs the concept table, but for visits, deaths and persons', () => {
    const read = (header: string, row: string): string[] => readFile(`${header}\n${row}\n`).map(tellRow);
    expect(read(conditions, '1,7,3,2020-01-02,,,')).toEqual(['CONCEPTS_REQUIRED']);
    expect(read(visits, '1,7,9201,2020-01-02,,,')).toEqual(['encounter IMP - 2020-01-02 - -']);
  });
});

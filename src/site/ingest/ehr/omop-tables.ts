// Which tables of the OMOP CDM 5.3 and 5.4 are read, by their columns (ohdsi.github.io/CommonDataModel), and which are known and
// have nothing for the clinical vocabulary.
import type { TableHeader } from './csv-table.ts';

/** In the order in which they are imported. */
export const omopTables = [
  'concept',
  'person',
  'observation_period',
  'visit_occurrence',
  'condition_occurrence',
  'drug_exposure',
  'procedure_occurrence',
  'measurement',
  'observation',
  'death',
] as const;
export type OmopTable = (typeof omopTables)[number];

interface TableColumns {
  /** A column that no other table has. */
  readonly mark: string;
  readonly needed: readonly string[];
}

const columnsOf = (mark: string, needed: string): TableColumns => ({ mark, needed: needed.split(' ') });

const tableColumns: Readonly<Record<OmopTable, TableColumns>> = {
  concept: columnsOf('concept_code', 'concept_id vocabulary_id concept_code'),
  person: columnsOf('year_of_birth', 'person_id gender_concept_id year_of_birth'),
  observation_period: columnsOf(
    'observation_period_start_date',
    'observation_period_id person_id observation_period_start_date observation_period_end_date',
  ),
  visit_occurrence: columnsOf(
    'visit_concept_id',
    'visit_occurrence_id person_id visit_concept_id visit_start_date visit_end_date',
  ),
  condition_occurrence: columnsOf(
    'condition_occurrence_id',
    'condition_occurrence_id person_id condition_concept_id condition_start_date condition_end_date',
  ),
  drug_exposure: columnsOf(
    'drug_exposure_id',
    'drug_exposure_id person_id drug_concept_id drug_exposure_start_date drug_exposure_end_date',
  ),
  procedure_occurrence: columnsOf(
    'procedure_occurrence_id',
    'procedure_occurrence_id person_id procedure_concept_id procedure_date',
  ),
  measurement: columnsOf(
    'measurement_concept_id',
    'measurement_id person_id measurement_concept_id measurement_date value_as_number value_as_concept_id unit_concept_id',
  ),
  observation: columnsOf(
    'observation_concept_id',
    'observation_id person_id observation_concept_id observation_date value_as_number value_as_string value_as_concept_id ' +
      'unit_concept_id',
  ),
  death: columnsOf('death_type_concept_id', 'person_id death_date'),
};

/** Tables that are not read, each by columns that stand together in no other. */
const otherTables: readonly (readonly string[])[] = [
  'attribute_definition_id attribute_name',
  'care_site_id care_site_name',
  'cdm_source_name cdm_source_abbreviation',
  'cohort_definition_id subject_id cohort_start_date',
  'cohort_definition_id cohort_definition_name',
  'ancestor_concept_id descendant_concept_id',
  'concept_class_id concept_class_name',
  'concept_id_1 concept_id_2 relationship_id',
  'concept_id concept_synonym_name',
  'condition_era_id condition_concept_id',
  'cost_id cost_event_id',
  'device_exposure_id device_concept_id',
  'domain_id domain_name',
  'dose_era_id drug_concept_id',
  'drug_era_id drug_concept_id',
  'drug_concept_id ingredient_concept_id',
  'episode_id episode_concept_id',
  'episode_id event_id',
  'domain_concept_id_1 fact_id_1',
  'location_id address_1',
  'location_id relationship_type_concept_id',
  'metadata_concept_id metadata_type_concept_id',
  'note_id note_type_concept_id',
  'note_nlp_id note_id',
  'payer_plan_period_id person_id',
  'provider_id provider_name',
  'relationship_id relationship_name',
  'source_code target_concept_id',
  'specimen_id specimen_concept_id',
  'survey_conduct_id survey_concept_id',
  'visit_detail_id visit_detail_concept_id',
  'vocabulary_id vocabulary_name',
].map((columns) => columns.split(' '));

/** The table, `not-needed` for one that is known and not read, undefined for what is no OMOP table. Column names in any case. */
export function recogniseOmopTable(header: TableHeader): OmopTable | 'not-needed' | undefined {
  const { columns } = lowerCaseColumns(header);
  // First: a provider has a year of birth as a person has.
  if (otherTables.some((marks) => marks.every((mark) => columns.has(mark)))) return 'not-needed';
  return omopTables.find((name) => columns.has(tableColumns[name].mark));
}

/** The first needed column that is not there. */
export function missingOmopColumn(table: OmopTable, header: TableHeader): string | undefined {
  return tableColumns[table].needed.find((column) => !header.columns.has(column));
}

/** Whether the table's rows mean nothing without the concept table. */
export function needsConcepts(table: OmopTable): boolean {
  return !['concept', 'person', 'observation_period', 'visit_occurrence', 'death'].includes(table);
}

export function lowerCaseColumns({ delimiter, columns }: TableHeader): TableHeader {
  return { delimiter, columns: new Map([...columns].map(([name, at]) => [name.toLowerCase(), at])) };
}

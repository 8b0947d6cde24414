// Which tables of the OMOP CDM 5.4 are read, by their columns (ohdsi.github.io/CommonDataModel/cdm54.html).
import type { TableHeader } from './csv-table.ts';

/** In the order in which they are imported. */
export const omopTables = ['concept', 'person', 'observation_period', 'measurement', 'observation'] as const;
export type OmopTable = (typeof omopTables)[number];

/** A column that no other table has, and all columns that are needed. */
const tableColumns: Readonly<
  Record<OmopTable, { readonly mark: string; readonly needed: readonly string[] }>
> = {
  concept: { mark: 'concept_code', needed: ['concept_id', 'vocabulary_id', 'concept_code'] },
  person: { mark: 'year_of_birth', needed: ['person_id', 'gender_concept_id', 'year_of_birth'] },
  observation_period: {
    mark: 'observation_period_start_date',
    needed: [
      'observation_period_id',
      'person_id',
      'observation_period_start_date',
      'observation_period_end_date',
    ],
  },
  measurement: {
    mark: 'measurement_concept_id',
    needed: [
      'measurement_id',
      'person_id',
      'measurement_concept_id',
      'measurement_date',
      'value_as_number',
      'value_as_concept_id',
      'unit_concept_id',
    ],
  },
  observation: {
    mark: 'observation_concept_id',
    needed: [
      'observation_id',
      'person_id',
      'observation_concept_id',
      'observation_date',
      'value_as_number',
      'value_as_string',
      'value_as_concept_id',
      'unit_concept_id',
    ],
  },
};

/** First columns of the tables that are known and not read. */
const otherFirstColumns = new Set(
  (
    'ancestor_concept_id attribute_definition_id care_site_id cdm_source_name cohort_definition_id concept_class_id ' +
    'concept_id concept_id_1 condition_era_id condition_occurrence_id cost_id device_exposure_id domain_concept_id_1 domain_id ' +
    'dose_era_id drug_concept_id drug_era_id drug_exposure_id episode_id location_id metadata_id note_id note_nlp_id ' +
    'payer_plan_period_id person_id procedure_occurrence_id provider_id relationship_id source_code specimen_id ' +
    'visit_detail_id visit_occurrence_id vocabulary_id'
  ).split(' '),
);

/** The table, `unsupported` for one that is not read, undefined for what is no OMOP table. Column names in any case. */
export function recogniseOmopTable(header: TableHeader): OmopTable | 'unsupported' | undefined {
  const { columns } = lowerCaseColumns(header);
  const table = omopTables.find((name) => columns.has(tableColumns[name].mark));
  if (table !== undefined) return table;
  const [first = ''] = columns.keys();
  return otherFirstColumns.has(first) ? 'unsupported' : undefined;
}

/** The first needed column that is not there. */
export function missingOmopColumn(table: OmopTable, header: TableHeader): string | undefined {
  return tableColumns[table].needed.find((column) => !header.columns.has(column));
}

export function lowerCaseColumns({ delimiter, columns }: TableHeader): TableHeader {
  return { delimiter, columns: new Map([...columns].map(([name, at]) => [name.toLowerCase(), at])) };
}

// An independent count of what CSV exports hold: a table reader of its own, nothing shared with the site's readers. By the tables
// of docs/formats/clinical-vocabulary.md and the rules of assets/mappings/synthea.json.
import { readFileSync } from 'node:fs';
import type { Expected } from './counted-fhir.ts';

type Row = Readonly<Record<string, string>>;

/** Rows of a CSV table by column name. */
export function rowsOf(file: string): Row[] {
  const lines: string[][] = [[]];
  let cell = '';
  let isQuoted = false;
  for (const character of readFileSync(file, 'utf8')) {
    if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && (character === ',' || character === '\n')) {
      lines.at(-1)?.push(cell.trim());
      cell = '';
      if (character === '\n') lines.push([]);
    } else cell += character;
  }
  lines.at(-1)?.push(cell.trim());
  const [header = [], ...rows] = lines;
  return rows
    .filter((row) => row.length === header.length)
    .map((row) => Object.fromEntries(header.map((name, index) => [name, row[index] ?? ''])));
}

const isNumber = (text: string | undefined): boolean => text !== undefined && /^-?\d+(\.\d+)?$/.test(text);

const syntheaKinds: Readonly<Record<string, string>> = {
  encounters: 'encounter',
  conditions: 'condition',
  procedures: 'procedure',
  medications: 'medication',
  immunizations: 'medication',
};

/** @param answers texts that the shipped mapping has a code for */
export function countSynthea(table: string, rows: readonly Row[], answers: ReadonlySet<string>): Expected {
  const kind = syntheaKinds[table];
  if (kind !== undefined) return { taken: rows.length, notNeeded: 0, facts: { [kind]: rows.length } };
  if (table === 'patients') {
    const deaths = rows.filter(({ DEATHDATE }) => DEATHDATE !== '').length;
    return { taken: rows.length, notNeeded: 0, facts: { condition: deaths } };
  }
  if (table !== 'observations') return { taken: 0, notNeeded: rows.length, facts: {} };
  const taken = rows.filter(
    ({ CODE = '', VALUE = '' }) => !/^[A-Z]/.test(CODE) && (isNumber(VALUE) || answers.has(VALUE)),
  ).length;
  return { taken, notNeeded: rows.length - taken, facts: { measurement: taken } };
}

const omopKinds: Readonly<Record<string, string>> = {
  visit_occurrence: 'encounter',
  condition_occurrence: 'condition',
  death: 'condition',
  drug_exposure: 'medication',
  procedure_occurrence: 'procedure',
};

/** @param vocabularyOf concept id -> vocabulary */
export function countOmop(
  table: string,
  rows: readonly Row[],
  vocabularyOf: ReadonlyMap<string, string>,
): Expected {
  const kind = omopKinds[table];
  if (kind !== undefined) return { taken: rows.length, notNeeded: 0, facts: { [kind]: rows.length } };
  if (['concept', 'person', 'observation_period'].includes(table))
    return { taken: rows.length, notNeeded: 0, facts: {} };
  if (table !== 'measurement' && table !== 'observation')
    return { taken: 0, notNeeded: rows.length, facts: {} };
  const taken = rows.filter((row) => {
    const source = row.value_source_value ?? '';
    if (isNumber(row.value_as_number) || (isNumber(source) && row.unit_source_value !== '')) return true;
    // No value: a finding is one by itself, a LOINC question without an answer is none.
    return source === '' && vocabularyOf.get(row[`${table}_concept_id`] ?? '') !== 'LOINC';
  }).length;
  return { taken, notNeeded: 0, facts: { measurement: taken } };
}

// A first column mapping for a hospital's own CSV, from the names of its columns and what its first rows look like. A person
// confirms it; nothing is imported by a suggestion.
import {
  booleanWords,
  type ColumnMeaning,
  type ColumnRole,
  consentWords,
  meaningOfName,
  missingWords,
  sexWords,
  splitUnit,
} from './column-meaning.ts';
import { type ColumnSample, type DateFormat, readHeader, sampleColumns } from './column-sample.ts';
import { mappingMark, parseMapping } from './csv-mapping.ts';
import { findTable } from './csv-reader.ts';
import { shippedMapping, syntheaMapping } from './synthea-mapping.ts';
import { unitOfSpelling } from './unit-spelling.ts';

export interface SuggestedColumn {
  readonly name: string;
  readonly samples: readonly string[];
  readonly role: ColumnRole;
  readonly code: ColumnMeaning['code'];
  readonly unit: string | null;
  /** From 0 to 1: 1 where name and cells agree. */
  readonly confidence: number;
}

/** The same shape as `mappingSuggestion` of the site contract. */
export interface MappingSuggestion {
  readonly delimiter: string;
  readonly columns: readonly SuggestedColumn[];
  readonly mapping: string | null;
}

/** Who gives the numbers, until a person names them: the same patient in another format has the hospital's own authority. */
const placeholderAuthority = 'urn:consilium:csv:patient';

/** @param head the first bytes of the file. @throws IngestError NOT_A_TABLE. */
export function suggestMapping(head: Uint8Array, isWhole: boolean): MappingSuggestion {
  const header = readHeader(head);
  const samples = sampleColumns(head, header, isWhole);
  const columns = keepOnePerRole(samples.map(suggestColumn));
  const isShipped = findTable(syntheaMapping(), header) !== undefined;
  const mapping = isShipped ? shippedMapping() : composeDraft(columns, samples);
  return { delimiter: header.delimiter, columns, mapping };
}

function suggestColumn(sample: ColumnSample): SuggestedColumn {
  const { name, samples } = sample;
  const split = splitUnit(name);
  const meaning = meaningOfName(split.name) ?? meaningOfName(name);
  const unit = split.unit === null ? null : (unitOfSpelling(split.unit) ?? null);
  const suggested = (role: ColumnRole, confidence: number): SuggestedColumn => {
    const isMeasured = role === 'quantity';
    const code = meaning !== undefined && role === meaning.role ? meaning.code : null;
    return {
      name,
      samples,
      role,
      code,
      unit: isMeasured ? (unit ?? (code === null ? null : (meaning?.usualUnit ?? null))) : null,
      confidence,
    };
  };
  if (meaning !== undefined) {
    const fit = fitOf(meaning.role, sample);
    if (fit > 0) return suggested(meaning.role, sample.isFilled ? fit : 0.5);
    // `smoker` with numbers, `diabetes` with codes: the cells decide what kind of fact it is.
    if (meaning.role === 'boolean' && fitOf('quantity', sample) > 0) return suggested('quantity', 0.3);
  }
  return suggested(...roleOfCells(sample, unit));
}

/** What a column without a known name looks like. */
function roleOfCells(sample: ColumnSample, unit: string | null): [ColumnRole, number] {
  if (dateFormatOf(sample) !== null) return ['index-date', 0.4];
  if (areWords(sample.values, sexWords) && !areWords(sample.values, booleanWords)) return ['sex', 0.6];
  if (areWords(sample.values, booleanWords)) return ['boolean', 0.4];
  if (unit !== null && isNumeric(sample)) return ['quantity', 0.6];
  return ['ignore', 0.2];
}

/** How well the cells fit a role: 1 wholly, 0 not. */
function fitOf(role: ColumnRole, sample: ColumnSample): number {
  if (!sample.isFilled) return 0.5;
  switch (role) {
    case 'birth-date':
    case 'index-date':
      return dateFormatOf(sample) === null ? 0 : 1;
    case 'sex':
      return areWords(sample.values, sexWords) ? 1 : sample.values === null ? 0 : 0.5;
    case 'quantity':
      return isNumeric(sample) ? 1 : 0;
    case 'boolean':
      return areWords(sample.values, booleanWords) ? 1 : 0;
    case 'consent':
      return areWords(sample.values, consentWords) ? 1 : 0.5;
    default:
      return 0.9;
  }
}

function isNumeric({ numbers, commaNumbers }: ColumnSample): boolean {
  return Math.max(numbers, commaNumbers) >= 0.8;
}

function dateFormatOf({ dates }: ColumnSample): DateFormat | null {
  const found = (Object.keys(dates) as DateFormat[]).find((format) => dates[format] >= 0.9);
  return found ?? null;
}

function areWords(values: readonly string[] | null, words: Readonly<Record<string, unknown>>): boolean {
  if (values === null || values.length === 0) return false;
  return values.every((value) => Object.hasOwn(words, value.toLowerCase()));
}

const singleRoles: readonly ColumnRole[] = [
  'identifier',
  'name',
  'birth-date',
  'sex',
  'index-date',
  'consent',
];

/** Of several columns of one role the surest keeps it. */
function keepOnePerRole(columns: readonly SuggestedColumn[]): SuggestedColumn[] {
  const chosen = new Map<ColumnRole, SuggestedColumn>();
  for (const column of columns) {
    const before = chosen.get(column.role);
    if (before === undefined || before.confidence < column.confidence) chosen.set(column.role, column);
  }
  return columns.map((column) =>
    singleRoles.includes(column.role) && chosen.get(column.role) !== column
      ? { ...column, role: 'ignore', code: null, unit: null, confidence: 0.2 }
      : column,
  );
}

/** JSON text of the mapping as far as it is known, null while it makes none. */
function composeDraft(columns: readonly SuggestedColumn[], samples: readonly ColumnSample[]): string | null {
  const of = (role: ColumnRole): string | null =>
    columns.find((column) => column.role === role)?.name ?? null;
  const sampleOf = (name: string | null) => samples.find((sample) => sample.name === name);
  const date = sampleOf(of('index-date'));
  const identifier = of('identifier');
  if (identifier === null || date === undefined) return null;
  const sex = of('sex');
  const consent = of('consent');
  const consentValues = meanings(sampleOf(consent)?.values, consentWords, (decision) => ({
    status: 'active',
    decision,
  }));
  const facts = columns.flatMap((column) => factOf(column, sampleOf(column.name)) ?? []);
  if (facts.length === 0) return null;
  const quantities = columns.filter(({ role }) => role === 'quantity').map(({ name }) => sampleOf(name));
  const text = JSON.stringify(
    {
      consilium: mappingMark,
      patient: {
        identifier,
        authority: placeholderAuthority,
        name: of('name'),
        birthDate: of('birth-date'),
        sex:
          sex === null
            ? null
            : { column: sex, values: meanings(sampleOf(sex)?.values, sexWords, (value) => value) },
      },
      indexDate: date.name,
      dates: dateFormatOf(date) ?? 'YYYY-MM-DD',
      decimals: quantities.some((sample) => (sample?.commaNumbers ?? 0) > (sample?.numbers ?? 0)) ? ',' : '.',
      record: null,
      missing: missingWords,
      facts,
      consent:
        consent === null || Object.keys(consentValues).length === 0
          ? null
          : {
              researchStudyId: null,
              status: { column: consent, values: consentValues },
              stated: null,
              from: null,
              until: null,
            },
    },
    null,
    2,
  );
  return parseMapping(text) === undefined ? null : text;
}

function factOf(
  { name, role, code, unit }: SuggestedColumn,
  sample: ColumnSample | undefined,
): object | null {
  if (code === null) return null;
  const fact = { column: name, code: { system: code.system, code: code.code } };
  if (role === 'quantity') return unit === null ? null : { kind: 'quantity', ...fact, unit };
  if (role !== 'boolean') return null;
  return { kind: 'boolean', ...fact, values: meanings(sample?.values, booleanWords, (value) => value) };
}

function meanings<T, Meaning>(
  values: readonly string[] | null | undefined,
  words: Readonly<Record<string, T>>,
  meaning: (value: T) => Meaning,
): Record<string, Meaning> {
  const found: Record<string, Meaning> = {};
  for (const value of values ?? []) {
    const word = value.toLowerCase();
    const known = Object.hasOwn(words, word) ? words[word] : undefined;
    if (known !== undefined) found[value] = meaning(known);
  }
  return found;
}

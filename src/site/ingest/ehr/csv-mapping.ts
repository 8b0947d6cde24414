// A saved column mapping: which column of which CSV table says what (docs/formats/csv-mapping.md). A row is one patient at one
// date with a column for each fact (wide), or one fact with a column for its code (long).
import { z } from 'zod';
import { factKinds } from '../clinical-record.ts';
import { normaliseUnit } from '../unit.ts';

export const mappingMark = 'csv-mapping/1';

const column = z.string().min(1).max(200);
const columns = z.union([column.transform((name) => [name]), z.array(column).min(1).max(10)]);
const coded = z.strictObject({ system: z.url().max(200), code: z.string().regex(/^[!-~]{1,64}$/) });
/** Cell text -> meaning. Keys are compared exactly. */
const meaning = <T extends z.ZodType>(value: T) => z.record(z.string().max(200), value);
const factKind = z.enum(factKinds);
/** UCUM unit of the whole column, or the column that names it row by row. */
const unit = z.union([
  z.string().refine((text) => normaliseUnit(text) !== undefined),
  z.strictObject({ column }),
]);

/** What a column of a wide table says. `as`: the kind of fact in the clinical vocabulary. */
const wide = { column, code: coded, as: factKind.default('measurement') };
const columnFact = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('quantity'), ...wide, unit }),
  z.strictObject({ kind: z.literal('boolean'), ...wide, values: meaning(z.boolean()) }),
  z.strictObject({ kind: z.literal('coded'), ...wide, values: meaning(coded) }),
  /** The column holds the day on which it was there; `end`: the column of its last day. */
  z.strictObject({ kind: z.literal('event'), ...wide, end: column.nullable() }),
]);
export type ColumnFact = z.infer<typeof columnFact>;

/** The fact of each row of a long table. */
const rowFact = z.strictObject({
  as: z.union([factKind, z.strictObject({ column, values: meaning(factKind) })]),
  code: z.union([
    z.strictObject({
      column,
      system: z.union([z.url().max(200), z.strictObject({ column, values: meaning(z.url().max(200)) })]),
    }),
    z.strictObject({ column, values: meaning(coded) }),
  ]),
  /** Column of its last day. */
  end: column.nullable(),
  value: z.union([
    z.null(),
    /** A code. */
    z.strictObject({ column, system: z.url().max(200) }),
    /** A number with its unit, or an answer of `values`; `others`: what becomes of a row with any other answer. */
    z.strictObject({
      column,
      unit,
      values: meaning(coded),
      others: z.enum(['refuse', 'not-needed']).default('refuse'),
    }),
  ]),
});
export type RowFact = z.infer<typeof rowFact>;

const consentMapping = z.strictObject({
  /** Without it the consent is for research in general. */
  researchStudyId: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,62}[a-z0-9]$/)
    .nullable(),
  status: z.strictObject({
    column,
    values: meaning(
      z.strictObject({
        status: z.enum(['draft', 'proposed', 'active', 'rejected', 'inactive', 'entered-in-error']),
        decision: z.enum(['permit', 'deny']),
      }),
    ),
  }),
  /** Who gave it; null, or an empty cell: the patient, as far as the table says. */
  givenBy: z
    .strictObject({ column, values: meaning(z.enum(['patient', 'guardian'])) })
    .nullable()
    .default(null),
  /** Columns of the day it was given, and of the first and last day it holds. */
  stated: column.nullable(),
  from: column.nullable(),
  until: column.nullable(),
});

const table = {
  /** Further columns by which the table is known. */
  columns: z.array(column).max(200).default([]),
  /** Columns of other tables: with one of them it is not this one. */
  without: z.array(column).max(200).default([]),
  patient: z.strictObject({
    identifier: column,
    /** Who gives the identifiers, as a URI. */
    authority: z.url().max(200),
    /** Parts of a name are joined in this order. */
    name: columns.nullable(),
    birthDate: column.nullable(),
    sex: z
      .strictObject({ column, values: meaning(z.enum(['male', 'female', 'other', 'unknown'])) })
      .nullable(),
  }),
  /** The column with the date of all facts of the row; null where they have their own. */
  indexDate: column.nullable(),
  /** How its dates and numbers are written. */
  dates: z.enum(['YYYY-MM-DD', 'DD.MM.YYYY', 'MM/DD/YYYY']).default('YYYY-MM-DD'),
  decimals: z.enum(['.', ',']).default('.'),
  /** The columns that name the row at its source, where a patient may have several on one date; else patient and date do. */
  record: columns.nullable(),
  /** What becomes of a further row of one name: refused where it differs, or a record of its own by its number. */
  repeats: z.enum(['refuse', 'number']).default('refuse'),
  /** Cells that say: not known. The empty cell always does. */
  missing: z.array(z.string().max(50)).max(50),
  /** Rows with one of these cells have nothing for the clinical vocabulary. */
  skip: z
    .strictObject({ column, values: z.array(z.string().max(200)).max(1_000) })
    .nullable()
    .default(null),
  facts: z.array(columnFact).max(10_000),
  fact: rowFact.nullable().default(null),
  consent: consentMapping.nullable(),
};
/** A table that is known and has nothing for the clinical vocabulary. */
const otherTable = z.strictObject({ columns: z.array(column).min(2).max(200), notNeeded: z.literal(true) });
const hasFacts = <T extends { fact: unknown; indexDate: unknown; facts: { kind: string }[] }>(
  mapping: T,
): boolean =>
  mapping.indexDate !== null ||
  (mapping.fact === null && mapping.facts.every(({ kind }) => kind === 'event'));

const tableMapping = z.strictObject(table).refine(hasFacts);
export type TableMapping = z.infer<typeof tableMapping>;
export type OtherTable = z.infer<typeof otherTable>;

const oneTable = z.strictObject({ consilium: z.literal(mappingMark), ...table }).refine(hasFacts);
const severalTables = z.strictObject({
  consilium: z.literal(mappingMark),
  tables: z
    .array(z.union([otherTable, tableMapping]))
    .min(1)
    .max(200),
});

/** One document for several tables: the first whose columns are all there is taken. */
export interface CsvMapping {
  readonly tables: readonly (TableMapping | OtherTable)[];
}

/** A mapping from its JSON text, or undefined when it is none. */
export function parseMapping(text: string): CsvMapping | undefined {
  const json = parseJson(text);
  const isSeveral = typeof json === 'object' && json !== null && 'tables' in json;
  if (isSeveral) return severalTables.safeParse(json).data;
  const parsed = oneTable.safeParse(json);
  return parsed.success ? { tables: [parsed.data] } : undefined;
}

/** Every column that a table must have for the mapping to fit. */
export function mappedColumns(mapping: TableMapping | OtherTable): string[] {
  if ('notNeeded' in mapping) return mapping.columns;
  const { patient, consent, facts, fact } = mapping;
  const names = [
    ...mapping.columns,
    patient.identifier,
    ...(patient.name ?? []),
    patient.birthDate,
    patient.sex?.column,
    mapping.indexDate,
    ...(mapping.record ?? []),
    mapping.skip?.column,
    ...facts.flatMap((each) => [
      each.column,
      each.kind === 'quantity' ? columnOf(each.unit) : each.kind === 'event' ? each.end : null,
    ]),
    ...(fact === null ? [] : rowColumns(fact)),
    ...(consent === null ? [] : consentColumns(consent)),
  ];
  return [...new Set(names.filter((name) => name !== null && name !== undefined))];
}

function consentColumns({ status, givenBy, stated, from, until }: z.infer<typeof consentMapping>) {
  return [status.column, givenBy?.column, stated, from, until];
}

function rowColumns({ as, code, end, value }: RowFact): (string | null)[] {
  return [
    typeof as === 'string' ? null : as.column,
    code.column,
    'system' in code ? columnOf(code.system) : null,
    end,
    value?.column ?? null,
    value !== null && 'unit' in value ? columnOf(value.unit) : null,
  ];
}

function columnOf(said: string | { readonly column: string }): string | null {
  return typeof said === 'string' ? null : said.column;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

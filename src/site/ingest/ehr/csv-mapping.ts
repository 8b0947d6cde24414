// A saved column mapping: which column of a hospital's own CSV says what (docs/formats/csv-mapping.md). One row is one patient
// at one index date.
import { z } from 'zod';
import { normaliseUnit } from '../unit.ts';

export const mappingMark = 'csv-mapping/1';

const column = z.string().min(1).max(200);
const coded = z.strictObject({ system: z.url().max(200), code: z.string().regex(/^[!-~]{1,64}$/) });
/** Cell text -> meaning. Keys are compared exactly. */
const meaning = <T extends z.ZodType>(value: T) => z.record(z.string().max(200), value);

const factMapping = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('quantity'),
    column,
    code: coded,
    /** UCUM unit of the whole column, or the column that names it row by row. */
    unit: z.union([
      z.string().refine((unit) => normaliseUnit(unit) !== undefined),
      z.strictObject({ column }),
    ]),
  }),
  z.strictObject({ kind: z.literal('boolean'), column, code: coded, values: meaning(z.boolean()) }),
  z.strictObject({ kind: z.literal('coded'), column, code: coded, values: meaning(coded) }),
]);
export type FactMapping = z.infer<typeof factMapping>;

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
  /** Columns of the day it was given, and of the first and last day it holds. */
  stated: column.nullable(),
  from: column.nullable(),
  until: column.nullable(),
});

const csvMapping = z.strictObject({
  consilium: z.literal(mappingMark),
  patient: z.strictObject({
    identifier: column,
    /** Who gives the identifiers, as a URI. */
    authority: z.url().max(200),
    name: column.nullable(),
    birthDate: column.nullable(),
    sex: z
      .strictObject({ column, values: meaning(z.enum(['male', 'female', 'other', 'unknown'])) })
      .nullable(),
  }),
  /** The column with the date of all facts of the row. */
  indexDate: column,
  /** The column that names the row at its source, where a patient may have several on one date; else patient and date do. */
  record: column.nullable(),
  /** Cells that say: not known. The empty cell always does. */
  missing: z.array(z.string().max(50)).max(50),
  facts: z.array(factMapping).min(1).max(10_000),
  consent: consentMapping.nullable(),
});
export type CsvMapping = z.infer<typeof csvMapping>;

/** A mapping from its JSON text, or undefined when it is none. */
export function parseMapping(text: string): CsvMapping | undefined {
  const parsed = csvMapping.safeParse(parseJson(text));
  return parsed.success ? parsed.data : undefined;
}

/** Every column that the mapping reads. */
export function mappedColumns(mapping: CsvMapping): string[] {
  const { patient, consent } = mapping;
  const columns = [
    patient.identifier,
    patient.name,
    patient.birthDate,
    patient.sex?.column,
    mapping.indexDate,
    mapping.record,
    ...mapping.facts.flatMap((fact) => [
      fact.column,
      fact.kind === 'quantity' && typeof fact.unit === 'object' ? fact.unit.column : null,
    ]),
    ...(consent === null ? [] : [consent.status.column, consent.stated, consent.from, consent.until]),
  ];
  return [...new Set(columns.filter((name) => name !== null && name !== undefined))];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

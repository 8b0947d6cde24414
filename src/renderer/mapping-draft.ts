// A column mapping while a person works on it: what each column means, in the words of the screen, and the csv-mapping/1 that comes
// of it. What is still missing is told by column; a mapping is only made when nothing is.
import type { ColumnRole, MappedColumn, MappingSuggestion } from '#ipc/ingest-contract.ts';

export interface DraftColumn {
  readonly name: string;
  readonly samples: readonly string[];
  readonly role: ColumnRole;
  readonly system: string;
  readonly code: string;
  /** What the suggested code is called; '' once another is given. */
  readonly display: string;
  /** UCUM, or `column:` and the column that names it row by row. */
  readonly unit: string;
  /** Cell -> meaning: a sex, true or false, permit or deny, or a code. Cells without a meaning stand with ''. */
  readonly values: Readonly<Record<string, string>>;
  /** From 0 to 1, of the suggestion; 1 once a person has touched it. */
  readonly confidence: number;
}

export const dateForms = ['YYYY-MM-DD', 'DD.MM.YYYY', 'MM/DD/YYYY'] as const;
export type DateForm = (typeof dateForms)[number];
export const decimalMarks = ['.', ','] as const;
export type DecimalMark = (typeof decimalMarks)[number];
/** What a suggestion says where nobody has said yet who gives the patient numbers. */
const unnamedAuthority = 'urn:consilium:csv:patient';

export interface MappingDraft {
  readonly columns: readonly DraftColumn[];
  /** Who gives the patient numbers, as a web address. */
  readonly authority: string;
  /** How days and decimals are written in the table. */
  readonly dates: DateForm;
  readonly decimals: DecimalMark;
  /** Of the suggestion: what the screen does not ask for is kept. */
  readonly base: Readonly<Record<string, unknown>>;
}

/** What is missing before it is a mapping; `column` where one column lacks it. */
export interface DraftGap {
  readonly kind:
    | 'no-identifier'
    | 'no-authority'
    | 'no-date'
    | 'no-fact'
    | 'twice'
    | 'no-code'
    | 'bad-system'
    | 'no-unit'
    | 'no-values';
  readonly column: string | null;
}

export interface ComposedMapping {
  /** The mapping as JSON text; null while there are gaps. */
  readonly text: string | null;
  /** The same without columns that are not told in full, to look at; null while too little is known even for that. */
  readonly preview: string | null;
  readonly gaps: readonly DraftGap[];
}

const singleRoles: readonly ColumnRole[] = [
  'identifier',
  'name',
  'birth-date',
  'sex',
  'index-date',
  'consent',
];
export const factRoles: readonly ColumnRole[] = ['quantity', 'boolean', 'coded'];
/** Roles whose cells must be told one by one what they mean. */
export const valueRoles: readonly ColumnRole[] = ['sex', 'boolean', 'coded', 'consent'];

const usualMeanings: Readonly<Partial<Record<ColumnRole, readonly [pattern: RegExp, meaning: string][]>>> = {
  sex: [
    [/^(m|male|mann|männlich|h|homme)$/i, 'male'],
    [/^(f|female|w|frau|weiblich|femme)$/i, 'female'],
    [/^(d|x|o|other|divers)$/i, 'other'],
    [/^(u|unknown|unbekannt)$/i, 'unknown'],
  ],
  boolean: [
    [/^(1|y|yes|true|t|ja|j|pos|positive|positiv)$/i, 'true'],
    [/^(0|n|no|false|f|nein|neg|negative|negativ)$/i, 'false'],
  ],
  consent: [
    [/^(1|y|yes|true|ja|j|given|permit|active|erteilt|zugestimmt)$/i, 'permit'],
    [/^(0|n|no|false|nein|refused|deny|denied|withdrawn|verweigert|widerrufen|abgelehnt)$/i, 'deny'],
  ],
};

/** What the cells that were seen usually mean in such a column; '' where that cannot be told. */
export function usualValues(role: ColumnRole, samples: readonly string[]): Record<string, string> {
  const patterns = usualMeanings[role] ?? [];
  return Object.fromEntries(
    samples
      .filter((sample) => sample !== '')
      .map((sample) => [sample, patterns.find(([pattern]) => pattern.test(sample))?.[1] ?? '']),
  );
}

/** The draft that a suggestion starts with. */
export function createDraft({ columns, mapping }: MappingSuggestion): MappingDraft {
  const base = readObject(mapping);
  const patient = objectAt(base, 'patient');
  return {
    columns: columns.map((column) => createColumn(column, base)),
    authority:
      typeof patient.authority === 'string' && patient.authority !== unnamedAuthority
        ? patient.authority
        : '',
    dates: dateForms.find((form) => form === base.dates) ?? 'YYYY-MM-DD',
    decimals: decimalMarks.find((mark) => mark === base.decimals) ?? '.',
    base,
  };
}

/** Whether the mapping is one that this screen cannot edit column by column: a row is one fact, or it holds several tables. */
export function isFixed({ base }: MappingDraft): boolean {
  return 'tables' in base || (typeof base.fact === 'object' && base.fact !== null);
}

function createColumn(column: MappedColumn, base: Readonly<Record<string, unknown>>): DraftColumn {
  const { name, samples, role, code, unit, confidence } = column;
  const known = knownValues(column, base);
  return {
    name,
    samples,
    role,
    system: code?.system ?? '',
    code: code?.code ?? '',
    display: code?.display ?? '',
    unit: unit ?? unitColumnOf(name, base),
    values: { ...usualValues(role, samples), ...known },
    confidence,
  };
}

/** The unit is named row by row by another column. */
const unitColumnMark = 'column:';

function unitColumnOf(name: string, base: Readonly<Record<string, unknown>>): string {
  const { column } = objectAt(factsOf(base).find((fact) => fact.column === name) ?? {}, 'unit');
  return typeof column === 'string' ? unitColumnMark + column : '';
}

/** The meanings of cells that the suggested mapping already has. */
function knownValues(
  { name, role }: MappedColumn,
  base: Readonly<Record<string, unknown>>,
): Record<string, string> {
  const from =
    role === 'sex'
      ? objectAt(objectAt(base, 'patient'), 'sex')
      : role === 'consent'
        ? objectAt(objectAt(base, 'consent'), 'status')
        : (factsOf(base).find((fact) => fact.column === name) ?? {});
  if (from.column !== name) return {};
  return Object.fromEntries(
    Object.entries(objectAt(from, 'values')).map(([cell, meaning]) => [cell, meaningText(meaning)]),
  );
}

function meaningText(meaning: unknown): string {
  if (typeof meaning === 'string' || typeof meaning === 'boolean') return String(meaning);
  if (typeof meaning !== 'object' || meaning === null) return '';
  if ('decision' in meaning) return String(meaning.decision);
  return 'code' in meaning ? String(meaning.code) : '';
}

/** The mapping that a draft makes, and what is missing. */
export function composeMapping(draft: MappingDraft): ComposedMapping {
  if (isFixed(draft)) {
    const text = JSON.stringify(draft.base, null, 2);
    return { text, preview: text, gaps: [] };
  }
  const gaps = findGaps(draft);
  if (gaps.length === 0) {
    const text = writeMapping(draft, draft.columns);
    return { text, preview: text, gaps };
  }
  const open = new Set(gaps.map(({ column }) => column));
  const told = draft.columns.filter(({ name }) => !open.has(name));
  const canShow =
    gaps.every(({ column, kind }) => column !== null || kind === 'no-authority') &&
    told.some(({ role }) => factRoles.includes(role));
  const shown = URL.canParse(draft.authority.trim()) ? draft : { ...draft, authority: unnamedAuthority };
  return { text: null, preview: canShow ? writeMapping(shown, told) : null, gaps };
}

function writeMapping(
  { authority, base, dates, decimals }: MappingDraft,
  columns: readonly DraftColumn[],
): string {
  const of = (role: ColumnRole): DraftColumn | undefined => columns.find((column) => column.role === role);
  const sex = of('sex');
  const mapping = {
    record: null,
    missing: [],
    ...base,
    consilium: 'csv-mapping/1',
    patient: {
      identifier: of('identifier')?.name ?? '',
      authority: authority.trim(),
      name: of('name')?.name ?? null,
      birthDate: of('birth-date')?.name ?? null,
      sex: sex === undefined ? null : { column: sex.name, values: meanings(sex, (meaning) => meaning) },
    },
    indexDate: of('index-date')?.name ?? null,
    dates,
    decimals,
    facts: columns.filter(({ role }) => factRoles.includes(role)).map((column) => factOf(column, base)),
    consent: consentOf(of('consent'), base),
  };
  return JSON.stringify(mapping, null, 2);
}

function findGaps({ columns, authority }: MappingDraft): DraftGap[] {
  const gaps: DraftGap[] = [];
  const has = (role: ColumnRole): boolean => columns.some((column) => column.role === role);
  if (!has('identifier')) gaps.push({ kind: 'no-identifier', column: null });
  if (!URL.canParse(authority.trim())) gaps.push({ kind: 'no-authority', column: null });
  if (!has('index-date')) gaps.push({ kind: 'no-date', column: null });
  if (!columns.some(({ role }) => factRoles.includes(role))) gaps.push({ kind: 'no-fact', column: null });
  const seen = new Set<ColumnRole>();
  for (const column of columns) {
    if (singleRoles.includes(column.role) && seen.has(column.role))
      gaps.push({ kind: 'twice', column: column.name });
    seen.add(column.role);
    gaps.push(...gapsOf(column));
  }
  return gaps;
}

function gapsOf({ name, role, system, code, unit, values }: DraftColumn): DraftGap[] {
  const gaps: DraftGap[] = [];
  if (factRoles.includes(role)) {
    if (!/^[!-~]{1,64}$/.test(code.trim())) gaps.push({ kind: 'no-code', column: name });
    if (!URL.canParse(system.trim())) gaps.push({ kind: 'bad-system', column: name });
  }
  if (role === 'quantity' && unit.trim() === '') gaps.push({ kind: 'no-unit', column: name });
  if (valueRoles.includes(role) && Object.values(values).every((meaning) => meaning.trim() === ''))
    gaps.push({ kind: 'no-values', column: name });
  return gaps;
}

/** Cells without a meaning are left out: a row that has one is refused, by the name of its column. */
function meanings<T>({ values }: DraftColumn, of: (meaning: string) => T): Record<string, T> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, meaning]) => meaning.trim() !== '')
      .map(([cell, meaning]) => [cell, of(meaning.trim())]),
  );
}

function factOf(column: DraftColumn, base: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { name, role } = column;
  const earlier = factsOf(base).find((fact) => fact.column === name && fact.kind === role) ?? {};
  const system = column.system.trim();
  const fact = { ...earlier, kind: role, column: name, code: { system, code: column.code.trim() } };
  if (role === 'quantity') {
    const unit = column.unit.trim();
    const isColumn = unit.startsWith(unitColumnMark);
    return { ...fact, unit: isColumn ? { column: unit.slice(unitColumnMark.length) } : unit };
  }
  if (role === 'boolean') return { ...fact, values: meanings(column, (meaning) => meaning === 'true') };
  return { ...fact, values: meanings(column, (meaning) => codedMeaning(meaning, system)) };
}

/** `system|code`, or a code of the column's own system. */
function codedMeaning(meaning: string, system: string): { system: string; code: string } {
  const at = meaning.lastIndexOf('|');
  return at === -1
    ? { system, code: meaning }
    : { system: meaning.slice(0, at), code: meaning.slice(at + 1) };
}

function consentOf(
  column: DraftColumn | undefined,
  base: Readonly<Record<string, unknown>>,
): Record<string, unknown> | null {
  if (column === undefined) return null;
  const earlier = objectAt(base, 'consent');
  const statusOf = (decision: string) =>
    decision === 'permit' ? { status: 'active', decision: 'permit' } : { status: 'active', decision: 'deny' };
  return {
    researchStudyId: null,
    stated: null,
    from: null,
    until: null,
    ...earlier,
    status: { column: column.name, values: meanings(column, statusOf) },
  };
}

function readObject(text: string | null): Record<string, unknown> {
  if (text === null) return {};
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectAt(value: Readonly<Record<string, unknown>>, key: string): Record<string, unknown> {
  const found = value[key];
  return isObject(found) ? found : {};
}

function factsOf(base: Readonly<Record<string, unknown>>): Record<string, unknown>[] {
  return Array.isArray(base.facts) ? base.facts.filter(isObject) : [];
}

// One row of a CSV table by its saved mapping, as a record.
import type { DeathStatement, PatientKey } from '#site/deidentify/index.ts';
import {
  type ClinicalRecord,
  type CodedValue,
  codedFactValue,
  type FactKind,
  type FactValue,
  RowRefusal,
  type SourceConsent,
  type SourceFact,
  unlessRefused,
} from '../clinical-record.ts';
import type { TimeZone } from '../time-zone.ts';
import type { ColumnFact, RowFact, TableMapping } from './csv-mapping.ts';
import type { TableRow } from './csv-table.ts';
import { deathAmong, isDeathCode } from './death.ts';
import { permitNothing } from './fhir-provision.ts';
import {
  isNumber,
  readBirthDate,
  readCode,
  readDay,
  readNumber,
  readText,
  readTime,
  type StatedTime,
} from './field-value.ts';
import { readSourceUnit } from './unit-spelling.ts';

export interface MappedTable {
  readonly mapping: TableMapping;
  /** Cells that say: not known. */
  readonly missing: ReadonlySet<string>;
  /** Tells the table from others of the same patients. */
  readonly name: string;
  readonly zone: TimeZone;
}

const pointDate = /^(\d{1,2})\.(\d{1,2})\.(\d{4})([T ].*)?$/;
const slashDate = /^(\d{1,2})\/(\d{1,2})\/(\d{4})([T ].*)?$/;

type ConsentColumn = NonNullable<TableMapping['consent']>['status'];
type ValueColumn = Exclude<NonNullable<RowFact['value']>, { system: string }>;

export class MappedRow {
  readonly #mapping: TableMapping;
  readonly #row: TableRow;
  readonly #table: MappedTable;

  constructor(table: MappedTable, row: TableRow) {
    this.#mapping = table.mapping;
    this.#table = table;
    this.#row = row;
  }

  /** @throws RowRefusal. */
  record(): ClinicalRecord | 'not-needed' {
    const { patient, indexDate, facts, fact, skip } = this.#mapping;
    if (skip?.values.includes(this.#row.cell(skip.column))) return 'not-needed';
    const identifier = this.#required(patient.identifier, readText);
    const key: PatientKey = { authority: patient.authority, identifier };
    const time = indexDate === null ? null : this.#time(indexDate);
    const own = fact === null || time === null ? null : this.#rowFact(fact, time);
    const consents = this.#consent(['csv', key.authority, identifier]);
    if (own === 'not-needed')
      return consents.length === 0
        ? own
        : { subject: key, patient: null, sourceId: null, facts: [], consents };
    const said = facts.flatMap((each) => this.#columnFact(each, time) ?? []);
    if (own !== null) said.push(own);
    return {
      subject: key,
      patient: this.#patient(key),
      death: this.#death(said),
      sourceId: ['csv', key.authority, identifier, ...this.#recordName(time, own), this.#table.name],
      facts: said,
      consents,
    };
  }

  /**
   * The consent in a row that is refused, where it takes something away: a deny, one that is not active, or one of which nobody can tell what
   * it says, which ends an earlier permit. @throws RowRefusal CONSENT_WITHOUT_PATIENT where nobody can tell whose it is.
   */
  refusedConsent(): Pick<ClinicalRecord, 'subject' | 'consents'> {
    const { authority, identifier: column } = this.#mapping.patient;
    const consents = (identifier: string) =>
      this.#consent(['csv', authority, identifier], 'readable-days').filter(
        ({ decision, status }) => decision === 'deny' || status !== 'active',
      );
    const identifier = unlessRefused(() => this.#required(column, readText));
    if (identifier !== undefined)
      return { subject: { authority, identifier }, consents: consents(identifier) };
    if (consents('').length > 0) throw new RowRefusal('CONSENT_WITHOUT_PATIENT', column);
    return { subject: { authority, identifier: '' }, consents: [] };
  }

  /** Null where the table only names its patient. */
  #patient(key: PatientKey): ClinicalRecord['patient'] {
    const { name, birthDate, sex } = this.#mapping.patient;
    if (name === null && birthDate === null && sex === null && this.#mapping.fact !== null) return null;
    const parts = (name ?? []).map((column) => this.#optional(column, readText));
    const wholeName = parts.filter((part) => part !== null).join(' ');
    return {
      key,
      aliases: [],
      otherIdentifiers: [],
      name: wholeName === '' ? null : wholeName,
      birthDate:
        birthDate === null
          ? null
          : this.#optional(birthDate, (text) => readBirthDate(this.#birthDate(text), birthDate)),
      sex: sex === null ? null : this.#mapped(sex.column, sex.values),
    };
  }

  /** A table with a column for it says by an empty cell that it knows of no death. */
  #death(said: readonly SourceFact[]): DeathStatement | undefined {
    const isAsked = this.#mapping.facts.some(({ code }) => isDeathCode(code));
    const says = deathAmong(said) ?? (isAsked ? 'not-stated' : undefined);
    return says === undefined ? undefined : { source: 'csv', says };
  }

  #recordName(time: StatedTime | null, own: SourceFact | null): string[] {
    const { record } = this.#mapping;
    // One column must name the row; of several some may be empty.
    if (record?.length === 1) return record.map((column) => this.#required(column, readText));
    if (record !== null) return record.map((column) => this.#row.cell(column));
    const day = time === null ? 'patient' : String(time.day);
    return own === null ? [day] : [day, String(time?.second ?? ''), own.code.system, own.code.code];
  }

  #columnFact(mapping: ColumnFact, time: StatedTime | null): SourceFact | null {
    const { code, as: kind, column } = mapping;
    const part = `${code.system}|${code.code}`;
    if (mapping.kind === 'event') {
      if (this.#cell(column) === null) return null;
      return { kind, part, code, value: null, ...this.#time(column), endDay: this.#endDay(mapping.end) };
    }
    const value = this.#columnValue(mapping);
    // A mapping without an index date has events only.
    return value === null || time === null ? null : { kind, part, code, value, ...time, endDay: null };
  }

  #columnValue(mapping: Exclude<ColumnFact, { kind: 'event' }>): FactValue | null {
    switch (mapping.kind) {
      case 'quantity': {
        const number = this.#optional(mapping.column, (text) => this.#number(text, mapping.column));
        return number === null ? null : { number, unit: this.#unit(mapping.unit, mapping.column) };
      }
      case 'boolean': {
        const value = this.#mapped(mapping.column, mapping.values);
        return value === null ? null : { number: value ? 1 : 0, unit: null };
      }
      case 'coded': {
        const coded = this.#mapped(mapping.column, mapping.values);
        return coded === null ? null : codedFactValue(coded);
      }
    }
  }

  #rowFact({ as, code, end, value }: RowFact, time: StatedTime): SourceFact | 'not-needed' {
    const kind: FactKind | null = typeof as === 'string' ? as : this.#mapped(as.column, as.values);
    if (kind === null && typeof as !== 'string') throw new RowRefusal('MISSING_FIELD', as.column);
    const said = this.#rowCode(code);
    const read = value === null ? null : 'system' in value ? this.#codeValue(value) : this.#answer(value);
    if (read === 'not-needed') return read;
    return {
      kind: kind ?? 'measurement',
      part: 'row',
      code: said,
      value: read,
      ...time,
      endDay: this.#endDay(end),
    };
  }

  #rowCode(code: RowFact['code']): CodedValue {
    if ('values' in code) {
      const found = this.#mapped(code.column, code.values);
      if (found === null) throw new RowRefusal('MISSING_FIELD', code.column);
      return found;
    }
    const { system } = code;
    const name = typeof system === 'string' ? system : this.#mapped(system.column, system.values);
    if (name === null) throw new RowRefusal('MISSING_FIELD', code.column);
    return { system: name, code: this.#required(code.column, readCode) };
  }

  #codeValue({ column, system }: { readonly column: string; readonly system: string }): FactValue | null {
    const code = this.#optional(column, readCode);
    return code === null ? null : { coded: { system, code } };
  }

  #answer({ column, unit, values, others }: ValueColumn): FactValue | 'not-needed' {
    const text = this.#required(column, (cell) => cell);
    const coded = Object.hasOwn(values, text) ? values[text] : undefined;
    if (coded !== undefined) return codedFactValue(coded);
    if (isNumber(this.#mapping.decimals === ',' ? text.replace(',', '.') : text))
      return { number: this.#number(text, column), unit: this.#unit(unit, column) };
    if (others === 'refuse') throw new RowRefusal('UNSUPPORTED_VALUE', column);
    return others;
  }

  #unit(unit: string | { readonly column: string }, column: string): string {
    return typeof unit === 'string'
      ? readSourceUnit(unit, column)
      : readSourceUnit(this.#cell(unit.column) ?? '', unit.column);
  }

  /** @param days whether a day that cannot be read refuses the consent or is left open */
  #consent(patientId: readonly string[], days: 'all-days' | 'readable-days' = 'all-days'): SourceConsent[] {
    const { consent } = this.#mapping;
    if (consent === null) return [];
    const stated = this.#decision(consent.status, days === 'readable-days');
    if (stated === null) return [];
    const { researchStudyId } = consent;
    const read = (text: string, column: string) => readDay(this.#isoDate(text), column, this.#table.zone);
    const day = (column: string | null): number | null => {
      if (column === null) return null;
      const stated = () => this.#optional(column, read);
      return days === 'readable-days' ? (unlessRefused(stated) ?? null) : stated();
    };
    // What a refused row takes away, it takes away whoever gave it.
    const isByGuardian = (): boolean =>
      days === 'all-days' &&
      consent.givenBy !== null &&
      this.#mapped(consent.givenBy.column, consent.givenBy.values) === 'guardian';
    return [
      {
        sourceId: [...patientId, 'consent', researchStudyId ?? 'any'],
        researchStudyId,
        provision: null,
        ...stated,
        isByGuardian: isByGuardian(),
        statedDay: day(consent.stated),
        fromDay: day(consent.from),
        untilDay: day(consent.until),
        source: 'csv',
      },
    ];
  }

  /** @param isLenient whether a cell that the mapping does not name is one that permits nothing, or refuses the row */
  #decision({ column, values }: ConsentColumn, isLenient: boolean) {
    const mapped = () => this.#mapped(column, values);
    const unknown = { status: 'active', decision: 'deny', provision: permitNothing } as const;
    if (!isLenient) return mapped();
    const found = unlessRefused(mapped);
    return found === undefined ? unknown : found;
  }

  #time(column: string): StatedTime {
    return this.#required(column, (text) => readTime(this.#isoDate(text), column, this.#table.zone));
  }

  /** A date as the table writes it, as `YYYY-MM-DD`; what is none stays as it is and is refused. */
  #isoDate(text: string): string {
    const { dates } = this.#mapping;
    if (dates === 'YYYY-MM-DD') return text;
    const found = (dates === 'DD.MM.YYYY' ? pointDate : slashDate).exec(text);
    if (found === null) return 'none';
    const [, first = '', second = '', year = '', rest = ''] = found;
    const [day, month] = dates === 'DD.MM.YYYY' ? [first, second] : [second, first];
    return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}${rest}`;
  }

  /** A year or a month may stand alone. */
  #birthDate(text: string): string {
    return /^\d{4}(?:-\d{2})?$/.test(text) ? text : this.#isoDate(text);
  }

  #number(text: string, column: string): number {
    if (this.#mapping.decimals === '.') return readNumber(text, column);
    // With a decimal comma a point would stand for thousands, or be the other spelling: neither is guessed.
    if (text.includes('.')) throw new RowRefusal('BAD_NUMBER', column);
    return readNumber(text.replace(',', '.'), column);
  }

  #endDay(column: string | null): number | null {
    if (column === null) return null;
    return this.#optional(column, (text) => readDay(this.#isoDate(text), column, this.#table.zone));
  }

  /** The cell, or null when it says nothing. */
  #cell(column: string): string | null {
    const text = this.#row.cell(column);
    return this.#table.missing.has(text) ? null : text;
  }

  #optional<T>(column: string, read: (text: string, field: string) => T): T | null {
    const text = this.#cell(column);
    return text === null ? null : read(text, column);
  }

  #required<T>(column: string, read: (text: string, field: string) => T): T {
    const value = this.#optional(column, read);
    if (value === null) throw new RowRefusal('MISSING_FIELD', column);
    return value;
  }

  #mapped<T>(column: string, values: Readonly<Record<string, T>>): T | null {
    const text = this.#cell(column);
    if (text === null) return null;
    // `constructor` and its like are found in every object.
    const value = Object.hasOwn(values, text) ? values[text] : undefined;
    if (value === undefined) throw new RowRefusal('BAD_VALUE', column);
    return value;
  }
}

// A hospital's own CSV by its saved mapping: each row is one patient's facts on one date, and maybe a consent.
import { utf8 } from '#base/bytes.ts';
import { sha256, sha256Hex } from '#federation/crypto/digest.ts';
import type { PatientKey } from '#site/deidentify/index.ts';
import {
  type ClinicalRecord,
  codedFactValue,
  type FactValue,
  type RecordReader,
  RowRefusal,
  readRow,
  type SourceConsent,
  type SourceFact,
} from '../clinical-record.ts';
import { type CsvMapping, type FactMapping, mappedColumns } from './csv-mapping.ts';
import { type TableHeader, TableReader, type TableRow } from './csv-table.ts';
import { readBirthDate, readDay, readNumber, readText, readUnit } from './field-value.ts';

/** The first column that the mapping needs and the table lacks, by the mapping's own name for it. */
export function missingColumn(mapping: CsvMapping, header: TableHeader): string | undefined {
  return mappedColumns(mapping).find((column) => !header.columns.has(column));
}

/** @param header has every column of the mapping */
export function createCsvReader(mapping: CsvMapping, header: TableHeader): RecordReader {
  const missing = new Set(['', ...mapping.missing]);
  const table = tableName(mapping);
  const repeated = new RepeatedRows();
  return new TableReader(header, (row) =>
    readRow(row.row, () => {
      const record = new MappedRow({ mapping, missing, table }, row).record();
      repeated.refuse(record, mapping.record ?? mapping.indexDate);
      return record;
    }),
  );
}

/**
 * Tells tables apart by what they state: without it, laboratory values would replace the vital signs of the same patient and
 * day. The order of the columns does not matter.
 */
function tableName({ facts }: CsvMapping): string {
  const codes = facts.map(({ code }) => [code.system, code.code]);
  return sha256Hex(utf8(JSON.stringify(codes.map((code) => JSON.stringify(code)).sort())));
}

/** Refuses a row that would replace what an earlier row of the same file said; the same row again is only a repetition. */
class RepeatedRows {
  /** Digests, some 100 bytes a row: record -> what its row says. */
  readonly #seen = new Map<string, number>();

  /** @throws RowRefusal REPEATED_RECORD. */
  refuse({ sourceId, ...said }: ClinicalRecord, field: string): void {
    const name = digestOf(sourceId).toString('latin1', 0, 12);
    const content = digestOf(said).readUIntBE(0, 6);
    const earlier = this.#seen.get(name);
    if (earlier !== undefined && earlier !== content) throw new RowRefusal('REPEATED_RECORD', field);
    this.#seen.set(name, content);
  }
}

function digestOf(value: unknown): Buffer {
  return Buffer.from(sha256(utf8(JSON.stringify(value))));
}

interface MappedTable {
  readonly mapping: CsvMapping;
  /** Cells that say: not known. */
  readonly missing: ReadonlySet<string>;
  readonly table: string;
}

class MappedRow {
  readonly #mapping: CsvMapping;
  readonly #row: TableRow;
  readonly #missing: ReadonlySet<string>;
  readonly #table: string;

  constructor({ mapping, missing, table }: MappedTable, row: TableRow) {
    this.#mapping = mapping;
    this.#row = row;
    this.#missing = missing;
    this.#table = table;
  }

  record(): ClinicalRecord {
    const { patient, indexDate, facts } = this.#mapping;
    const key: PatientKey = {
      authority: patient.authority,
      identifier: this.#required(patient.identifier, readText),
    };
    const day = this.#required(indexDate, readDay);
    const recordName =
      this.#mapping.record === null ? String(day) : this.#required(this.#mapping.record, readText);
    return {
      subject: key,
      patient: {
        key,
        aliases: [],
        name: this.#optional(patient.name, readText),
        birthDate: this.#optional(patient.birthDate, readBirthDate),
        sex: patient.sex === null ? null : this.#mapped(patient.sex.column, patient.sex.values),
      },
      sourceId: ['csv', key.authority, key.identifier, recordName, this.#table],
      facts: facts.flatMap((fact) => this.#fact(fact, day)),
      consents: this.#consent(['csv', key.authority, key.identifier]),
    };
  }

  #fact(mapping: FactMapping, day: number): SourceFact[] {
    const value = this.#value(mapping);
    const { code } = mapping;
    return value === null
      ? []
      : [
          {
            kind: 'measurement',
            part: `${code.system}|${code.code}`,
            code,
            value,
            day,
            second: null,
            endDay: null,
          },
        ];
  }

  #value(mapping: FactMapping): FactValue | null {
    switch (mapping.kind) {
      case 'quantity': {
        const number = this.#optional(mapping.column, readNumber);
        if (number === null) return null;
        if (typeof mapping.unit === 'string') return { number, unit: readUnit(mapping.unit, mapping.column) };
        return { number, unit: readUnit(this.#cell(mapping.unit.column) ?? undefined, mapping.unit.column) };
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

  #consent(patientId: readonly string[]): SourceConsent[] {
    const { consent } = this.#mapping;
    if (consent === null) return [];
    const stated = this.#mapped(consent.status.column, consent.status.values);
    if (stated === null) return [];
    const { researchStudyId } = consent;
    return [
      {
        sourceId: [...patientId, 'consent', researchStudyId ?? 'any'],
        researchStudyId,
        ...stated,
        statedDay: this.#optional(consent.stated, readDay),
        fromDay: this.#optional(consent.from, readDay),
        untilDay: this.#optional(consent.until, readDay),
        source: 'csv',
      },
    ];
  }

  /** The cell, or null when it says nothing. */
  #cell(column: string): string | null {
    const text = this.#row.cell(column);
    return this.#missing.has(text) ? null : text;
  }

  #optional<T>(column: string | null, read: (text: string, field: string) => T): T | null {
    const text = column === null ? null : this.#cell(column);
    return text === null || column === null ? null : read(text, column);
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

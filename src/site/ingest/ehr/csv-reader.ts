// A CSV table by its saved mapping: each row is one patient's facts on one date, or one fact, and maybe a consent.
import { utf8 } from '#base/bytes.ts';
import { sha256, sha256Hex } from '#federation/crypto/digest.ts';
import {
  type ClinicalRecord,
  type ReadRow,
  type RecordReader,
  RowRefusal,
  readRow,
} from '../clinical-record.ts';
import type { TimeZone } from '../time-zone.ts';
import { type CsvMapping, mappedColumns, type OtherTable, type TableMapping } from './csv-mapping.ts';
import { MappedRow } from './csv-row.ts';
import { type TableHeader, TableReader } from './csv-table.ts';
import { RowDigests } from './row-digests.ts';

/** The mapping of the first table whose columns are all there, and none of another table's. */
export function findTable(mapping: CsvMapping, header: TableHeader): TableMapping | OtherTable | undefined {
  const has = (column: string): boolean => header.columns.has(column);
  return mapping.tables.find(
    (table) => mappedColumns(table).every(has) && !('without' in table && table.without.some(has)),
  );
}

/** The first column that a mapping of one table needs and the table lacks; null where it has several tables. */
export function missingColumn({ tables }: CsvMapping, header: TableHeader): string | null {
  const [table, ...others] = tables;
  if (table === undefined || others.length > 0) return null;
  return mappedColumns(table).find((column) => !header.columns.has(column)) ?? null;
}

/** @param header has every column of the mapping */
export function createCsvReader(
  mapping: TableMapping | OtherTable,
  header: TableHeader,
  zone: TimeZone,
): RecordReader {
  if ('notNeeded' in mapping) return new TableReader(header, ({ row }) => ({ kind: 'not-needed', row }));
  const table = { mapping, missing: new Set(['', ...mapping.missing]), name: tableName(mapping), zone };
  const repeated = new RepeatedRows(mapping);
  return new TableReader(header, (row) =>
    readRow(row.row, (): ClinicalRecord | ReadRow => {
      const mapped = new MappedRow(table, row);
      try {
        const record = mapped.record();
        if (record === 'not-needed') return { kind: 'not-needed', row: row.row };
        // Its reader refuses it: a whole row of that name is no other one.
        return row.isBroken ? record : repeated.tell(record);
      } catch (error) {
        if (error instanceof RowRefusal) return keepDenial(mapped, error);
        throw error;
      }
    }),
  );
}

/** What a refused row takes away by a consent in it is kept; the row is refused all the same. @throws RowRefusal where there is nothing. */
function keepDenial(row: MappedRow, refusal: RowRefusal): ClinicalRecord {
  const { subject, consents } = row.refusedConsent();
  if (consents.length === 0) throw refusal;
  const { code, field } = refusal;
  return { subject, patient: null, sourceId: null, facts: [], consents, refusal: { code, field } };
}

/**
 * Tells tables apart by what they state: without it, laboratory values would replace the vital signs of the same patient and
 * day. The order of the columns does not matter.
 */
function tableName({ facts, fact }: TableMapping): string {
  const codes = facts.map(({ code }) => JSON.stringify([code.system, code.code])).sort();
  const said = fact === null ? codes : [...codes, JSON.stringify([fact.as, fact.code])];
  return sha256Hex(utf8(JSON.stringify(said)));
}

/**
 * Rows of a file that name the same record. Where the mapping numbers them each is a record of its own; else the same row again
 * is only a repetition, and a different one is refused, because it would replace the first.
 */
class RepeatedRows {
  readonly #mapping: TableMapping;
  /** Digest of a record's name -> digest of what its row says, or how many rows there were. */
  readonly #seen = new RowDigests();

  constructor(mapping: TableMapping) {
    this.#mapping = mapping;
  }

  /** The record, with its number where it is a further one of its name. @throws RowRefusal REPEATED_RECORD. */
  tell(record: ClinicalRecord): ClinicalRecord {
    const { sourceId } = record;
    if (sourceId === null) return record;
    const name = digestOf(sourceId);
    const earlier = this.#seen.get(name);
    if (this.#mapping.repeats === 'number') {
      this.#seen.set(name, earlier + 1);
      return earlier === 0 ? record : { ...record, sourceId: [...sourceId, `row ${earlier + 1}`] };
    }
    // From 1: 0 is what was never seen.
    const content = Math.max(digestOf({ ...record, sourceId: null }).readUInt32LE(0), 1);
    if (earlier !== 0 && earlier !== content) {
      const { record: named, indexDate, patient } = this.#mapping;
      throw new RowRefusal('REPEATED_RECORD', named?.[0] ?? indexDate ?? patient.identifier);
    }
    this.#seen.set(name, content);
    return record;
  }
}

function digestOf(value: unknown): Buffer {
  return Buffer.from(sha256(utf8(JSON.stringify(value))));
}

// Reads a part of a file: bytes in order in, packed batches of its rows out. The same on the site's thread and in a reading worker.
import type { ReadRow, RecordReader } from './clinical-record.ts';
import type { FileRefusal } from './file-writer.ts';
import { type IdentifierAuthorities, withAuthorities } from './identifier-authorities.ts';
import type { RecordBatch } from './record-batch.ts';
import { RecordPacker } from './record-packer.ts';

/** The site's thread is busy with a batch of this size for some tens of milliseconds. */
export const rowsInBatch = 4_096;

export interface SectionSettings {
  /** Serves one section after the other. */
  readonly packer: RecordPacker;
  readonly authorities: IdentifierAuthorities;
}

export function createPacker(linkageKey: Uint8Array): RecordPacker {
  return new RecordPacker({ linkageKey, maxRows: rowsInBatch });
}

export class SectionReader {
  rowCount = 0;
  /** Set where the rest of the file is not to be read. */
  refusal: FileRefusal | undefined;
  readonly #reader: RecordReader;
  readonly #authorities: IdentifierAuthorities;
  readonly #packer: RecordPacker;

  constructor(reader: RecordReader, { packer, authorities }: SectionSettings) {
    this.#reader = reader;
    this.#authorities = authorities;
    this.#packer = packer;
  }

  /** Batches that these bytes fill. */
  *write(bytes: Uint8Array): Generator<RecordBatch> {
    if (this.refusal === undefined) yield* this.#pack(this.#reader.write(bytes));
  }

  /** What is left. @param isWhole whether all bytes came; else what is held back of a row is dropped */
  *end(isWhole = true): Generator<RecordBatch> {
    if (isWhole && this.refusal === undefined) yield* this.#pack(this.#reader.end());
    if (this.#packer.rowCount > 0) yield this.#packer.take();
  }

  *#pack(rows: Iterable<ReadRow>): Generator<RecordBatch> {
    for (const row of rows) {
      if (row.kind === 'file-refused') {
        this.refusal = { code: row.code, field: row.field };
        return;
      }
      this.rowCount += 1;
      this.#packer.add(withAuthorities(row, this.#authorities));
      if (this.#packer.isFull) yield this.#packer.take();
    }
  }
}

// A saved column mapping that lies beside the CSV files it is for.
import { fromUtf8 } from '#base/bytes.ts';
import type { ReadRow, RecordReader } from '../clinical-record.ts';
import { type CsvMapping, parseMapping } from './csv-mapping.ts';

const maxMappingBytes = 1_048_576;

export class CsvMappingReader implements RecordReader {
  readonly #onMapping: (mapping: CsvMapping) => void;
  #parts: Uint8Array[] = [];
  #size = 0;

  /** @param onMapping is given the mapping once it is read whole */
  constructor(onMapping: (mapping: CsvMapping) => void) {
    this.#onMapping = onMapping;
  }

  *write(bytes: Uint8Array): Generator<ReadRow> {
    this.#size += bytes.length;
    if (this.#size <= maxMappingBytes) this.#parts.push(bytes);
    else yield { kind: 'file-refused', code: 'FILE_TOO_LARGE', field: null };
  }

  *end(): Generator<ReadRow> {
    const mapping = parseMapping(decode(Buffer.concat(this.#parts)));
    this.#parts = [];
    if (mapping === undefined) {
      yield { kind: 'file-refused', code: 'BAD_MAPPING', field: null };
      return;
    }
    this.#onMapping(mapping);
    yield { kind: 'reference', row: 1 };
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes).replace(/^\ufeff/, '');
  } catch {
    return '';
  }
}

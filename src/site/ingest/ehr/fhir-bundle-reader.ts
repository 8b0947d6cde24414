// A FHIR R4 Bundle, or a file with one resource. It is read whole before anything of it is taken: a file that breaks off gives
// nothing.
import { fromUtf8 } from '#base/bytes.ts';
import type { ReadRow, RecordReader } from '../clinical-record.ts';
import type { FileRefusalCode } from '../ingest-error.ts';
import type { TimeZone } from '../time-zone.ts';
import { resourceTypeOf } from './fhir-context.ts';
import { entriesOf, readEntries } from './fhir-entries.ts';
import { scanJson } from './json-scan.ts';

/** A bundle lies in memory as a whole. */
export const maxBundleBytes = 134_217_728;

export class BundleReader implements RecordReader {
  readonly #zone: TimeZone;
  #parts: Uint8Array[] = [];
  #size = 0;

  constructor(zone: TimeZone) {
    this.#zone = zone;
  }

  *write(bytes: Uint8Array): Generator<ReadRow> {
    this.#size += bytes.length;
    if (this.#size > maxBundleBytes) {
      this.#parts = [];
      yield { kind: 'file-refused', code: 'FILE_TOO_LARGE', field: null };
      return;
    }
    this.#parts.push(bytes);
  }

  *end(): Generator<ReadRow> {
    const read = parseWhole(this.#parts);
    this.#parts = [];
    const entries = 'json' in read ? entriesIn(read.json) : read.code;
    if (typeof entries === 'string') {
      yield { kind: 'file-refused', code: entries, field: entries === 'UNSUPPORTED_BUNDLE' ? 'type' : null };
      return;
    }
    yield* readEntries(entries, this.#zone, (index) => index + 1);
  }
}

function entriesIn(json: unknown) {
  return resourceTypeOf(json) === 'Bundle' ? entriesOf(json) : [{ resource: json }];
}

function parseWhole(
  parts: readonly Uint8Array[],
): { readonly json: unknown } | { readonly code: FileRefusalCode } {
  let text: string;
  try {
    text = fromUtf8(Buffer.concat(parts));
  } catch {
    return { code: 'NOT_UTF8' };
  }
  const { shape } = scanJson(text);
  if (shape === 'truncated') return { code: 'TRUNCATED' };
  if (shape === 'too-deep') return { code: 'TOO_DEEP' };
  if (shape !== 'whole') return { code: 'MALFORMED_JSON' };
  try {
    return { json: JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text) };
  } catch {
    return { code: 'MALFORMED_JSON' };
  }
}

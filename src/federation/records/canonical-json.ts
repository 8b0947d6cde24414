// RFC 8785 (JSON Canonicalization Scheme): one value, one sequence of bytes.
import canonicalize from 'canonicalize';
import { utf8 } from '#base/bytes.ts';
import { RecordError } from '#federation/records/record-error.ts';

/**
 * The canonical bytes of a JSON value. Members that are undefined are left out.
 * @throws RecordError BAD_STATEMENT on what JSON cannot hold: NaN, infinities, lone surrogates, cycles.
 */
export function encodeCanonicalJson(value: unknown): Uint8Array {
  const text = canonicalText(value);
  if (text === undefined) throw new RecordError('BAD_STATEMENT', 'There is no JSON for this value.');
  return utf8(text);
}

function canonicalText(value: unknown): string | undefined {
  try {
    return canonicalize(value);
  } catch (cause) {
    throw new RecordError('BAD_STATEMENT', 'There is no JSON for this value.', { cause });
  }
}

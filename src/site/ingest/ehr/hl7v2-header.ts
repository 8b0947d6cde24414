// The header of an HL7 v2 message (MSH): what it is, who sent it, in which characters it is written.
import { fromUtf8 } from '#base/bytes.ts';
import { RowRefusal } from '../clinical-record.ts';
import type { FieldReader, Segment } from './hl7v2-message.ts';

export interface MessageHeader {
  /** MSH-9: `ADT`, `A01`. */
  readonly type: string;
  readonly trigger: string;
  /** MSH-10. */
  readonly controlId: string;
  readonly application: string;
  readonly facility: string;
  /** MSH-11. */
  readonly processingId: string;
  /** MSH-12. */
  readonly version: string;
}

/** @throws RowRefusal MALFORMED_MESSAGE when it does not say what the message is. */
export function readHeader(header: Segment, fields: FieldReader): MessageHeader {
  const type = fields.text(header, 9).toUpperCase();
  if (!/^[A-Z][A-Z0-9]{2}$/.test(type)) throw new RowRefusal('MALFORMED_MESSAGE', 'MSH-9');
  return {
    type,
    trigger: fields.text(header, 9, 2).toUpperCase(),
    controlId: fields.text(header, 10),
    application: fields.text(header, 3),
    facility: fields.text(header, 4),
    processingId: fields.text(header, 11),
    version: fields.text(header, 12),
  };
}

/** Table 0211, and what is written for it. ASCII is part of UTF-8. */
const decoders = new Map<string, string>([
  ['', 'utf-8'],
  ['ASCII', 'utf-8'],
  ['UNICODE UTF-8', 'utf-8'],
  ['UTF-8', 'utf-8'],
  ['UTF8', 'utf-8'],
  ['8859/1', 'latin1'],
  ['ISO-8859-1', 'latin1'],
  ...[2, 3, 4, 5, 6, 7, 8, 15].map((part) => [`8859/${part}`, `iso-8859-${part}`] as const),
]);

/** @param stated MSH-18. @throws RowRefusal UNSUPPORTED_ENCODING. */
export function openMessageDecoder(stated: string): (bytes: Uint8Array) => string {
  const encoding = decoders.get(stated.toUpperCase());
  if (encoding === undefined) throw new RowRefusal('UNSUPPORTED_ENCODING', 'MSH-18');
  if (encoding === 'latin1') return (bytes) => Buffer.from(bytes).toString('latin1');
  if (encoding !== 'utf-8') {
    const decoder = new TextDecoder(encoding, { fatal: true });
    return (bytes) => decode(() => decoder.decode(bytes));
  }
  return (bytes) => decode(() => fromUtf8(bytes));
}

function decode(read: () => string): string {
  try {
    return read();
  } catch {
    throw new RowRefusal('NOT_UTF8', null);
  }
}

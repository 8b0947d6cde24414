// What an HL7 v2 sender is told (v2.5.1 section 2.9, original mode): AA when its message is durable here, AE when the content is
// refused, AR when it cannot be taken at all. Codes and field names only, never a value of the message.

import type { MessageHeader } from '../../ehr/hl7v2-header.ts';
import type { RowRefusalCode } from '../../ingest-error.ts';

export type MllpRefusalCode =
  | 'INBOX_CLOSED'
  | 'INBOX_FULL'
  | 'INBOX_UNAVAILABLE'
  | 'MESSAGE_TOO_LONG'
  | 'SEVERAL_MESSAGES'
  | 'UNSUPPORTED_PROCESSING_ID'
  | 'UNSUPPORTED_VERSION';

export interface MllpAnswer {
  readonly kind: 'AA' | 'AE' | 'AR';
  /** Null for AA. */
  readonly code: RowRefusalCode | MllpRefusalCode | null;
  /** `PID-3` */
  readonly field: string | null;
}

/** Table 0357. */
const conditionCodes = new Map<string, string>([
  ['BAD_DATE', '102^Data type error^HL70357'],
  ['BAD_NUMBER', '102^Data type error^HL70357'],
  ['BAD_VALUE', '103^Table value not found^HL70357'],
  ['MISSING_FIELD', '101^Required field missing^HL70357'],
  ['UNSUPPORTED_PROCESSING_ID', '202^Unsupported processing id^HL70357'],
  ['UNSUPPORTED_VERSION', '203^Unsupported version id^HL70357'],
]);

export interface AnswerContext {
  /** Of the message that is answered; null where it could not be read. */
  readonly header: MessageHeader | null;
  readonly answerId: string;
  readonly nowMs: number;
}

/** The acknowledgment, with segments ended by CR. */
export function encodeAnswer(
  { kind, code, field }: MllpAnswer,
  { header, answerId, nowMs }: AnswerContext,
): string {
  const time = new Date(nowMs).toISOString().replaceAll(/[-:T]|\.\d+Z$/g, '');
  const type = header === null || header.trigger === '' ? 'ACK' : `ACK^${escapeText(header.trigger)}^ACK`;
  const to = [header?.application ?? '', header?.facility ?? ''].map(escapeText);
  const version = /^2\.\d(?:\.\d)?$/.test(header?.version ?? '') ? (header?.version ?? '') : '2.5.1';
  const processingId = /^[PDT]$/.test(header?.processingId ?? '') ? header?.processingId : 'P';
  const segments = [
    [
      'MSH',
      '^~\\&',
      'CONSILIUM',
      '',
      ...to,
      `${time}+0000`,
      '',
      type,
      answerId,
      processingId,
      version,
      '',
      '',
      '',
      '',
      '',
      'UNICODE UTF-8',
    ],
    ['MSA', kind, escapeText(header?.controlId ?? ''), ...(code === null ? [] : [code])],
  ];
  if (code !== null) {
    const [segment = '', position = ''] = field?.split('-') ?? [];
    const place = position === '' ? segment : `${segment}^1^${position.replace(/\..*$/, '')}`;
    segments.push(['ERR', '', place, conditionCodes.get(code) ?? '207^Application error^HL70357', 'E', code]);
  }
  return segments.map((fields) => `${fields.join('|')}\r`).join('');
}

function escapeText(text: string): string {
  const names: Readonly<Record<string, string>> = { '|': 'F', '^': 'S', '&': 'T', '~': 'R', '\\': 'E' };
  // A control character would end the segment or the frame.
  return text.replaceAll(/\p{Cc}/gu, '').replaceAll(/[|^&~\\]/g, (mark) => `\\${names[mark]}\\`);
}

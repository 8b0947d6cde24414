// Text by Specific Character Set (PS3.3 C.12.1.1.2, PS3.5 6.1), escape sequences of ISO 2022 included: never throws, never runs over;
// what cannot be decoded becomes U+FFFD.
import { TextDecoder } from 'node:util';

/** Defined terms to the label that TextDecoder knows; `katakana` and `ascii` are decoded here. */
const singleByteLabels: Readonly<Record<string, string>> = {
  '6': 'ascii',
  '100': 'latin1',
  '101': 'iso-8859-2',
  '109': 'iso-8859-3',
  '110': 'iso-8859-4',
  '144': 'iso-8859-5',
  '127': 'iso-8859-6',
  '126': 'iso-8859-7',
  '138': 'iso-8859-8',
  '148': 'windows-1254',
  '203': 'iso-8859-15',
  '166': 'windows-874',
  '13': 'katakana',
};

const multiByteTerms = new Set(['87', '159', '149', '58']);

/** Final bytes of the escape sequences of PS3.3 table C.12-3 and C.12-4, after ESC. */
const escapes: Readonly<Record<string, { readonly set: 'G0' | 'G1'; readonly label: string }>> = {
  '(B': { set: 'G0', label: 'ascii' },
  '(J': { set: 'G0', label: 'ascii' },
  ')I': { set: 'G1', label: 'katakana' },
  '-A': { set: 'G1', label: 'latin1' },
  '-B': { set: 'G1', label: 'iso-8859-2' },
  '-C': { set: 'G1', label: 'iso-8859-3' },
  '-D': { set: 'G1', label: 'iso-8859-4' },
  '-L': { set: 'G1', label: 'iso-8859-5' },
  '-G': { set: 'G1', label: 'iso-8859-6' },
  '-F': { set: 'G1', label: 'iso-8859-7' },
  '-H': { set: 'G1', label: 'iso-8859-8' },
  '-M': { set: 'G1', label: 'windows-1254' },
  '-b': { set: 'G1', label: 'iso-8859-15' },
  '-T': { set: 'G1', label: 'windows-874' },
  $B: { set: 'G0', label: 'jis-x-0208' },
  '$@': { set: 'G0', label: 'jis-x-0208' },
  '$(D': { set: 'G0', label: 'jis-x-0212' },
  '$)C': { set: 'G1', label: 'euc-kr' },
  '$)A': { set: 'G1', label: 'gbk' },
};

export interface CharacterSet {
  /** What bytes mean before any escape sequence; `whole` sets (UTF-8, GB18030, GBK) have none. */
  readonly label: string;
  readonly isWhole: boolean;
}

/** Without Specific Character Set the standard has ASCII; what is not ASCII then is UTF-8 where it can be, else Latin-1. */
export const defaultCharacterSet: CharacterSet = { label: 'unstated', isWhole: true };

/** The character set of the values of (0008,0005); undefined where a value is no defined term, however spelt. */
export function parseCharacterSet(terms: readonly string[]): CharacterSet | undefined {
  const numbers = terms.map(termNumber);
  if (numbers.some((number) => number === undefined)) return undefined;
  const [first = '', ...others] = numbers.map(String);
  if (first === '192' || first === 'utf-8') return { label: 'utf-8', isWhole: true };
  if (first === 'gb18030' || first === 'gbk') return { label: first, isWhole: true };
  if (first === '' && others.length === 0) return defaultCharacterSet;
  const label = singleByteLabels[first === '' || multiByteTerms.has(first) ? '6' : first];
  return label === undefined ? undefined : { label, isWhole: false };
}

/** The registration number of a term, or the name of one without; accepts ISO_IR 100, ISO 2022 IR 100 and their usual misspellings. */
function termNumber(term: string): string | undefined {
  const plain = term.trim().toLowerCase();
  if (plain === '' || plain === 'gb18030' || plain === 'gbk' || plain === 'utf-8') return plain;
  const number = /^iso[ _-]?(?:2022)?[ _-]*ir[ _-]*(\d{1,3})$/.exec(plain)?.[1];
  return number !== undefined &&
    (number in singleByteLabels || multiByteTerms.has(number) || number === '192')
    ? number
    : undefined;
}

/** Decodes a value field. `isName` resets the escape state at ^ and = as PN has it. */
export function decodeText(bytes: Uint8Array, { label, isWhole }: CharacterSet, isName = false): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isPlainAscii(buffer)) return buffer.toString('latin1');
  return isWhole ? decodeRun(buffer, label) : decodeWithEscapes(buffer, label, isName);
}

/** Seven bits and no escape: the same in every set. */
function isPlainAscii(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte >= 0x80 || byte === 0x1b) return false;
  return true;
}

function decodeWithEscapes(bytes: Buffer, firstLabel: string, isName: boolean): string {
  const resets = isName ? '\\^=\r\n\f\t' : '\\\r\n\f\t';
  let text = '';
  let g0 = 'ascii';
  let g1 = firstLabel;
  let position = 0;
  while (position < bytes.length) {
    const byte = bytes[position] ?? 0;
    if (byte === 0x1b) {
      const found = escapeAt(bytes, position + 1);
      if (found === undefined) text += '\ufffd';
      else if (found.set === 'G0') g0 = found.label;
      else g1 = found.label;
      position += 1 + (found?.length ?? 0);
      continue;
    }
    const end = runEnd(bytes, position, byte >= 0x80);
    if (byte >= 0x80) text += decodeRun(bytes.subarray(position, end), g1);
    else if (g0 === 'ascii') {
      const run = bytes.toString('latin1', position, end);
      text += run;
      if ([...run].some((letter) => resets.includes(letter))) g1 = firstLabel;
    } else text += decodeJapanese(bytes.subarray(position, end), g0);
    // A line or value ends in the set it began in (PS3.5 6.1.2.5.3).
    position = end;
  }
  return text;
}

function escapeAt(
  bytes: Buffer,
  at: number,
): { set: 'G0' | 'G1'; label: string; length: number } | undefined {
  for (const length of [2, 3]) {
    const found = escapes[bytes.toString('latin1', at, at + length)];
    if (found !== undefined) return { ...found, length };
  }
  return undefined;
}

function runEnd(bytes: Buffer, start: number, isHigh: boolean): number {
  let end = start;
  while (end < bytes.length && bytes[end] !== 0x1b && (bytes[end] ?? 0) >= 0x80 === isHigh) end += 1;
  return end;
}

/** Pairs of seven-bit bytes as EUC-JP, which holds both sets with the high bits set. Control characters end the pairs' set. */
function decodeJapanese(bytes: Buffer, label: string): string {
  const control = bytes.findIndex((byte) => byte < 0x21);
  const pairs = control === -1 ? bytes : bytes.subarray(0, control);
  const high = [...pairs].map((byte) => byte | 0x80);
  const euc =
    label === 'jis-x-0208'
      ? Buffer.from(high)
      : Buffer.from(high.flatMap((byte, index) => (index % 2 === 0 ? [0x8f, byte] : [byte])));
  return decodeRun(euc, 'euc-jp') + (control === -1 ? '' : bytes.toString('latin1', control));
}

const decoders = new Map<string, TextDecoder>();

function decoderOf(label: string): TextDecoder {
  let decoder = decoders.get(label);
  if (decoder === undefined) {
    decoder = new TextDecoder(label, { ignoreBOM: true });
    decoders.set(label, decoder);
  }
  return decoder;
}

function decodeRun(bytes: Buffer, label: string): string {
  switch (label) {
    case 'latin1':
      return bytes.toString('latin1');
    case 'ascii':
      return bytes.toString('latin1').replace(/[\x80-\xff]/g, '\ufffd');
    case 'katakana':
      return String.fromCharCode(
        ...[...bytes].map((byte) =>
          byte < 0x80 ? byte : byte >= 0xa1 && byte <= 0xdf ? byte + 0xfec0 : 0xfffd,
        ),
      );
    case 'unstated': {
      const text = decoderOf('utf-8').decode(bytes);
      return text.includes('\ufffd') ? bytes.toString('latin1') : text;
    }
    default:
      return decoderOf(label).decode(bytes);
  }
}

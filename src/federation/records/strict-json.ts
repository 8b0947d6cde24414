// JSON (RFC 8259) of which every reader has the same idea (RFC 7493): UTF-8 without BOM, no duplicate or `__proto__`
// member, no lone surrogate, no number that a double cannot hold. Everything else is BAD_STATEMENT (security.md E15).
import { fromUtf8 } from '#base/bytes.ts';
import { RecordError } from '#federation/records/record-error.ts';

const MAX_DEPTH = 64;
const WHITESPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERALS = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;

/** A place in a text. */
interface Cursor {
  readonly text: string;
  at: number;
}

export interface StrictJsonLimits {
  /** Longer input is refused before it is read. */
  readonly maxBytes: number;
}

/** The value of `bytes`. @throws RecordError BAD_STATEMENT. */
export function parseStrictJson(bytes: Uint8Array, { maxBytes }: StrictJsonLimits): unknown {
  if (bytes.length > maxBytes) throw refuse('length', { expected: maxBytes, found: bytes.length });
  const cursor: Cursor = { text: decode(bytes), at: 0 };
  const value = readValue(cursor, 0);
  skip(cursor, WHITESPACE);
  if (cursor.at !== cursor.text.length) throw refuse('bytes after the value');
  return value;
}

function decode(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch (cause) {
    throw new RecordError('BAD_STATEMENT', 'The JSON is not UTF-8.', { cause });
  }
}

function readValue(cursor: Cursor, depth: number): unknown {
  // A deep nest would overflow the stack of whoever walks the value.
  if (depth > MAX_DEPTH) throw refuse('depth', { expected: MAX_DEPTH });
  skip(cursor, WHITESPACE);
  switch (cursor.text[cursor.at]) {
    case '{':
      return readObject(cursor, depth);
    case '[':
      return readArray(cursor, depth);
    case '"':
      return readString(cursor);
    default:
      return readScalar(cursor);
  }
}

function readObject(cursor: Cursor, depth: number): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  readList(cursor, '}', () => {
    skip(cursor, WHITESPACE);
    if (cursor.text[cursor.at] !== '"') throw refuse('member name');
    const name = readString(cursor);
    // Of two members with one name, two readers may take different ones; `__proto__` would change the object itself.
    if (name === '__proto__' || Object.hasOwn(members, name)) throw refuse('member name twice or __proto__');
    if (!take(cursor, ':')) throw refuse('colon');
    members[name] = readValue(cursor, depth + 1);
  });
  return members;
}

function readArray(cursor: Cursor, depth: number): unknown[] {
  const items: unknown[] = [];
  readList(cursor, ']', () => items.push(readValue(cursor, depth + 1)));
  return items;
}

/** Reads from the opening bracket over comma-separated parts to the closing one. */
function readList(cursor: Cursor, end: string, readPart: () => void): void {
  cursor.at += 1;
  if (take(cursor, end)) return;
  do readPart();
  while (take(cursor, ','));
  if (!take(cursor, end)) throw refuse('end of an object or array');
}

function readString(cursor: Cursor): string {
  const { text, at: start } = cursor;
  let at = start + 1;
  while (text[at] !== '"') {
    if (at >= text.length) throw refuse('end of a string');
    at += text[at] === '\\' ? 2 : 1;
  }
  cursor.at = at + 1;
  const value = parseString(text.slice(start, cursor.at));
  // A lone surrogate has no UTF-8: it changes when the text is written again.
  if (!value.isWellFormed()) throw refuse('lone surrogate');
  return value;
}

/** Escapes and control characters as the platform's own reader judges them. */
function parseString(token: string): string {
  try {
    return String(JSON.parse(token));
  } catch {
    throw refuse('string');
  }
}

function readScalar(cursor: Cursor): number | boolean | null {
  for (const [word, value] of LITERALS) {
    if (cursor.text.startsWith(word, cursor.at)) {
      cursor.at += word.length;
      return value;
    }
  }
  const token = skip(cursor, NUMBER);
  const value = Number(token);
  if (token === '') throw refuse('value');
  // 1e999 is infinite, and 2^53 + 1 would silently become 2^53.
  const isInteger = /^-?[0-9]+$/.test(token);
  if (!Number.isFinite(value) || (isInteger && !Number.isSafeInteger(value)))
    throw refuse('number out of range');
  return value;
}

function take(cursor: Cursor, character: string): boolean {
  skip(cursor, WHITESPACE);
  if (cursor.text[cursor.at] !== character) return false;
  cursor.at += 1;
  return true;
}

/** Moves over what `pattern` (sticky) matches here and gives it. */
function skip(cursor: Cursor, pattern: RegExp): string {
  pattern.lastIndex = cursor.at;
  const token = pattern.exec(cursor.text)?.[0] ?? '';
  cursor.at += token.length;
  return token;
}

function refuse(what: string, details: Readonly<Record<string, unknown>> = {}): RecordError {
  return new RecordError('BAD_STATEMENT', `Refused as JSON: ${what}.`, { details });
}

// The bytes of an XML document as text: UTF-8, UTF-16, ISO-8859-1 or Windows-1252, by byte order mark, then by declaration
// (XML 1.0 appendix F). Strict: a byte that is no character of the encoding ends it.

export type XmlEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'iso-8859-1' | 'windows-1252';

/** No declaration is longer. */
export const declarationBytes = 1_024;

const declared = new Map<string, XmlEncoding>([
  ['utf-8', 'utf-8'],
  ['utf8', 'utf-8'],
  ['us-ascii', 'utf-8'],
  ['ascii', 'utf-8'],
  ['iso-8859-1', 'iso-8859-1'],
  ['latin1', 'iso-8859-1'],
  ['windows-1252', 'windows-1252'],
  ['cp1252', 'windows-1252'],
]);

/** The encoding that the first bytes show or state; undefined for one that is not read. */
export function encodingOf(head: Uint8Array): XmlEncoding | undefined {
  const [first, second] = head;
  if ((first === 0xff && second === 0xfe) || (first === 0x3c && second === 0)) return 'utf-16le';
  if ((first === 0xfe && second === 0xff) || (first === 0 && second === 0x3c)) return 'utf-16be';
  const start = Buffer.from(head.subarray(0, declarationBytes)).toString('latin1');
  const declaration = /^(?:\u00ef\u00bb\u00bf)?<\?xml\s[^>]*?encoding\s*=\s*["']([^"'>]*)["'][^>]*\?>/.exec(
    start,
  );
  return declaration === null ? 'utf-8' : declared.get((declaration[1] ?? '').toLowerCase());
}

/** Text of the parts in order. `decode` throws TypeError on a byte that is no character. */
export function openXmlDecoder(encoding: XmlEncoding): (bytes?: Uint8Array) => string {
  if (encoding === 'iso-8859-1') {
    // TextDecoder takes this name for windows-1252.
    return (bytes) => (bytes === undefined ? '' : Buffer.from(bytes).toString('latin1'));
  }
  const decoder = new TextDecoder(encoding, { fatal: true });
  return (bytes) => (bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true }));
}

export interface XmlRoot {
  readonly hasDoctype: boolean;
  /** Name of the outermost element as written; null when the head ends before it. */
  readonly name: string | null;
}

/** What the document begins with, or undefined for bytes that are no XML. @param head its first bytes */
export function xmlRootOf(head: Uint8Array): XmlRoot | undefined {
  const encoding = encodingOf(head);
  if (encoding === undefined) return { hasDoctype: false, name: null };
  let text: string;
  try {
    text = openXmlDecoder(encoding)(head).replace(/^\ufeff/, '');
  } catch {
    return undefined;
  }
  let at = 0;
  let isXml = false;
  for (;;) {
    while (/\s/.test(text[at] ?? '')) at += 1;
    if (text[at] !== '<') return isXml && at === text.length ? { hasDoctype: false, name: null } : undefined;
    const end = text.startsWith('<?', at) ? '?>' : text.startsWith('<!--', at) ? '-->' : undefined;
    if (end === undefined) break;
    const found = text.indexOf(end, at + 2);
    if (found === -1) return { hasDoctype: false, name: null };
    at = found + end.length;
    isXml = true;
  }
  if (text.startsWith('<!DOCTYPE', at)) return { hasDoctype: true, name: null };
  const name = /^<([\p{L}_][\p{L}\p{N}_.:-]{0,200})[\s/>]/u.exec(text.slice(at, at + 300))?.[1];
  return name === undefined ? undefined : { hasDoctype: false, name };
}

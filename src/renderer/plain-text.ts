// Text from files, plans and servers made safe to look at (security.md X3): controls are shown by name, length is bounded.

/** Characters that hide, reorder or stack text: controls, bidirectional overrides and isolates, zero width, soft hyphen, byte order mark. */
const deceptive =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: naming control characters is what this is for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|[\ud800-\udfff](?![\udc00-\udfff])/gu;

/** More combining marks than any script needs: text that climbs out of its line. */
const stackedMarks = /(\p{M}{4})\p{M}+/gu;

export interface ShownText {
  readonly text: string;
  /** Characters of the whole text where it was cut, else null. */
  readonly cutFrom: number | null;
}

/** `raw` where only text is possible, such as the options of a select. */
export function optionText(raw: string): string {
  return showText(raw, 80).text;
}

/**
 * The part of `raw` that is put on the screen: at most `limit` UTF-16 units, never ending inside a pair.
 * Stops spoofing by right-to-left override (a name that reads backwards) and layout breakage by a megabyte in one cell.
 */
export function showText(raw: string, limit: number): ShownText {
  const isCut = raw.length > limit;
  const part = isCut ? raw.slice(0, limit).replace(/[\ud800-\udbff]$/, '') : raw;
  const text = part.replace(stackedMarks, '$1').replace(deceptive, (character) => {
    const point = character.codePointAt(0) ?? 0;
    return `\u27e8U+${point.toString(16).toUpperCase().padStart(4, '0')}\u27e9`;
  });
  return { text, cutFrom: isCut ? raw.length : null };
}

// Looks over JSON text before it is parsed: whether it is whole, how deep it goes, and the resourceType at its top. Without
// recursion, so that nesting cannot exhaust the stack.

/** Deeper JSON is refused: a FHIR resource of the kinds that are read nests under twenty levels. */
export const maxJsonDepth = 64;

export type JsonShape = 'whole' | 'truncated' | 'too-deep' | 'trailing' | 'not-an-object';

export interface JsonScan {
  readonly shape: JsonShape;
  /** Value of the member `resourceType` of the outermost object, as far as the text goes. */
  readonly resourceType: string | null;
}

/** Scans one JSON object. Says nothing about validity beyond brackets and strings; `JSON.parse` does. */
export function scanJson(text: string): JsonScan {
  const scan = new Scan(text);
  return { shape: scan.run(), resourceType: scan.resourceType };
}

const typeMember = /"resourceType"\s*:\s*"([A-Za-z]{1,64})"/y;

class Scan {
  resourceType: string | null = null;
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): JsonShape {
    this.#skipSpace();
    if (this.#text[this.#at] !== '{') return 'not-an-object';
    for (; this.#at < this.#text.length; this.#at += 1) {
      const character = this.#text[this.#at];
      if (character === '"') {
        if (!this.#string()) return 'truncated';
      } else if (character === '{' || character === '[') {
        this.#depth += 1;
        if (this.#depth > maxJsonDepth) return 'too-deep';
      } else if (character === '}' || character === ']') {
        this.#depth -= 1;
        if (this.#depth === 0) return this.#rest();
      }
    }
    return 'truncated';
  }

  /** Moves to the closing quote of the string that begins here. */
  #string(): boolean {
    if (this.#depth === 1 && this.resourceType === null) {
      typeMember.lastIndex = this.#at;
      this.resourceType = typeMember.exec(this.#text)?.[1] ?? null;
    }
    for (let at = this.#at + 1; at < this.#text.length; at += 1) {
      if (this.#text[at] === '\\') at += 1;
      else if (this.#text[at] === '"') {
        this.#at = at;
        return true;
      }
    }
    return false;
  }

  #rest(): JsonShape {
    this.#at += 1;
    this.#skipSpace();
    return this.#at === this.#text.length ? 'whole' : 'trailing';
  }

  #skipSpace(): void {
    while (/[ \t\r\n\ufeff]/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }
}

/** Whether JSON has enough brackets to nest deeper than `maxJsonDepth`: most lines have not, and need no look at each byte. */
export function mayBeTooDeep(text: string): boolean {
  let count = 0;
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      count += 1;
      if (count > maxJsonDepth) return true;
    }
  }
  return false;
}

/** Whether JSON nests deeper than `maxJsonDepth`, from its UTF-8 bytes, before it is parsed. */
export function isTooDeep(bytes: Uint8Array): boolean {
  const { length } = bytes;
  let depth = 0;
  for (let at = 0; at < length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === 0x22) at = stringEnd(bytes, at);
    // `[` and `{`, `]` and `}` differ in one bit.
    else if ((byte | 0x20) === 0x7b) {
      depth += 1;
      if (depth > maxJsonDepth) return true;
    } else if ((byte | 0x20) === 0x7d) depth -= 1;
  }
  return false;
}

/** Where the string that begins at `start` ends. */
function stringEnd(bytes: Uint8Array, start: number): number {
  const { length } = bytes;
  for (let at = start + 1; at < length; at += 1) {
    const byte = bytes[at];
    if (byte === 0x22) return at;
    if (byte === 0x5c) at += 1;
  }
  return length;
}

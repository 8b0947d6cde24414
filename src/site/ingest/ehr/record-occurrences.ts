// Keeps apart records that a source gives one name: two results of one id in a document, two observations of one order in a message.
// The same content under the same name is one record that stands twice.
import { toBase64, utf8 } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';

export class RecordOccurrences {
  /** By digests: names and contents of a large document would fill the memory. */
  readonly #first = new Map<string, string>();
  readonly #further = new Map<string, Map<string, number>>();

  /** 0 for the first content of this name, and each time it comes again; then 1, 2... */
  numberOf(name: string, content: string): number {
    const [key, said] = [digestOf(name), digestOf(content)];
    const first = this.#first.get(key);
    if (first === undefined) this.#first.set(key, said);
    if (first === undefined || first === said) return 0;
    const further = this.#further.get(key) ?? new Map<string, number>();
    this.#further.set(key, further);
    const known = further.get(said) ?? further.size + 1;
    further.set(said, known);
    return known;
  }
}

function digestOf(text: string): string {
  return toBase64(sha256(utf8(text)).subarray(0, 15));
}

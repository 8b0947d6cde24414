// How a record is found again: 48 bits that are indexed and 53 that are compared, both from an HMAC of its name at the source under the
// linkage key, so that the store cannot be searched for an identifier. 101 bits do not meet by chance among billions of records.
import { KeyedDigest, sha256 } from '#federation/crypto/digest.ts';
import { expandSeed } from '#federation/crypto/keystream.ts';
import type { RecordIdentity } from './clinical-record.ts';

/**
 * Names that end in a number are digested by neighbourhoods of so many: the HMAC of the neighbourhood seeds a stream, the number's
 * place in it is its digest. Neighbours share the upper half of the key, so they lie together in the index, and a transaction
 * dirties a few of its pages where random keys would dirty them all.
 */
const neighbours = 4_096;
const placeBytes = 16;
const rememberedNeighbourhoods = 16;
const number = /^\d{1,15}$/;

export class RecordDigests {
  /** Of the last name digested; negative where it does not end in a number. */
  key = 0;
  check = 0;
  readonly #digest: KeyedDigest;
  /** Of one name at a time. */
  readonly #mac = Buffer.alloc(32);
  readonly #neighbourhoods = new Map<string, Buffer>();
  #prefix: { readonly parts: readonly string[]; readonly text: string } = { parts: [], text: '' };
  #last: { readonly prefix: string; readonly index: number; readonly stream: Buffer } = {
    prefix: '',
    index: -1,
    stream: Buffer.alloc(0),
  };

  constructor(linkageKey: Uint8Array) {
    this.#digest = new KeyedDigest(linkageKey);
  }

  /** Sets `key` and `check`. The part of the digest that is not stored keys what a scope is digested with. */
  set({ name, scope }: RecordIdentity): void {
    const last = name.at(-1) ?? '';
    const whole = number.test(last) ? this.#setByNumber(name, Number(last)) : this.#setByName(name);
    if (scope === null) return;
    const scoped = sha256(Buffer.concat([whole, Buffer.from(scope, 'utf8')]));
    this.check = checkOf(Buffer.from(scoped.buffer), 0);
  }

  #setByName(name: readonly string[]): Buffer {
    const bytes = this.#mac;
    this.#digest.write(`record ${JSON.stringify(name)}`, bytes);
    this.key = -1 - bytes.readUIntBE(0, 6);
    this.check = checkOf(bytes, 6);
    return bytes;
  }

  #setByNumber(name: readonly string[], lastNumber: number): Buffer {
    const stream = this.#neighbourhood(this.#prefixOf(name), Math.floor(lastNumber / neighbours));
    const at = ((lastNumber % neighbours) + 1) * placeBytes;
    this.key = stream.readUIntBE(0, 3) * 0x1000000 + stream.readUIntBE(at, 3);
    this.check = checkOf(stream, at + 3);
    return stream.subarray(at, at + placeBytes);
  }

  /** The name without its last part, as one text. Rows of a table all have the same. */
  #prefixOf(name: readonly string[]): string {
    const parts = this.#prefix.parts;
    const isSame = parts.length === name.length - 1 && parts.every((part, index) => part === name[index]);
    if (!isSame) this.#prefix = { parts: name.slice(0, -1), text: JSON.stringify(name.slice(0, -1)) };
    return this.#prefix.text;
  }

  /** A place for the neighbourhood itself, then one for each number. */
  #neighbourhood(prefix: string, index: number): Buffer {
    if (this.#last.prefix === prefix && this.#last.index === index) return this.#last.stream;
    const name = `near ${prefix} ${index}`;
    const stream = this.#findStream(name);
    this.#last = { prefix, index, stream };
    return stream;
  }

  #findStream(name: string): Buffer {
    const known = this.#neighbourhoods.get(name);
    if (known !== undefined) return known;
    if (this.#neighbourhoods.size >= rememberedNeighbourhoods) this.#neighbourhoods.clear();
    const bytes = expandSeed(this.#digest.of(name), (neighbours + 1) * placeBytes);
    const stream = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#neighbourhoods.set(name, stream);
    return stream;
  }
}

/** 53 bits. */
function checkOf(bytes: Buffer, at: number): number {
  return (bytes.readUInt32BE(at) & 0x1fffff) * 0x100000000 + bytes.readUInt32BE(at + 4);
}

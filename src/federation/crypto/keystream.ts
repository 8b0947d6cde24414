// A deterministic stream of numbers from a 32-byte seed: AES-256-CTR (NIST SP 800-38A) over zeros, counter from 0.
// The same seed gives the same weights and batch orders on every machine; without the seed nothing can be foretold.
import { createCipheriv } from 'node:crypto';
import { BugError } from '#base/coded-error.ts';

const BUFFER_BYTES = 4096;
const DOUBLES_AT_ONCE = 8_192;
const TWO_POW_32 = 2 ** 32;

/** The first bytes of a seed's stream: one call gives the digests of thousands of neighbours. @param seed 32 bytes */
export function expandSeed(seed: Uint8Array, byteCount: number): Uint8Array {
  if (seed.length !== 32) throw new BugError('a keystream seed has 32 bytes');
  return createCipheriv('aes-256-ctr', seed, new Uint8Array(16)).update(new Uint8Array(byteCount));
}

export interface Keystream {
  /** The next four bytes, little-endian. */
  nextUint32(): number;
  /** An integer in [0, bound), unbiased: draws from the incomplete last interval are thrown away. */
  nextBelow(bound: number): number;
  /** A multiple of 2^-53 in [0, 1): the upper 27 bits of one draw, then the upper 26 bits of the next. */
  nextDouble(): number;
  /** The next doubles, as many as fit: the same that so many calls of nextDouble give, in a quarter of the time. */
  fillDoubles(target: Float64Array): void;
  /** Fisher-Yates in place, from the last position down; each position swaps with nextBelow(position + 1). */
  shuffle(values: Uint32Array): void;
}

export function createKeystream(seed: Uint8Array): Keystream {
  if (seed.length !== 32) throw new BugError('a keystream seed has 32 bytes');
  const cipher = createCipheriv('aes-256-ctr', seed, new Uint8Array(16));
  const zeros = new Uint8Array(BUFFER_BYTES);
  let block = new DataView(new ArrayBuffer(0));
  let at = BUFFER_BYTES;

  function nextUint32(): number {
    if (at === BUFFER_BYTES) {
      const bytes = cipher.update(zeros);
      block = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      at = 0;
    }
    at += 4;
    return block.getUint32(at - 4, true);
  }

  function nextBelow(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > TWO_POW_32)
      throw new BugError('bound is not in [1, 2^32]');
    const end = TWO_POW_32 - (TWO_POW_32 % bound);
    let draw = nextUint32();
    while (draw >= end) draw = nextUint32();
    return draw % bound;
  }

  function nextDouble(): number {
    const upper = nextUint32() >>> 5;
    const lower = nextUint32() >>> 6;
    return (upper * 2 ** 26 + lower) / 2 ** 53;
  }

  function fillDoubles(target: Float64Array): void {
    let done = 0;
    while (done < target.length && at < BUFFER_BYTES) {
      target[done] = nextDouble();
      done += 1;
    }
    while (done < target.length) {
      const count = Math.min(target.length - done, DOUBLES_AT_ONCE);
      const bytes = cipher.update(new Uint8Array(8 * count));
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let index = 0; index < count; index += 1) {
        const upper = view.getUint32(8 * index, true) >>> 5;
        const lower = view.getUint32(8 * index + 4, true) >>> 6;
        target[done + index] = (upper * 2 ** 26 + lower) * 2 ** -53;
      }
      done += count;
    }
  }

  function shuffle(values: Uint32Array): void {
    for (let position = values.length - 1; position > 0; position -= 1) {
      const other = nextBelow(position + 1);
      const value = values[position] ?? 0;
      values[position] = values[other] ?? 0;
      values[other] = value;
    }
  }

  return { nextUint32, nextBelow, nextDouble, fillDoubles, shuffle };
}

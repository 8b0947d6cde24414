import { describe, expect, it } from 'vitest';
import { utf8 } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { RowDigests } from './row-digests.ts';

const digest = (name: string): Buffer => Buffer.from(sha256(utf8(name)));
const keyOf = (low: number, high: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(low, 0);
  bytes.writeUInt32LE(high, 4);
  return bytes;
};

describe('the digests of rows', () => {
  it('give back what was remembered of each of 100,000, and nothing of others', () => {
    const rows = new RowDigests();
    for (let index = 0; index < 100_000; index += 1) rows.set(digest(`row ${index}`), index + 1);
    for (let index = 0; index < 100_000; index += 7) expect(rows.get(digest(`row ${index}`))).toBe(index + 1);
    for (let index = 0; index < 1_000; index += 1) expect(rows.get(digest(`other ${index}`))).toBe(0);
  });

  it('take the last word, and tell keys apart that begin alike or end at the edge', () => {
    const rows = new RowDigests();
    const keys = [0, 1, 2].flatMap((high) => [0, 0xffff_ffff, 1_023].map((low) => keyOf(low, high)));
    for (const [index, key] of keys.entries()) rows.set(key, index + 1);
    rows.set(keyOf(0, 0), 0xffff_ffff);
    expect(keys.map((key) => rows.get(key))).toEqual([0xffff_ffff, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

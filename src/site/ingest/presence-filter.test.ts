import { expect, it } from 'vitest';
import { sha256 } from '#federation/crypto/digest.ts';
import { PresenceFilter } from './presence-filter.ts';

function keyOf(index: number): number {
  return -1 - Buffer.from(sha256(Buffer.from(`key ${index}`))).readUIntBE(0, 6);
}

it.each([
  ['within its first size', 20, 100_000],
  ['after it grew three times', 12, 100_000],
])('never denies a key that it has, and passes few others, %s', (_state, sizeLog2, keyCount) => {
  const filter = new PresenceFilter(sizeLog2);
  for (let index = 0; index < keyCount; index += 1) filter.add(keyOf(index));
  let passed = 0;
  for (let index = 0; index < keyCount; index += 1) {
    if (!filter.mayHave(keyOf(index))) throw new Error(`key ${index} is denied`);
    if (filter.mayHave(keyOf(keyCount + index))) passed += 1;
  }
  // 0.8 % for each size by Bloom's formula.
  expect(passed / keyCount).toBeLessThan(0.05);
});

it('takes a key that comes again for the one that it has', () => {
  const filter = new PresenceFilter(12);
  for (let time = 0; time < 10_000; time += 1) filter.add(keyOf(1));
  const others = Array.from({ length: 1_000 }, (_, index) => keyOf(index + 2));
  expect(others.filter((key) => filter.mayHave(key))).toEqual([]);
});

it('denies every key while it is empty', () => {
  const filter = new PresenceFilter(20);
  for (const key of [-1, -(2 ** 48), keyOf(1)]) expect(filter.mayHave(key)).toBe(false);
});

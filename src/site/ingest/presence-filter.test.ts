import { expect, it } from 'vitest';
import { sha256 } from '#federation/crypto/digest.ts';
import { PresenceFilter } from './presence-filter.ts';

function keyOf(index: number): number {
  return -1 - Buffer.from(sha256(Buffer.from(`key ${index}`))).readUIntBE(0, 6);
}

it.each([16, 20])(
  'never denies a key that it has, and up to its capacity passes few others (2^%i bits)',
  (sizeLog2) => {
    const filter = new PresenceFilter(sizeLog2);
    for (let index = 0; index < filter.capacity; index += 1) filter.add(keyOf(index));
    let passed = 0;
    for (let index = 0; index < filter.capacity; index += 1) {
      expect(filter.mayHave(keyOf(index))).toBe(true);
      if (filter.mayHave(keyOf(filter.capacity + index))) passed += 1;
    }
    // 0.8 % by Bloom's formula.
    expect(passed / filter.capacity).toBeLessThan(0.02);
  },
);

it('denies every key while it is empty', () => {
  const filter = new PresenceFilter(20);
  for (const key of [-1, -(2 ** 48), keyOf(1)]) expect(filter.mayHave(key)).toBe(false);
});

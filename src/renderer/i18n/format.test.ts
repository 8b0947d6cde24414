import { describe, expect, it } from 'vitest';
import { createFormat } from './format.ts';

const plain = (text: string): string => text.replaceAll(/\s/g, ' ');

describe('a size', () => {
  it.each([
    [0, '0 bytes', '0 Byte'],
    [999, '999 bytes', '999 Byte'],
    [137_216, '137 kB', '137 kB'],
    [2_540_000, '2.5 MB', '2,5 MB'],
    [412_000_000, '412 MB', '412 MB'],
    [5_300_000_000_000_000, '5,300 TB', '5.300 TB'],
  ])('of %i bytes is told in the unit that suits it', (count, english, german) => {
    expect(plain(createFormat('en').bytes(count))).toBe(english);
    expect(plain(createFormat('de').bytes(count))).toBe(german);
  });
});

describe('a time to wait', () => {
  it.each([
    [200, '1 second', '1 Sekunde'],
    [7_400, '7 seconds', '7 Sekunden'],
    [43_000, '45 seconds', '45 Sekunden'],
    [185_000, '3 minutes', '3 Minuten'],
    [7_500_000, '2 hours 5 minutes', '2 Stunden 5 Minuten'],
    [7_200_000, '2 hours', '2 Stunden'],
  ])('of %i ms is told as a person would', (milliseconds, english, german) => {
    expect(plain(createFormat('en').duration(milliseconds))).toBe(english);
    expect(plain(createFormat('de').duration(milliseconds))).toBe(german);
  });
});

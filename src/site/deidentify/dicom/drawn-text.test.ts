import { describe, expect, it } from 'vitest';
import { fastRandom, noisySlice, plantText } from '#support/drawn-text.ts';
import { hasDrawnText } from './drawn-text.ts';

const rows = 256;
const columns = 256;

describe('the check for drawn text (D5)', () => {
  it('finds at least 95 of 100 planted texts of any size, place and readable shade', () => {
    const found: boolean[] = [];
    for (let seed = 1; found.length < 200; seed += 1) {
      const samples = noisySlice(seed);
      if (plantText({ samples, rows, columns }, fastRandom(seed * 7919)))
        found.push(hasDrawnText({ samples, rows, columns }));
    }
    expect(found.filter((each) => each).length / found.length).toBeGreaterThanOrEqual(0.95);
  });

  it('finds it in signed and in 8-bit samples too', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const samples = noisySlice(seed);
      if (!plantText({ samples, rows, columns }, fastRandom(seed))) continue;
      const signed = Int16Array.from(samples, (value) => value - 1024);
      expect(hasDrawnText({ samples: signed, rows, columns })).toBe(hasDrawnText({ samples, rows, columns }));
    }
    const bytes = Uint8Array.from(noisySlice(3), (value) => value / 5);
    plantText({ samples: bytes, rows, columns }, fastRandom(5));
    expect(hasDrawnText({ samples: bytes, rows, columns })).toBe(true);
  });

  it('takes no noise for text', () => {
    const seeds = Array.from({ length: 100 }, (_, index) => index + 1);
    expect(seeds.filter((seed) => hasDrawnText({ samples: noisySlice(seed), rows, columns }))).toEqual([]);
  });

  it.each([
    ['an empty plane', new Uint16Array(0), 0],
    ['a plane of one value', new Uint16Array(100 * 100).fill(3), 100],
    ['fewer samples than rows and columns', new Uint16Array(50), 100],
  ])('takes %s for no text', (_, samples, side) => {
    expect(hasDrawnText({ samples, rows: side, columns: side })).toBe(false);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SUPPRESSION_LIMIT, suppressCells } from './suppression.ts';

describe('suppressed counts', () => {
  it.each([
    ['large counts stay', [10, 5, 0], [10, 5, 0]],
    ['a single small one takes the next larger one with it', [100, 3, 20], [100, null, null]],
    ['two small ones protect each other', [100, 3, 2], [100, null, null]],
    ['two ones would follow from their sum', [100, 1, 1], [null, null, null]],
    ['two fours would follow from their sum', [100, 4, 4, 30], [100, null, null, null]],
    [
      'of two equal ones none is shown, or it would be the bound of the other',
      [100, 100, 4],
      [null, null, null],
    ],
    ['zeros hide a count that stands alone', [3, 0, 0], [null, null, null]],
  ])('%s', (_, counts, expected) => {
    expect(suppressCells(counts)).toEqual(expected);
  });

  it('no withheld count follows from what is shown, from the sum, and from one of them being small', () => {
    const cell = fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 60 }));
    fc.assert(
      fc.property(fc.array(cell, { minLength: 2, maxLength: 5 }), (counts) => {
        const shown = suppressCells(counts);
        for (const [index, count] of counts.entries()) {
          if (count > 0 && count < SUPPRESSION_LIMIT) expect(shown[index]).toBeNull();
          // Another table that looks the same and holds another number here.
          if (shown[index] === null) expect(lookAlikes(counts, shown, index)).not.toEqual([]);
        }
      }),
      { seed: 12, numRuns: 2000 },
    );
  });
});

describe('a reader who knows the rule itself', () => {
  it.each([2, 3, 4])('cannot tell a withheld small count of %i cells', (cellCount) => {
    // Every table of small numbers, by what is shown of it and its sum: a withheld count is open if the tables disagree on it.
    const most = cellCount === 4 ? 16 : 20;
    const looks = new Map<string, (readonly number[])[]>();
    for (const counts of tables(cellCount, most)) {
      const key = JSON.stringify([suppressCells(counts), sumOf(counts)]);
      looks.set(key, [...(looks.get(key) ?? []), counts]);
    }
    const told: (readonly number[])[] = [];
    for (const alike of looks.values()) {
      const [counts] = alike;
      // Near the edge of what is enumerated the look-alikes with a larger number are lacking.
      if (counts === undefined || Math.max(...counts) > most / 2) continue;
      for (const [cell, count] of counts.entries()) {
        const isSmall = count > 0 && count < SUPPRESSION_LIMIT;
        if (isSmall && alike.every((other) => other[cell] === count)) told.push(counts);
      }
    }
    expect(told).toEqual([]);
  });
});

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

function tables(cellCount: number, most: number): number[][] {
  if (cellCount === 0) return [[]];
  const shorter = tables(cellCount - 1, most);
  return Array.from({ length: most + 1 }, (_, count) => shorter.map((rest) => [count, ...rest])).flat();
}

/** Ways in which the withheld counts, with the sum they have, could be others: another number in one cell, some of them small. */
function lookAlikes(counts: readonly number[], shown: readonly (number | null)[], cell: number): number[][] {
  const withheld = [cell, ...[...counts.keys()].filter((index) => shown[index] === null && index !== cell)];
  const total = withheld.reduce((sum, index) => sum + (counts[index] ?? 0), 0);
  const least = shown.includes(0) ? 1 : 0;
  return splits(total, withheld.length).filter(
    (values) =>
      values[0] !== counts[cell] &&
      values.every((value) => value >= least) &&
      values.some((value) => value > 0 && value < SUPPRESSION_LIMIT),
  );
}

/** Ways to share a total among cells; all but the last get at most 8. */
function splits(total: number, cellCount: number): number[][] {
  if (cellCount <= 1) return [[total]];
  const ways: number[][] = [];
  for (let first = 0; first <= Math.min(total, 8); first += 1) {
    for (const rest of splits(total - first, cellCount - 1)) ways.push([first, ...rest]);
  }
  return ways;
}

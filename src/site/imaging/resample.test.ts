import { describe, expect, it } from 'vitest';
import { nearestPixels, type PixelSize, Resampler } from './resample.ts';

function resampled(image: readonly number[], from: PixelSize, to: PixelSize, divisor = 1): number[] {
  const target = new Float32Array(to.rows * to.columns).fill(Number.NaN);
  new Resampler(from, to).resample(Float32Array.from(image), divisor, target);
  return [...target];
}

const row = (columns: number): PixelSize => ({ rows: 1, columns });
const column = (rows: number): PixelSize => ({ rows, columns: 1 });

/** Worked out by hand. */
const lines: readonly [string, readonly number[], readonly number[]][] = [
  ['the same', [3, 1, 4], [3, 1, 4]],
  // Centres at -0.25, 0.25, 0.75, 1.25: the outer ones lie beyond the outer pixels.
  ['twice as many', [0, 8], [0, 2, 6, 8]],
  ['three times as many', [0, 9], [0, 0, 3, 6, 9, 9]],
  // Centres at 0 - 1/6, 1/2, 1 + 1/6 of the two.
  ['half as many again', [2, 6], [2, 4, 6]],
  ['half as many: means of two', [1, 3, 10, 20], [2, 15]],
  ['a third as many', [1, 2, 6, 0, 0, 3], [3, 1]],
  // Each covers 1.5: 1 + 2/2 and 2/2 + 4 over 1.5.
  ['two of three', [1, 2, 4], [(1 + 1) / 1.5, (1 + 4) / 1.5]],
  ['one of all', [1, 2, 3, 6], [3]],
];

describe('resampling', () => {
  it.each(lines)('gives %s along a row', (_, image, expected) => {
    const found = resampled(image, row(image.length), row(expected.length));
    for (const [at, value] of expected.entries()) expect(found[at]).toBeCloseTo(value, 6);
  });

  it.each(lines)('gives %s along a column', (_, image, expected) => {
    const found = resampled(image, column(image.length), column(expected.length));
    for (const [at, value] of expected.entries()) expect(found[at]).toBeCloseTo(value, 6);
  });

  it('takes each axis by itself', () => {
    // Rows halved, columns doubled.
    const image = [0, 8, 4, 4, 2, 2, 2, 10];
    expect(resampled(image, { rows: 4, columns: 2 }, { rows: 2, columns: 4 })).toEqual([
      ...[2, 3, 5, 6],
      ...[2, 3, 5, 6],
    ]);
  });

  it('means blocks of two by two where both are halved', () => {
    const image = [1, 3, 5, 7, 1, 3, 5, 7, 0, 0, 2, 2, 4, 4, 6, 6];
    expect(resampled(image, { rows: 4, columns: 4 }, { rows: 2, columns: 2 })).toEqual([2, 6, 2, 4]);
  });

  it('keeps what is even as it is, whatever the sizes', () => {
    for (const [from, to] of [
      [5, 3],
      [7, 16],
      [100, 33],
      [8, 8],
    ] as const)
      for (const value of resampled(new Array(from * from).fill(11), square(from), square(to)))
        expect(value).toBeCloseTo(11, 5);
  });

  it('turns with the image', () => {
    const image = [1, 5, 2, 9, 4, 4, 0, 7];
    const turned = resampled(image.toReversed(), row(8), row(5));
    for (const [at, value] of resampled(image, row(8), row(5)).toReversed().entries())
      expect(turned[at]).toBeCloseTo(value, 6);
  });

  it('divides before it rounds, once', () => {
    const [found] = resampled([1, 2], row(2), row(1), 3);
    expect(found).toBe(Math.fround(1.5 / 3));
    expect(resampled([10], row(1), row(1), 3)).toEqual([Math.fround(10 / 3)]);
  });
});

function square(size: number): PixelSize {
  return { rows: size, columns: size };
}

describe('the nearest pixels', () => {
  it.each<[number, number, readonly number[]]>([
    [4, 4, [0, 1, 2, 3]],
    [2, 4, [0, 0, 1, 1]],
    [4, 2, [1, 3]],
    [3, 2, [0, 2]],
    [6, 2, [1, 4]],
    [1, 3, [0, 0, 0]],
    [5, 3, [0, 2, 4]],
  ])('of %d in %d are where the centres lie', (from, to, expected) => {
    expect([...nearestPixels(from, to)]).toEqual(expected);
  });
});

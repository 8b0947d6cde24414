import { describe, expect, it } from 'vitest';
import { createKeystream } from '#federation/crypto/keystream.ts';
import { augmentImage, augmentMask, drawAugmentation, type Image, unchanged } from './augment-image.ts';

const pixels = (rows: number, columns: number, values: number[], channels = 1): Image => ({
  rows,
  columns,
  channels,
  values: Float32Array.from(values),
});
const square = pixels(3, 3, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
const both = (changes: object, image = square) =>
  [augmentImage, augmentMask].map((augment) => [...augment(image, { ...unchanged, ...changes }).values]);
const seeded = (byte: number) => createKeystream(new Uint8Array(32).fill(byte));
const limits = { flips: true, maxAngleDegrees: 20, maxScaleChange: 0.1, maxGainChange: 0.2, maxOffset: 0.05 };

describe('an image and its mask', () => {
  it.each<[string, object, number[]]>([
    ['stay as they are', {}, [1, 2, 3, 4, 5, 6, 7, 8, 9]],
    ['are flipped upside down', { flipRows: true }, [7, 8, 9, 4, 5, 6, 1, 2, 3]],
    ['are flipped left to right', { flipColumns: true }, [3, 2, 1, 6, 5, 4, 9, 8, 7]],
    ['are flipped both ways', { flipRows: true, flipColumns: true }, [9, 8, 7, 6, 5, 4, 3, 2, 1]],
    ['are turned a quarter counter-clockwise', { angleDegrees: 90 }, [3, 6, 9, 2, 5, 8, 1, 4, 7]],
    ['are turned a quarter clockwise', { angleDegrees: -90 }, [7, 4, 1, 8, 5, 2, 9, 6, 3]],
    ['are turned by half', { angleDegrees: 180 }, [9, 8, 7, 6, 5, 4, 3, 2, 1]],
    ['are turned around', { angleDegrees: 360 }, [1, 2, 3, 4, 5, 6, 7, 8, 9]],
  ])('%s, exactly', (_, changes, expected) => {
    expect(both(changes)).toEqual([expected, expected]);
  });

  it('are flipped by themselves where height, width and channels differ', () => {
    const wide = pixels(1, 3, [1, 10, 2, 20, 3, 30], 2);
    expect(both({ flipColumns: true }, wide)).toEqual([
      [3, 30, 2, 20, 1, 10],
      [3, 30, 2, 20, 1, 10],
    ]);
  });

  it('part where a pixel falls between: the image in shares, the mask as the nearest', () => {
    // Twice as large: the rows of the result come from -0.25, 0.25, 0.75 and 1.25 below the first of two.
    const [image, mask] = both({ scale: 2 }, pixels(4, 1, [0, 0, 1, 1]));
    expect(image).toEqual([0, 0.25, 0.75, 1].map((value) => expect.closeTo(value, 6)));
    expect(mask).toEqual([0, 0, 1, 1]);
  });

  it('show the edge of the image and an empty mask where they reach outside', () => {
    const [image, mask] = both({ scale: 0.5 }, pixels(1, 4, [1, 1, 1, 1]));
    expect(image).toEqual([1, 1, 1, 1]);
    expect(mask).toEqual([0, 1, 1, 0]);
  });

  it('differ in brightness alone in the image', () => {
    expect(both({ gain: 2, offset: 1 })).toEqual([
      [3, 5, 7, 9, 11, 13, 15, 17, 19],
      [1, 2, 3, 4, 5, 6, 7, 8, 9],
    ]);
  });
});

describe('an augmentation that is drawn', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(drawAugmentation(limits, seeded(1))).toEqual(drawAugmentation(limits, seeded(1)));
    expect(drawAugmentation(limits, seeded(2))).not.toEqual(drawAugmentation(limits, seeded(1)));
  });

  it('keeps to its limits, flips half of the time, and takes as many numbers whatever they are', () => {
    const keystream = seeded(3);
    const drawn = Array.from({ length: 1000 }, () => drawAugmentation(limits, keystream));
    for (const { angleDegrees, scale, gain, offset } of drawn) {
      expect(Math.abs(angleDegrees)).toBeLessThanOrEqual(20);
      expect(Math.abs(scale - 1)).toBeLessThanOrEqual(0.1 + 1e-12);
      expect(Math.abs(gain - 1)).toBeLessThanOrEqual(0.2 + 1e-12);
      expect(Math.abs(offset)).toBeLessThanOrEqual(0.05);
    }
    const flipped = drawn.filter(({ flipRows }) => flipRows).length;
    expect(Math.abs(flipped - 500)).toBeLessThan(5 * Math.sqrt(250)); // five standard errors
    const still = seeded(3);
    expect(drawAugmentation({ ...limits, flips: false }, still)).toMatchObject({
      flipRows: false,
      flipColumns: false,
    });
    expect(drawAugmentation(limits, still)).toEqual(drawn[1]);
  });
});

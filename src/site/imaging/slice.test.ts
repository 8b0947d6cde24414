import { describe, expect, it } from 'vitest';
import { orderSlices, type Slice } from './slice.ts';

const axial = [1, 0, 0, 0, 1, 0];
const sagittal = [0, 1, 0, 0, 0, -1];

function slice(sopInstanceUid: string, changes: Partial<Slice> = {}): Slice {
  return {
    sopInstanceNo: 1,
    sopInstanceUid,
    instanceNumber: null,
    frame: 0,
    frameCount: 1,
    rows: 4,
    columns: 4,
    position: null,
    orientation: axial,
    ...changes,
  };
}

const at = (z: number): Pick<Slice, 'position'> => ({ position: [0, 0, z] });

describe('slices of a series', () => {
  it.each<[string, readonly Slice[], readonly string[]]>([
    ['along the normal', [slice('a', at(10)), slice('b', at(-5)), slice('c', at(2))], ['b', 'c', 'a']],
    [
      // Row and column of a sagittal image make a normal that points to the patient's right: x falls.
      'along the normal of their own orientation',
      [
        slice('a', { orientation: sagittal, position: [-1, 5, 5] }),
        slice('b', { orientation: sagittal, position: [3, 0, 9] }),
      ],
      ['b', 'a'],
    ],
    [
      'by instance number in one place, without one last',
      [
        slice('a', at(1)),
        slice('b', { ...at(1), instanceNumber: 9 }),
        slice('c', { ...at(1), instanceNumber: 2 }),
      ],
      ['c', 'b', 'a'],
    ],
    [
      'by UID where nothing else tells them apart',
      [slice('1.10', at(1)), slice('1.1', at(1))],
      ['1.1', '1.10'],
    ],
    [
      'behind all others without a place, whatever their number',
      [slice('a', { instanceNumber: 1 }), slice('b', { ...at(99), instanceNumber: 50 })],
      ['b', 'a'],
    ],
    [
      'behind all others without an orientation',
      [slice('a', { ...at(-50), orientation: null, instanceNumber: 1 }), slice('b', at(99))],
      ['b', 'a'],
    ],
  ])('lie %s, however they came', (_, slices, expected) => {
    const uids = (some: readonly Slice[]) => orderSlices(some).map(({ sopInstanceUid }) => sopInstanceUid);
    expect(uids(slices)).toEqual(expected);
    expect(uids(slices.toReversed())).toEqual(expected);
  });

  it('of one image follow each other frame by frame', () => {
    const frames = [2, 0, 1].map((frame) => slice('a', { frame, frameCount: 3 }));
    expect(orderSlices(frames).map(({ frame }) => frame)).toEqual([0, 1, 2]);
  });
});

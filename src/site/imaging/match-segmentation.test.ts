import { describe, expect, it } from 'vitest';
import { dataSet, element, writeDicom } from '#support/dicom-object.ts';
import {
  type DrawnSegmentation,
  type DrawnFrame as FileFrame,
  segmentationFile,
} from '#support/segmentation-file.ts';
import { matchSegmentation, type PlacedSlice } from './match-segmentation.ts';
import { openSegmentationBytes } from './read-masks.ts';

const axial = [1, 0, 0, 0, 1, 0];
const pixels = [0, 1, 0, 0, 1, 1];

/** Three slices of 2 x 3 pixels, 5 mm apart. */
const slices = ['1.1', '1.2', '1.3'].map(
  (sopInstanceUid, at): PlacedSlice => ({
    sopInstanceUid,
    frame: 0,
    frameCount: 1,
    rows: 2,
    columns: 3,
    position: [0, 0, 5 * at],
    orientation: axial,
  }),
);

function drawn(drawing: Partial<DrawnSegmentation>, on: readonly PlacedSlice[] = slices): string {
  const file = segmentationFile({ rows: 2, columns: 3, frames: [], ...drawing });
  const found = matchSegmentation(openSegmentationBytes(writeDicom(file, 'explicit')), on);
  return found === undefined
    ? 'does not fit'
    : found.map(({ slice, frame }) => `${frame}>${slice}`).join(' ');
}

const placed = (z: number, changes: Partial<FileFrame> = {}): FileFrame => ({
  position: [0, 0, z],
  orientation: axial,
  pixels,
  ...changes,
});

describe('the slices of a segmentation’s frames', () => {
  it.each<[string, Partial<DrawnSegmentation>, string]>([
    [
      'are those that they name',
      {
        frames: [
          { sources: ['1.1'], pixels },
          { sources: ['1.3'], pixels },
        ],
      },
      '0>0 1>2',
    ],
    [
      'may come in any order',
      { frames: ['1.3', '1.1', '1.2'].map((uid) => ({ sources: [uid], pixels })) },
      '0>2 1>0 2>1',
    ],
    [
      'may have frames of several segments',
      {
        segments: [1, 2],
        frames: [
          { segment: 1, sources: ['1.2'], pixels },
          { segment: 2, sources: ['1.2'], pixels },
        ],
      },
      '0>1 1>1',
    ],
    ['may be several for one frame', { frames: [{ sources: ['1.1', '1.2'], pixels }] }, '0>0 0>1'],
    ['are those that lie where frames name none', { frames: [placed(10), placed(0)] }, '0>2 1>0'],
    ['are none where another series is named', { frames: [{ sources: ['9.9'], pixels }] }, ''],
    ['are none where nothing lies', { frames: [placed(7)] }, ''],
    ['are none where neither a name nor a place is stated', { frames: [{ pixels }] }, ''],
    ['may be named and placed', { frames: [placed(5, { sources: ['1.2'] })] }, '0>1'],
    [
      'are refused in another place than named',
      { frames: [placed(6, { sources: ['1.2'] })] },
      'does not fit',
    ],
    [
      'are refused in another orientation than named',
      { frames: [placed(5, { sources: ['1.2'], orientation: [0, 1, 0, 0, 0, 1] })] },
      'does not fit',
    ],
    [
      'are refused in another number of rows',
      { rows: 3, columns: 2, frames: [{ sources: ['1.1'], pixels }] },
      'does not fit',
    ],
    [
      'are refused in another size, however they were found',
      { rows: 4, columns: 6, frames: [placed(0, { pixels: new Array(24).fill(1) })] },
      'does not fit',
    ],
  ])('%s', (_, drawing, expected) => {
    expect(drawn(drawing)).toBe(expected);
  });

  it('are not held against what slices do not say of themselves', () => {
    const placeless = slices.map((slice) => ({ ...slice, position: null, orientation: null }));
    expect(drawn({ frames: [placed(6, { sources: ['1.2'] })] }, placeless)).toBe('0>1');
    expect(drawn({ frames: [placed(5)] }, placeless)).toBe('');
  });

  describe('of an image of many frames', () => {
    const frames = slices.map((slice, frame) => ({ ...slice, sopInstanceUid: '1.1', frame, frameCount: 3 }));

    it('are named by number', () => {
      expect(drawn({ frames: [{ sources: [['1.1', 3]], pixels }] }, frames)).toBe('0>2');
      expect(drawn({ frames: [{ sources: [['1.1', 4]], pixels }] }, frames)).toBe('');
    });

    it('are found by place where no number is stated', () => {
      expect(drawn({ frames: [placed(5, { sources: ['1.1'] })] }, frames)).toBe('0>1');
      expect(drawn({ frames: [{ sources: ['1.1'], pixels }] }, frames)).toBe('');
    });
  });

  it('take the place that all frames share', () => {
    const shared = element(
      0x52009229,
      [dataSet(element(0x00209116, [dataSet(element(0x00200037, axial.join('\\')))], 'SQ'))],
      'SQ',
    );
    const file = segmentationFile({ rows: 2, columns: 3, frames: [{ position: [0, 0, 5], pixels }] }, shared);
    expect(matchSegmentation(openSegmentationBytes(writeDicom(file, 'explicit')), slices)).toEqual([
      { slice: 1, frame: 0 },
    ]);
  });
});

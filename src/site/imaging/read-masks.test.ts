import { describe, expect, it } from 'vitest';
import type { DicomFile } from '#site/deidentify/index.ts';
import { element, writeDicom } from '#support/dicom-object.ts';
import { type DrawnSegmentation, segmentationFile } from '#support/segmentation-file.ts';
import { drawMask, packMask } from './packed-mask.ts';
import { readMasks } from './read-masks.ts';
import type { PixelSize } from './resample.ts';

/** Two slices. */
const slicesOf = (size: PixelSize) =>
  ['1.1', '1.2'].map((sopInstanceUid) => ({
    ...size,
    sopInstanceUid,
    frame: 0,
    frameCount: 1,
    position: null,
    orientation: null,
  }));

/** What the segmentations mark of each slice. */
async function marked(
  files: readonly DicomFile[],
  from: PixelSize,
  to: PixelSize = from,
): Promise<readonly [number[], number[]] | string> {
  const targets = [new Float32Array(to.rows * to.columns), new Float32Array(to.rows * to.columns)] as const;
  for (const file of files) {
    const drawn = await readMasks(writeDicom(file, 'explicit'), slicesOf(from), to);
    if (drawn.kind === 'left-out') return drawn.reason;
    for (const { slice, mask } of drawn.masks) drawMask(mask, targets[slice === 0 ? 0 : 1]);
  }
  return [[...targets[0]], [...targets[1]]];
}

const size = { rows: 2, columns: 4 };
const left = [1, 1, 0, 0, 1, 1, 0, 0];
const corner = [0, 0, 0, 1, 0, 0, 0, 0];
const both = [1, 1, 0, 1, 1, 1, 0, 0];
const empty = [0, 0, 0, 0, 0, 0, 0, 0];

const draw = (drawing: Partial<DrawnSegmentation>): DicomFile =>
  segmentationFile({ ...size, frames: [], ...drawing });
const on = (uid: string, pixels: readonly number[], segment = 1) => ({ sources: [uid], pixels, segment });

describe('masks', () => {
  it('are of the slice that each frame was drawn on, in whatever order frames come, and empty without one', async () => {
    expect(await marked([draw({ frames: [on('1.2', left), on('1.1', corner)] })], size)).toEqual([
      corner,
      left,
    ]);
    expect(await marked([draw({ frames: [on('1.2', left)] })], size)).toEqual([empty, left]);
  });

  it('are unpacked from bits, of frames that begin within a byte too', async () => {
    const three = { rows: 1, columns: 3 };
    const frames = [on('9.9', [0, 1, 0]), on('1.2', [1, 0, 1]), on('1.1', [1, 1, 0])];
    expect(await marked([segmentationFile({ ...three, frames })], three)).toEqual([
      [1, 1, 0],
      [1, 0, 1],
    ]);
  });

  it('join the segments and segmentations of a slice', async () => {
    const frames = [on('1.1', left, 2), on('1.1', corner, 1)];
    expect(await marked([draw({ segments: [1, 2], frames })], size)).toEqual([both, empty]);
    const two = [draw({ frames: [on('1.1', left)] }), draw({ frames: [on('1.1', corner)] })];
    expect(await marked(two, size)).toEqual([both, empty]);
    expect(await marked(two.toReversed(), size)).toEqual([both, empty]);
  });

  it('are pixels of which half or more is the segment’s, where it is fractional', async () => {
    const frames = [on('1.1', [0, 1, 99, 100, 101, 199, 200, 255])];
    expect(await marked([draw({ kind: 'FRACTIONAL', frames })], size)).toEqual([
      [0, 0, 0, 1, 1, 1, 1, 1],
      empty,
    ]);
  });

  it.each<[PixelSize, number[]]>([
    // Of four columns the second and fourth, of two rows the second.
    [{ rows: 1, columns: 2 }, [0, 0]],
    [{ rows: 2, columns: 2 }, [0, 1, 0, 0]],
    [{ rows: 2, columns: 8 }, [0, 0, 0, 0, 0, 0, 1, 1, ...empty]],
    [{ rows: 4, columns: 4 }, [0, 0, 0, 1, 0, 0, 0, 1, ...empty]],
  ])('take the nearest pixel in another size: $rows x $columns', async (to, expected) => {
    expect((await marked([draw({ frames: [on('1.1', corner)] })], size, to))[0]).toEqual(expected);
  });

  it.each<[string, DicomFile, string]>([
    [
      'of another size',
      segmentationFile({ rows: 4, columns: 4, frames: [on('1.1', new Array(16).fill(1))] }),
      'segmentation-geometry',
    ],
    ['of no kind', draw({ frames: [on('1.1', left)] }), 'segmentation-not-decoded'],
    [
      'with fewer pixels than frames',
      draw({ frames: [on('1.1', left), on('1.2', left), on('1.2', corner)] }),
      'segmentation-not-decoded',
    ],
  ])('are left out by reason: one %s', async (name, file, reason) => {
    const changes = {
      'of no kind': element(0x00620001, 'LABELMAP'),
      'with fewer pixels than frames': element(0x7fe00010, new Uint8Array(1), 'OB'),
    }[name];
    const elements =
      changes === undefined
        ? file.dataSet.elements
        : [...file.dataSet.elements.filter(({ tag }) => tag !== changes.tag), changes];
    expect(await marked([{ ...file, dataSet: { elements } }], size)).toBe(reason);
  });
});

describe('a packed mask', () => {
  const drawn = (mask: readonly number[]) => {
    const packed = packMask(Uint8Array.from(mask));
    const target = new Float32Array(mask.length);
    if (packed !== undefined) drawMask(packed, target);
    return { kind: packed?.kind, mask: [...target] };
  };
  const long = (count: number, isSet: (at: number) => boolean) =>
    Array.from({ length: count }, (_, at) => Number(isSet(at)));

  it.each<[string, number[], string | undefined]>([
    ['nothing', long(100, () => false), undefined],
    ['everything', long(100, () => true), 'runs'],
    ['its first and last pixel', long(200, (at) => at === 0 || at === 199), 'runs'],
    ['a blob', long(4096, (at) => at % 64 > 20 && at % 64 < 40 && at > 1000 && at < 2000), 'runs'],
    ['every other pixel', long(333, (at) => at % 2 === 0), 'bits'],
    ['every other pixel from the second', long(96, (at) => at % 2 === 1), 'bits'],
  ])('is drawn as it was: %s', (_, mask, kind) => {
    expect(drawn(mask)).toEqual({ kind, mask });
  });

  it('never takes more than a bit for each pixel', () => {
    for (const step of [2, 3, 5, 17, 63, 64, 65, 200]) {
      const words = packMask(Uint8Array.from(long(6400, (at) => at % step === 0)))?.words.length ?? 0;
      expect(words).toBeLessThanOrEqual(200);
    }
  });
});

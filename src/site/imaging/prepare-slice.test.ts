import { describe, expect, it } from 'vitest';
import type { DicomElement, DicomFile } from '#site/deidentify/index.ts';
import { DicomRefusal } from '#site/ingest/index.ts';
import type { ObjectPlace } from '#site/store/index.ts';
import {
  dicomFile,
  element,
  mrSlice,
  type NativeSyntax,
  nativeSyntaxes,
  writeDicom,
} from '#support/dicom-object.ts';
import { type DrawnSegmentation, segmentationFile } from '#support/segmentation-file.ts';
import { SlicePreparer } from './prepare-slice.ts';
import type { PixelSize } from './resample.ts';

const us = (tag: number, value: number): DicomElement => element(tag, [value], 'US');

function imageFile(
  size: PixelSize,
  values: readonly number[],
  ...changes: readonly DicomElement[]
): DicomFile {
  return dicomFile(mrSlice({ ...size, pixels: Uint16Array.from(values) }, ...changes));
}

interface Prepared {
  readonly input: number[];
  readonly mask: number[];
}

/** The first file is the image; frames of the others are drawn on it. */
async function prepared(
  files: readonly [image: DicomFile, ...segmentations: DicomFile[]],
  to: PixelSize,
  {
    frame = 0,
    divisor = 1,
    masks = [],
    syntax = 'explicit' as NativeSyntax,
  }: {
    readonly frame?: number;
    readonly divisor?: number;
    /** Number of the file and of the frame. */
    readonly masks?: readonly (readonly [file: number, frame: number])[];
    readonly syntax?: NativeSyntax;
  } = {},
): Promise<Prepared> {
  const place = (position: number): ObjectPlace => ({
    segment: 0,
    position,
    byteCount: 1000,
    objectKey: new Uint8Array(32),
  });
  const bytes = files.map((file) => writeDicom(file, syntax));
  const preparer = new SlicePreparer(to, ({ position }) => bytes[position] ?? new Uint8Array());
  const work = {
    object: place(0),
    frame,
    isMultiFrame: true,
    divisor,
    masks: masks.map(([file, of]) => ({ object: place(file), frame: of })),
  };
  const input = new Float32Array(to.rows * to.columns).fill(Number.NaN);
  const mask = new Float32Array(to.rows * to.columns).fill(Number.NaN);
  await preparer.prepare(work, input, mask);
  return { input: [...input], mask: [...mask] };
}

const [small, same] = [
  { rows: 1, columns: 2 },
  { rows: 2, columns: 4 },
];
const values = [0, 100, 200, 300, 40, 60, 80, 120];

describe('an input', () => {
  it('is the intensity of the modality by the patient’s percentile', async () => {
    const file = imageFile(same, values, element(0x00281053, '0.5 '), element(0x00281052, '-10 '));
    const { input } = await prepared([file], same, { divisor: 3 });
    expect(input).toEqual(values.map((value) => Math.fround((value * 0.5 - 10) / 3)));
  });

  it.each(nativeSyntaxes)('is the same in %s', async (syntax) => {
    expect((await prepared([imageFile(same, values)], small, { syntax })).input).toEqual([50, 175]);
  });

  it('keeps the sign of signed pixels', async () => {
    const file = imageFile(
      same,
      values.map((value) => -value & 0xffff),
      us(0x00280101, 16),
      us(0x00280102, 15),
      us(0x00280103, 1),
    );
    expect((await prepared([file], same)).input).toEqual(values.map((value) => 0 - value));
  });

  it('is not turned around where low values are white', async () => {
    const file = imageFile(same, values, element(0x00280004, 'MONOCHROME1 '));
    expect((await prepared([file], same)).input).toEqual(values);
  });

  it('is the frame that was asked for', async () => {
    const file = imageFile({ rows: 1, columns: 2 }, [1, 2, 3, 4, 5, 6], element(0x00280008, '3 '));
    expect((await prepared([file], { rows: 1, columns: 2 }, { frame: 2 })).input).toEqual([5, 6]);
  });

  it('is refused in colour', async () => {
    const rgb = [
      us(0x00280002, 3),
      element(0x00280004, 'RGB '),
      us(0x00280100, 8),
      us(0x00280101, 8),
      us(0x00280102, 7),
    ];
    const file = imageFile({ rows: 1, columns: 2 }, [1, 2, 3], ...rgb, us(0x00280006, 0));
    await expect(prepared([file], small)).rejects.toThrow(DicomRefusal);
  });
});

/** Of 2 x 4 pixels. */
const left = [1, 1, 0, 0, 1, 1, 0, 0];
const corner = [0, 0, 0, 1, 0, 0, 0, 0];
const odd = [1, 0, 1];

const draw = (drawing: Partial<DrawnSegmentation>): DicomFile =>
  segmentationFile({ ...same, frames: [], ...drawing });

describe('a mask', () => {
  const image = imageFile(same, values);
  const masked = async (
    segmentations: readonly DicomFile[],
    masks: readonly (readonly [number, number])[],
    to: PixelSize = same,
  ) => (await prepared([image, ...segmentations], to, { masks })).mask;

  it('is empty where no frame was drawn', async () => {
    expect(await masked([draw({ frames: [{ pixels: left }] })], [])).toEqual(new Array(8).fill(0));
  });

  it('is unpacked from bits, frames that begin within a byte too', async () => {
    const file = imageFile({ rows: 1, columns: 3 }, [1, 2, 3]);
    const bits = segmentationFile({
      rows: 1,
      columns: 3,
      frames: [{ pixels: [0, 1, 0] }, { pixels: odd }, { pixels: [1, 1, 0] }],
    });
    const to = { rows: 1, columns: 3 };
    expect((await prepared([file, bits], to, { masks: [[1, 1]] })).mask).toEqual(odd);
    expect((await prepared([file, bits], to, { masks: [[1, 2]] })).mask).toEqual([1, 1, 0]);
  });

  it('joins the segments and segmentations of a slice', async () => {
    const two = draw({
      segments: [1, 2],
      frames: [
        { segment: 2, pixels: left },
        { segment: 1, pixels: corner },
      ],
    });
    const joined = left.map((pixel, at) => Math.max(pixel, corner[at] ?? 0));
    expect(
      await masked(
        [two],
        [
          [1, 0],
          [1, 1],
        ],
      ),
    ).toEqual(joined);
    const [one, other] = [draw({ frames: [{ pixels: left }] }), draw({ frames: [{ pixels: corner }] })];
    expect(
      await masked(
        [one, other],
        [
          [1, 0],
          [2, 0],
        ],
      ),
    ).toEqual(joined);
  });

  it('is the pixels of which half or more is the segment’s, where it is fractional', async () => {
    const stored = [0, 1, 99, 100, 101, 199, 200, 255];
    const file = draw({ kind: 'FRACTIONAL', frames: [{ pixels: stored }] });
    expect(await masked([file], [[1, 0]])).toEqual([0, 0, 0, 1, 1, 1, 1, 1]);
  });

  it('takes the nearest pixel in another size', async () => {
    const file = draw({ frames: [{ pixels: corner }] });
    // Of four columns the second and fourth, of two rows the second.
    expect(await masked([file], [[1, 0]], small)).toEqual([0, 0]);
    expect(await masked([file], [[1, 0]], { rows: 2, columns: 2 })).toEqual([0, 1, 0, 0]);
    expect(await masked([file], [[1, 0]], { rows: 2, columns: 8 })).toEqual([
      0,
      0,
      0,
      0,
      0,
      0,
      1,
      1,
      ...new Array(8).fill(0),
    ]);
  });
});

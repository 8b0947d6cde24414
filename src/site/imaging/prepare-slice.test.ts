import { describe, expect, it } from 'vitest';
import type { DicomElement, DicomFile } from '#site/deidentify/index.ts';
import { DicomRefusal } from '#site/ingest/index.ts';
import {
  dicomFile,
  element,
  mrSlice,
  type NativeSyntax,
  nativeSyntaxes,
  writeDicom,
} from '#support/dicom-object.ts';
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

interface Asked {
  /** From 0. */
  readonly frame?: number;
  readonly divisor?: number;
  readonly syntax?: NativeSyntax;
}

async function prepared(
  file: DicomFile,
  to: PixelSize,
  { frame = 0, divisor = 1, syntax = 'explicit' }: Asked = {},
): Promise<number[]> {
  const object = { segment: 0, position: 0, byteCount: 1000, objectKey: new Uint8Array(32) };
  const preparer = new SlicePreparer(to, () => writeDicom(file, syntax));
  const input = new Float32Array(to.rows * to.columns).fill(Number.NaN);
  await preparer.prepare({ object, frame, isMultiFrame: true, divisor }, input);
  return [...input];
}

const [small, same] = [
  { rows: 1, columns: 2 },
  { rows: 2, columns: 4 },
];
const values = [0, 100, 200, 300, 40, 60, 80, 120];

describe('an input', () => {
  it('is the intensity of the modality by the patient’s percentile', async () => {
    const file = imageFile(same, values, element(0x00281053, '0.5 '), element(0x00281052, '-10 '));
    expect(await prepared(file, same, { divisor: 3 })).toEqual(
      values.map((value) => Math.fround((value * 0.5 - 10) / 3)),
    );
  });

  it.each(nativeSyntaxes)('is the same in %s', async (syntax) => {
    expect(await prepared(imageFile(same, values), small, { syntax })).toEqual([50, 175]);
  });

  it('keeps the sign of signed pixels', async () => {
    const file = imageFile(
      same,
      values.map((value) => -value & 0xffff),
      us(0x00280101, 16),
      us(0x00280102, 15),
      us(0x00280103, 1),
    );
    expect(await prepared(file, same)).toEqual(values.map((value) => 0 - value));
  });

  it('is not turned around where low values are white', async () => {
    const file = imageFile(same, values, element(0x00280004, 'MONOCHROME1 '));
    expect(await prepared(file, same)).toEqual(values);
  });

  it('is the frame that was asked for', async () => {
    const file = imageFile({ rows: 1, columns: 2 }, [1, 2, 3, 4, 5, 6], element(0x00280008, '3 '));
    expect(await prepared(file, small, { frame: 2 })).toEqual([5, 6]);
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
    await expect(prepared(file, small)).rejects.toThrow(DicomRefusal);
  });
});

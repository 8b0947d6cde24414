import { describe, expect, it } from 'vitest';
import type { DataSet, DicomElement, DicomFile } from '#site/deidentify/index.ts';
import { dataSet, dicomFile, element, mrSlice, writeDicom } from '#support/dicom-object.ts';
import { toRgb } from './colour.ts';
import { openImage } from './decode-frame.ts';
import { decodeImage } from './decoded-image.ts';
import { DicomRefusal } from './dicom-refusal.ts';
import { openSegmentation, segmentationStorage, sourcesOf } from './segmentation.ts';

const us = (tag: number, value: number): DicomElement => element(tag, [value], 'US');
const sequence = (tag: number, ...items: DataSet[]): DicomElement => element(tag, items, 'SQ');
const eightBits = [us(0x00280100, 8), us(0x00280101, 8), us(0x00280102, 7)];
const pixels = (...values: number[]): DicomElement => element(0x7fe00010, Uint8Array.from(values), 'OW');
const words = (...values: number[]): Uint8Array => new Uint8Array(Uint16Array.from(values).buffer);

function image(...elements: DicomElement[]): DicomFile {
  return dicomFile(mrSlice({ rows: 1, columns: 4 }, ...eightBits, pixels(0, 1, 2, 255), ...elements));
}

async function valuesOf(file: DicomFile, frameIndex = 0): Promise<number[]> {
  const decoded = await decodeImage({
    bytes: writeDicom(file, 'explicit'),
    frameIndexes: [frameIndex],
    isCheckOnly: false,
  });
  const frame = decoded?.frames[0]?.pixels;
  return frame?.kind === 'grey' ? [...frame.values] : [];
}

async function rgbOf(file: DicomFile): Promise<number[]> {
  const opened = openImage(file);
  if (opened === null) throw new Error('no image');
  return [...toRgb(await opened.decodeFrame(0), opened.attributes, opened.description)];
}

async function refusalOf(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error instanceof DicomRefusal ? [error.code, error.field] : error;
  }
  return 'read';
}

describe('values of the modality', () => {
  const slope = element(0x00281053, '2.5 ');
  const intercept = element(0x00281052, '-1024 ');

  it('are the stored ones where nothing else is said, whichever end is white', async () => {
    expect(await valuesOf(image())).toEqual([0, 1, 2, 255]);
    expect(await valuesOf(image(element(0x00280004, 'MONOCHROME1 ')))).toEqual([0, 1, 2, 255]);
  });

  it('are rescaled', async () => {
    expect(await valuesOf(image(slope, intercept))).toEqual([-1024, -1021.5, -1019, -386.5]);
    expect(await valuesOf(image(us(0x00280103, 1), slope))).toEqual([0, 2.5, 5, -2.5]);
  });

  it('are those of a table where there is one', async () => {
    const table = dataSet(
      element(0x00283002, words(3, 1, 16), 'US'),
      element(0x00283006, words(100, 200, 60_000), 'OW'),
    );
    expect(await valuesOf(image(slope, sequence(0x00283000, table)))).toEqual([100, 100, 200, 60_000]);
  });

  it('of an enhanced object are those of each frame', async () => {
    const transform = (factor: string) =>
      dataSet(sequence(0x00289145, dataSet(element(0x00281052, '1 '), element(0x00281053, factor))));
    const shared = dataSet(sequence(0x00289110, dataSet(element(0x00280030, '0.5\\0.25'))));
    const file = image(
      element(0x00280008, '2 '),
      pixels(0, 1, 2, 3, 4, 5, 6, 7),
      sequence(0x52009229, shared),
      sequence(0x52009230, transform('1 '), transform('10')),
    );
    expect(await valuesOf(file, 0)).toEqual([1, 2, 3, 4]);
    expect(await valuesOf(file, 1)).toEqual([41, 51, 61, 71]);
    const decoded = await decodeImage({
      bytes: writeDicom(file, 'explicit'),
      frameIndexes: null,
      isCheckOnly: false,
    });
    expect(decoded?.frames.map(({ geometry }) => geometry.pixelSpacing)).toEqual([
      [0.5, 0.25],
      [0.5, 0.25],
    ]);
  });

  it.each<[string, DicomElement[], string]>([
    ['a slope of nothing', [element(0x00281053, '0 ')], 'RescaleSlope'],
    ['a slope that is no number', [element(0x00281053, 'x ')], 'RescaleSlope'],
    [
      'a table without entries',
      [sequence(0x00283000, dataSet(element(0x00283002, words(3, 1, 16), 'US')))],
      'LUTData',
    ],
    [
      'a table of 99 bits',
      [sequence(0x00283000, dataSet(element(0x00283002, words(3, 1, 99), 'US')))],
      'LUTDescriptor',
    ],
    [
      'more groups than frames',
      [sequence(0x52009230, dataSet(), dataSet())],
      'PerFrameFunctionalGroupsSequence',
    ],
    ['half a spacing', [element(0x00280030, '0.5 ')], 'PixelSpacing'],
    ['a spacing of nothing', [element(0x00280030, '0\\0 ')], 'PixelSpacing'],
  ])('are refused by name with %s', async (_, elements, field) => {
    expect(await refusalOf(() => valuesOf(image(...elements)))).toEqual(['DICOM_BAD_VALUE', field]);
  });
});

describe('colours', () => {
  const colour = (model: string, ...values: number[]): DicomFile =>
    dicomFile(
      mrSlice(
        { rows: 1, columns: values.length / 3 },
        ...eightBits,
        us(0x00280002, 3),
        element(0x00280004, model),
        pixels(...values),
      ),
    );

  it('of YBR_FULL are turned by the equations of the standard', async () => {
    // White, black, and the red, green and blue of PS3.3 C.7.6.3.1.2, inverted by hand.
    const ybr = [255, 128, 128, 0, 128, 128, 76, 85, 255, 150, 44, 21, 29, 255, 107, 0, 0, 0];
    const rgb = await rgbOf(colour('YBR_FULL', ...ybr));
    const expected = [255, 255, 255, 0, 0, 0, 254, 0, 0, 0, 255, 1, 0, 0, 254, 0, 135, 0];
    expect(rgb.map((value, index) => Math.abs(value - (expected[index] ?? 0)) <= 1)).toEqual(
      rgb.map(() => true),
    );
  });

  it('of RGB stay', async () => {
    expect(await rgbOf(colour('RGB ', 1, 2, 3, 4, 5, 6))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  const palette = (first: number, bits: number, ...tables: Uint8Array[]): DicomElement[] =>
    tables.flatMap((table, index) => [
      element(0x00281101 + index, words(table.length / 2, first, bits), 'US'),
      element(0x00281201 + index, table, 'OW'),
    ]);

  it('of a palette are looked up, ends held', async () => {
    const tables = palette(1, 16, words(10, 20), words(30, 40), words(50, 65_535));
    expect(await rgbOf(image(element(0x00280004, 'PALETTE COLOR '), ...tables))).toEqual([
      10, 30, 50, 10, 30, 50, 20, 40, 65_535, 20, 40, 65_535,
    ]);
  });

  it('of a segmented palette are put together', async () => {
    // A discrete segment of two, a ramp of four to 50, and the first segment once more.
    const segments = words(0, 2, 5, 10, 1, 4, 50, 2, 1, 0, 0);
    const tables = [0, 1, 2].flatMap((index) => [
      element(0x00281101 + index, words(8, 0, 16), 'US'),
      element(0x00281221 + index, segments, 'OW'),
    ]);
    const file = dicomFile(
      mrSlice(
        { rows: 1, columns: 8 },
        ...eightBits,
        element(0x00280004, 'PALETTE COLOR '),
        pixels(0, 1, 2, 3, 4, 5, 6, 7),
        ...tables,
      ),
    );
    expect((await rgbOf(file)).filter((_, index) => index % 3 === 0)).toEqual([5, 10, 20, 30, 40, 50, 5, 10]);
  });

  it.each([
    ['runs past its table', words(0, 60_000, 1)],
    ['points at itself', words(2, 1, 0, 0)],
    ['has segments of no kind', words(9, 1, 0)],
    ['is too short', words(0, 1, 5)],
  ])('of a segmented palette that %s are refused', async (_, segments) => {
    const tables = [0, 1, 2].flatMap((index) => [
      element(0x00281101 + index, words(8, 0, 16), 'US'),
      element(0x00281221 + index, segments, 'OW'),
    ]);
    const file = image(element(0x00280004, 'PALETTE COLOR '), ...tables);
    expect(await refusalOf(() => rgbOf(file))).toEqual([
      'DICOM_BAD_VALUE',
      'SegmentedRedPaletteColorLookupTableData',
    ]);
  });
});

describe('a segmentation', () => {
  const source = dataSet(element(0x00081150, '1.2.3'), element(0x00081155, '1.2.3.4'));
  const frame = (segmentNumber: number, position: string, ...sources: DataSet[]): DataSet =>
    dataSet(
      sequence(0x00089124, dataSet(sequence(0x00082112, ...sources))),
      sequence(0x0062000a, dataSet(us(0x0062000b, segmentNumber))),
      sequence(0x00209113, dataSet(element(0x00200032, position))),
    );
  const code = (value: string): DataSet =>
    dataSet(element(0x00080100, value), element(0x00080102, 'SCT '), element(0x00080104, 'Neoplasm'));
  const segment = (segmentNumber: number): DataSet =>
    dataSet(
      us(0x00620004, segmentNumber),
      element(0x00620005, 'Tumour'),
      element(0x00620008, 'SEMIAUTOMATIC '),
      sequence(0x00620003, code('49755003')),
      sequence(0x0062000f, code('108369006 ')),
    );
  const shared = dataSet(sequence(0x00209116, dataSet(element(0x00200037, '1\\0\\0\\0\\1\\0'))));

  function segmentation(...elements: DicomElement[]): DicomFile {
    return dicomFile(
      mrSlice(
        { rows: 2, columns: 3 },
        element(0x00080016, segmentationStorage),
        element(0x00280008, '2 '),
        us(0x00280100, 1),
        us(0x00280101, 1),
        us(0x00280102, 0),
        element(0x00620001, 'BINARY'),
        sequence(0x00620002, segment(1), segment(2)),
        sequence(0x52009229, shared),
        sequence(0x52009230, frame(1, '0\\0\\5', source), frame(2, '0\\0\\10')),
        // 110100 and 000011, the first bit lowest.
        pixels(0b11_001011, 0b00001100),
        ...elements,
      ),
    );
  }

  it('says what each segment is, and for each frame its segment and source', async () => {
    const { kind, segments, frames } = openSegmentation(segmentation());
    expect(kind).toBe('BINARY');
    expect(segments[1]).toEqual({
      segmentNumber: 2,
      label: 'Tumour',
      category: { system: 'SCT', code: '49755003', meaning: 'Neoplasm' },
      type: { system: 'SCT', code: '108369006', meaning: 'Neoplasm' },
      algorithm: 'SEMIAUTOMATIC',
    });
    expect(frames.map(({ segmentNumber }) => segmentNumber)).toEqual([1, 2]);
    expect(frames[0]?.sources).toEqual([
      { sopClassUid: '1.2.3', sopInstanceUid: '1.2.3.4', frameNumber: null },
    ]);
    expect(frames[1]?.geometry.position).toEqual([0, 0, 10]);
  });

  it('unpacks its bits', async () => {
    const opened = openSegmentation(segmentation());
    expect([...(await opened.decodeShares(0))]).toEqual([1, 1, 0, 1, 0, 0]);
    expect([...(await opened.decodeShares(1))]).toEqual([1, 1, 0, 0, 1, 1]);
  });

  it('finds the images of a frame by name, else by position', () => {
    const [named, placed] = openSegmentation(segmentation()).frames;
    const plane = {
      pixelSpacing: null,
      sliceThickness: null,
      spacingBetweenSlices: null,
      orientation: [1, 0, 0, 0, 1, 0],
    };
    const images = [
      { sopInstanceUid: '9.5', geometry: { ...plane, position: [0, 0, 5] as const } },
      { sopInstanceUid: '9.10', geometry: { ...plane, position: [0, 0, 10.001] as const } },
      {
        sopInstanceUid: '9.11',
        geometry: { ...plane, position: [0, 0, 10] as const, orientation: [0, 1, 0, 0, 0, 1] },
      },
    ];
    expect(named === undefined ? [] : sourcesOf(named, images)).toEqual(['1.2.3.4']);
    expect(placed === undefined ? [] : sourcesOf(placed, images)).toEqual(['9.10']);
  });

  it('gives shares of a fractional one', async () => {
    const file = segmentation(
      ...eightBits,
      element(0x00620001, 'FRACTIONAL'),
      us(0x0062000e, 200),
      pixels(...[0, 50, 100, 200, 255, 1], ...[0, 0, 0, 0, 0, 0]),
    );
    expect(
      [...(await openSegmentation(file).decodeShares(0))].map((share) => Math.round(share * 1000)),
    ).toEqual([0, 250, 500, 1000, 1000, 5]);
  });

  it.each<[string, DicomElement[], string]>([
    ['of no kind', [element(0x00620001, 'LABELMAP')], 'SegmentationType'],
    ['without segments', [sequence(0x00620002)], 'SegmentSequence'],
    ['with one segment twice', [sequence(0x00620002, segment(1), segment(1))], 'SegmentSequence'],
    [
      'with a frame of no segment',
      [sequence(0x52009230, frame(1, '0\\0\\5'), frame(7, '0\\0\\10'))],
      'ReferencedSegmentNumber',
    ],
    [
      'fractional without its full value',
      [...eightBits, pixels(...new Array(12).fill(1)), element(0x00620001, 'FRACTIONAL')],
      'MaximumFractionalValue',
    ],
  ])('is refused by name: one %s', async (_, elements, field) => {
    expect(await refusalOf(() => openSegmentation(segmentation(...elements)))).toEqual([
      'DICOM_BAD_SEGMENTATION',
      field,
    ]);
  });

  it('that names its source by a path is refused', async () => {
    const bad = dataSet(element(0x00081155, '../../x '));
    const file = segmentation(sequence(0x52009230, frame(1, '0\\0\\5', bad), frame(1, '0\\0\\10')));
    expect(await refusalOf(() => openSegmentation(file))).toEqual([
      'DICOM_BAD_VALUE',
      'ReferencedSOPInstanceUID',
    ]);
  });
});

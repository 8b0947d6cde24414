import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { dicomFile, element, mrSlice, writeDicom } from '#support/dicom-object.ts';
import { type DicomDecoder, type DicomDecoderOptions, openDicomDecoder } from './dicom-decoder.ts';

const stuck = pathToFileURL(path.resolve('tests/support/stuck-decoder.mjs'));

let decoder: DicomDecoder | undefined;
afterEach(() => decoder?.close());

function open(options: DicomDecoderOptions = {}): DicomDecoder {
  decoder = openDicomDecoder(options);
  return decoder;
}

const slice = writeDicom(
  dicomFile(
    mrSlice({}, element(0x00281052, '-1024'), element(0x00281053, '2'), element(0x00280030, '0.5\\0.75')),
  ),
  'explicit',
);

describe('a decoding thread', () => {
  it('gives values of the modality and where they lie', async () => {
    const image = await open().decode(slice);
    expect(image?.description).toMatchObject({ rows: 8, columns: 8, frameCount: 1 });
    expect(image?.frames).toHaveLength(1);
    const [frame] = image?.frames ?? [];
    expect(frame?.geometry.pixelSpacing).toEqual([0.5, 0.75]);
    expect(frame?.pixels).toEqual({
      kind: 'grey',
      values: new Float32Array(64).fill(2 * 7 - 1024),
      unit: null,
    });
  });

  it('refuses by name what cannot be read, and reads on', async () => {
    const open1 = open();
    await expect(open1.decode(slice.subarray(0, slice.length - 4))).rejects.toMatchObject({
      code: 'TRUNCATED',
      field: 'PixelData',
    });
    await expect(open1.decode(slice, [1])).rejects.toMatchObject({ code: 'DICOM_PIXEL_COUNT' });
    await expect(open1.check(slice)).resolves.toBeUndefined();
  });

  it.each([
    ['hangs', 1, 'DICOM_TIMEOUT'],
    ['exits', 2, 'DICOM_DECODER_FAILED'],
    ['throws', 3, 'DICOM_DECODER_FAILED'],
    ['runs out of memory', 4, 'DICOM_DECODER_FAILED'],
  ])('that %s is replaced, and the object it was at refused', async (_, what, code) => {
    const stuckDecoder = open({ entry: stuck, timeoutMs: what === 4 ? 20_000 : 300 });
    const [lost, next] = await Promise.allSettled([
      stuckDecoder.decode(Uint8Array.of(what)),
      stuckDecoder.decode(Uint8Array.of(0)),
    ]);
    expect(lost).toMatchObject({ status: 'rejected', reason: { code, field: 'PixelData', message: code } });
    expect(next).toEqual({ status: 'fulfilled', value: null });
  });

  it('takes nothing more once closed', async () => {
    const closing = open({ entry: stuck, timeoutMs: 20_000 });
    const results = Promise.allSettled([closing.decode(Uint8Array.of(1)), closing.decode(Uint8Array.of(0))]);
    await closing.close();
    expect(await results).toMatchObject([
      { reason: { code: 'IMPORT_CANCELLED' } },
      { reason: { code: 'IMPORT_CANCELLED' } },
    ]);
    await expect(closing.decode(slice)).rejects.toMatchObject({ code: 'IMPORT_CANCELLED' });
  });
});

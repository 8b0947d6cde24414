import { describe, expect, it } from 'vitest';
import { encodeDicom } from '#site/deidentify/index.ts';
import { dicomFile, element, mrSlice, nativeSyntaxes, writeDicom } from '#support/dicom-object.ts';
import { drawText, noisySlice } from '#support/drawn-text.ts';
import { parseDicom } from './parse-dicom.ts';
import { examinedFrames, hasTextInNativePixels, hasTextInPixels } from './text-in-pixels.ts';

const [rows, columns] = [64, 96];

function drawn(seed: number): Uint16Array {
  const samples = noisySlice(seed, rows, columns);
  drawText({ samples, rows, columns }, { text: 'DOE JANE', row: 20, column: 10, size: 1, value: 900 });
  return samples;
}

describe('text in the pixels of an object', () => {
  it.each([1, 2, 5, 6, 100])(
    'is looked for in at most five of %i frames, first and last among them',
    (count) => {
      const frames = examinedFrames(count);
      expect(frames.length).toBe(Math.min(5, count));
      expect([frames[0], frames.at(-1)]).toEqual([0, count - 1]);
      expect(new Set(frames).size).toBe(frames.length);
    },
  );

  it.each(nativeSyntaxes)('is found in %s files, and not where there is none', async (syntax) => {
    const read = (pixels: Uint16Array) =>
      parseDicom(writeDicom(dicomFile(mrSlice({ rows, columns, pixels })), syntax));
    expect(await hasTextInPixels(read(drawn(1)))).toBe(true);
    expect(await hasTextInPixels(read(noisySlice(1, rows, columns)))).toBe(false);
  });

  it('is found where the words of the samples begin at an odd byte', async () => {
    const bytes = encodeDicom(dicomFile(mrSlice({ rows, columns, pixels: drawn(2) })));
    const moved = Buffer.alloc(bytes.length + 1);
    moved.set(bytes, 1);
    expect(hasTextInNativePixels(parseDicom(moved.subarray(1)))).toBe(true);
  });

  it.each([0, 1])('is found in colour, by pixel and by plane (%i)', async (planar) => {
    const plane = Uint8Array.from(drawn(3), (sample) => sample / 5);
    const colour = new Uint8Array(3 * plane.length);
    for (const [pixel, sample] of plane.entries()) {
      const at =
        planar === 1
          ? [pixel, pixel + plane.length, pixel + 2 * plane.length]
          : [3 * pixel, 3 * pixel + 1, 3 * pixel + 2];
      for (const index of at) colour[index] = sample;
    }
    const content = mrSlice(
      { rows, columns },
      element(0x00280002, [3]),
      element(0x00280004, 'RGB'),
      element(0x00280006, [planar]),
      element(0x00280100, [8]),
      element(0x00280101, [8]),
      element(0x00280102, [7]),
      element(0x7fe00010, colour, 'OW'),
    );
    expect(await hasTextInPixels(dicomFile(content))).toBe(true);
  });

  it('is no matter of an object without pixels', async () => {
    const { elements } = mrSlice();
    const content = { elements: elements.filter(({ tag }) => tag !== 0x7fe00010) };
    expect(await hasTextInPixels(dicomFile(content))).toBe(false);
  });
});

import { Decoder as LosslessDecoder } from 'jpeg-lossless-decoder-js';
import { beforeAll, describe, expect, it } from 'vitest';
import { type DicomElement, type DicomFile, encodeDicom } from '#site/deidentify/index.ts';
import {
  type CompressedSample,
  compressedFile,
  compressedSamples,
  encodeColourJpeg,
  encodeRle,
  gradient,
} from '#support/compressed-object.ts';
import { dataSet, dicomFile, element, mrSlice, nativeSyntaxes, writeDicom } from '#support/dicom-object.ts';
import { encodeLosslessJpeg } from '#support/jpeg-encoder.ts';
import { toRgb } from './colour.ts';
import { openImage } from './decode-frame.ts';
import { DicomRefusal } from './dicom-refusal.ts';
import { parseDicom } from './parse-dicom.ts';
import type { PixelFrame } from './pixel-frame.ts';

const pixelData = 0x7fe00010;
const us = (tag: number, value: number): DicomElement => element(tag, [value]);
const bits = (allocated: number, stored = allocated, high = stored - 1): DicomElement[] => [
  us(0x00280100, allocated),
  us(0x00280101, stored),
  us(0x00280102, high),
];
const signed = us(0x00280103, 1);
const rgb = [us(0x00280002, 3), element(0x00280004, 'RGB')];

/** A slice of 2 x 4 pixels unless said otherwise, with its own pixel data. */
function slice(pixels: Uint8Array, ...elements: DicomElement[]): DicomFile {
  return dicomFile(mrSlice({ rows: 2, columns: 4 }, element(pixelData, pixels, 'OW'), ...elements));
}

async function frameOf(file: DicomFile | Buffer, index = 0): Promise<PixelFrame> {
  const parsed = Buffer.isBuffer(file) ? parseDicom(file) : file;
  const image = openImage(parsed);
  if (image === null) throw new Error('no image');
  return image.decodeFrame(index);
}

const samplesOf = async (file: DicomFile | Buffer, index = 0) => [...(await frameOf(file, index)).samples];

async function refusalOf(file: DicomFile | Buffer): Promise<[string, string | null] | 'decoded'> {
  try {
    await frameOf(file);
  } catch (error) {
    if (error instanceof DicomRefusal) return [error.code, error.field];
    throw error;
  }
  return 'decoded';
}

describe('native pixel data', () => {
  const words = Uint16Array.of(0, 1, 0x7ff, 0x800, 0xfff, 0x1000, 0xf001, 0xffff);
  const wordBytes = new Uint8Array(words.buffer);

  it.each(nativeSyntaxes)(
    'of 12 bits is read in the %s syntax, without what stands above the bits',
    async (syntax) => {
      const file = writeDicom(slice(wordBytes), syntax);
      expect(await samplesOf(file)).toEqual([0, 1, 0x7ff, 0x800, 0xfff, 0, 1, 0xfff]);
      const withSign = writeDicom(slice(wordBytes, signed), syntax);
      expect(await samplesOf(withSign)).toEqual([0, 1, 2047, -2048, -1, 0, 1, -1]);
    },
  );

  it('is never changed by reading it', async () => {
    const file = parseDicom(writeDicom(slice(wordBytes, signed), 'explicit'));
    const before = Buffer.from(encodeDicom(file));
    await frameOf(file);
    expect(Buffer.from(encodeDicom(file)).equals(before)).toBe(true);
  });

  it('may stand in the upper bits of its words', async () => {
    const file = slice(
      new Uint8Array(Uint16Array.from([0x0010, 0xfff0, 0x800f, 0, 0, 0, 0, 0]).buffer),
      ...bits(16, 12, 15),
    );
    expect((await samplesOf(file)).slice(0, 3)).toEqual([1, 0xfff, 0x800]);
  });

  it.each(nativeSyntaxes)('of 8 bits in words is read in the %s syntax', async (syntax) => {
    const file = writeDicom(slice(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 255), ...bits(8), signed), syntax);
    expect(await samplesOf(file)).toEqual([1, 2, 3, 4, 5, 6, 7, -1]);
  });

  it('of 32 bits keeps its highest bit', async () => {
    const values = Uint32Array.of(0, 1, 0x80000000, 0xffffffff, 5, 6, 7, 8);
    const file = (...elements: DicomElement[]) =>
      slice(new Uint8Array(values.buffer), ...bits(32), ...elements);
    expect(await samplesOf(file())).toEqual([...values]);
    expect(await samplesOf(file(signed))).toEqual([0, 1, -0x80000000, -1, 5, 6, 7, 8]);
  });

  it('of one bit is unpacked, whether or not frames begin at a byte', async () => {
    const packed = Uint8Array.of(0b1010_0101, 0b0000_0011);
    const frames = element(0x00280008, '2 ');
    const file = slice(packed, ...bits(1), us(0x00280010, 1), us(0x00280011, 5), frames);
    expect(await samplesOf(file, 0)).toEqual([1, 0, 1, 0, 0]);
    expect(await samplesOf(file, 1)).toEqual([1, 0, 1, 1, 1]);
  });

  it('of floats and doubles is read in both byte orders', async () => {
    const values = [0, -1.5, 3.25, Math.PI, 1e10, -0, 7, 8];
    for (const [tag, vr, array] of [
      [0x7fe00008, 'OF', Float32Array.from(values)],
      [0x7fe00009, 'OD', Float64Array.from(values)],
    ] as const) {
      const content = mrSlice({ rows: 2, columns: 4 }).elements.filter((each) => each.tag !== pixelData);
      const file = dicomFile(dataSet(...content, element(tag, new Uint8Array(array.buffer), vr)));
      for (const syntax of ['explicit', 'big-endian'] as const) {
        expect(await samplesOf(writeDicom(file, syntax))).toEqual([...array]);
      }
    }
  });

  it('in planes is interleaved', async () => {
    const planes = Uint8Array.from({ length: 24 }, (_, index) => index);
    const file = slice(planes, ...rgb, ...bits(8), us(0x00280006, 1));
    expect((await samplesOf(file)).slice(0, 6)).toEqual([0, 8, 16, 1, 9, 17]);
  });

  it('with shared chroma has it repeated', async () => {
    const shared = Uint8Array.from({ length: 16 }, (_, index) => index);
    const file = slice(shared, us(0x00280002, 3), element(0x00280004, 'YBR_FULL_422'), ...bits(8));
    expect((await samplesOf(file)).slice(0, 9)).toEqual([0, 2, 3, 1, 2, 3, 4, 6, 7]);
    expect((await frameOf(file)).photometricInterpretation).toBe('YBR_FULL');
  });
});

describe('native pixel data in fragments', () => {
  it('is read a frame a fragment', async () => {
    const content = mrSlice({ rows: 2, columns: 4 }, ...bits(8), element(0x00280008, '2 '));
    const file = compressedFile(
      '.1.98',
      [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), new Uint8Array(8).fill(9)],
      content,
    );
    expect(await samplesOf(file, 0)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await samplesOf(file, 1)).toEqual(new Array(8).fill(9));
  });
});

describe('run lengths', () => {
  it.each([
    ['8 bits', Uint8Array.of(1, 1, 1, 2, 3, 3, 255, 0), 8, 1],
    ['16 bits', Uint16Array.of(1, 0x100, 0xffff, 2, 3, 3, 3, 3), 16, 1],
    ['32 bits', Uint32Array.of(1, 0x1_0000, 0xffff_ffff, 2, 3, 3, 3, 3), 32, 1],
    ['8 bits of colour', Uint8Array.from({ length: 24 }, (_, index) => index * 3), 8, 3],
    ['16 bits of colour', Uint16Array.from({ length: 24 }, (_, index) => index * 2500), 16, 3],
  ])('of %s are decoded', async (_, samples, allocated, components) => {
    const content = mrSlice({ rows: 2, columns: 4 }, ...bits(allocated), ...(components === 3 ? rgb : []));
    const file = compressedFile('.5', [encodeRle(samples, components)], content);
    expect(await samplesOf(file)).toEqual([...samples]);
  });
});

describe('lossless JPEG', () => {
  const noise = (length: number, top: number) =>
    Array.from({ length }, (_, index) => (index * 7919 + index ** 2 * 31) % (top + 1));

  it.each([1, 2, 3, 4, 5, 6, 7])(
    'of 16 bits is decoded by predictor %i, with and without restarts',
    async (predictor) => {
      const samples = noise(15 * 9, 65_535);
      const content = mrSlice({ rows: 9, columns: 15 }, ...bits(16));
      for (const restartRows of [0, 1, 4]) {
        const stream = encodeLosslessJpeg(
          samples,
          { rows: 9, columns: 15, componentCount: 1, precision: 16 },
          { predictor, restartRows },
        );
        expect(await samplesOf(compressedFile('.4.57', [stream], content))).toEqual(samples);
      }
    },
  );

  it.each([1, 2, 3, 4, 5, 6])(
    'by predictor %i is what jpeg-lossless-decoder-js reads too',
    async (predictor) => {
      const shape = { rows: 9, columns: 15, componentCount: 1, precision: 16 };
      const stream = encodeLosslessJpeg(noise(15 * 9, 65_535), shape, { predictor });
      const { buffer, byteOffset, byteLength } = Uint8Array.from(stream);
      const other = new Uint16Array(new LosslessDecoder().decompress(buffer, byteOffset, byteLength));
      const content = mrSlice({ rows: 9, columns: 15 }, ...bits(16));
      expect(await samplesOf(compressedFile('.4.57', [stream], content))).toEqual([...other]);
    },
  );

  it('of colours is decoded', async () => {
    const samples = noise(5 * 4 * 3, 255);
    const stream = encodeLosslessJpeg(
      samples,
      { rows: 4, columns: 5, componentCount: 3, precision: 8 },
      { predictor: 4 },
    );
    const content = mrSlice({ rows: 4, columns: 5 }, ...bits(8), ...rgb);
    expect(await samplesOf(compressedFile('.4.57', [stream], content))).toEqual(samples);
  });
});

/** The stream with precincts of a size for each of its three resolutions. */
function withPrecincts(stream: Buffer, cod: number, size: number): Buffer {
  const head = Buffer.from(stream.subarray(0, cod + 14));
  head.writeUInt16BE(15, cod + 2);
  head[cod + 4] = (head[cod + 4] ?? 0) | 1;
  return Buffer.concat([head, Buffer.alloc(3, size), stream.subarray(cod + 14)]);
}

describe('compressed pixel data', () => {
  let samples: CompressedSample[] = [];
  beforeAll(async () => {
    samples = await compressedSamples();
  });
  const named = ['.4.50', '.4.51', '.4.70', '.4.80', '.4.90', '.4.201', '.5', '.8.1'];
  const sampleOf = (name: string): CompressedSample => {
    const found = samples.find((sample) => sample.name === name);
    if (found === undefined) throw new Error('no such sample');
    return found;
  };
  const streamOf = (name: string): Buffer => {
    const pixels = sampleOf(name).file.dataSet.elements.find((each) => each.tag === pixelData);
    return Buffer.from(pixels !== undefined && 'fragments' in pixels ? (pixels.fragments[0] ?? []) : []);
  };
  const withStream = (name: string, stream: Uint8Array, ...elements: DicomElement[]): DicomFile => {
    const content = sampleOf(name).file.dataSet.elements.filter((each) => each.tag !== pixelData);
    return compressedFile(name, [stream], dataSet(...content, ...elements));
  };

  it.each(named)('of %s decodes to what was encoded', async (name) => {
    const { file, expected, tolerance } = sampleOf(name);
    const decoded = await samplesOf(parseDicom(Buffer.from(encodeDicom(file))));
    expect(decoded).toHaveLength(expected.length);
    const largest = Math.max(...decoded.map((value, index) => Math.abs(value - (expected[index] ?? 0))));
    expect(largest).toBeLessThanOrEqual(tolerance);
  });

  it.each(named)('of %s is refused where it is cut short', async (name) => {
    const stream = streamOf(name);
    for (const share of [0, 0.02, 0.3, 0.7, 0.95]) {
      const cut = stream.subarray(0, Math.floor(stream.length * share));
      expect([share, (await refusalOf(withStream(name, cut)))[0]]).toEqual([share, 'DICOM_DECODER_FAILED']);
    }
  });

  it.each(['.4.50', '.4.51', '.4.70', '.4.80'])(
    'of %s is refused without its end, and with an end put on too soon',
    async (name) => {
      const end = streamOf(name).lastIndexOf(Buffer.from('ffd9', 'hex'));
      const whole = streamOf(name).subarray(0, end);
      expect(await refusalOf(withStream(name, whole))).toEqual(['DICOM_DECODER_FAILED', 'PixelData']);
      // What libjpeg and charls find is theirs to say; our own decoders must notice that bits are missing.
      if (name === '.4.50' || name === '.4.80') return;
      const short = Buffer.concat([whole.subarray(0, Math.floor(end * 0.8)), Buffer.from('ffd9', 'hex')]);
      expect(await refusalOf(withStream(name, short))).toEqual(['DICOM_DECODER_FAILED', 'PixelData']);
    },
  );

  it('of JPEG 2000 is refused where the decoder gives nothing and says nothing', async () => {
    const stream = streamOf('.4.90');
    stream[stream.indexOf(Buffer.from('ff52', 'hex')) + 9] = 255;
    expect(await refusalOf(withStream('.4.90', stream))).toEqual(['DICOM_DECODER_FAILED', 'PixelData']);
  });

  it('of JPEG says by its own marks what its colours are', async () => {
    const colours = [200, 30, 40, 20, 180, 60, 90, 90, 240];
    const samples = Uint8Array.from(
      { length: 16 * 24 * 3 },
      (_, index) => colours[Math.floor(index / 384) * 3 + (index % 3)] ?? 0,
    );
    const stream = await encodeColourJpeg(samples, 16, 24);
    const content = mrSlice({ rows: 16, columns: 24 }, ...bits(8), ...rgb);
    const image = openImage(compressedFile('.4.50', [stream], content));
    const frame = await image?.decodeFrame(0);
    if (frame === undefined || image === null) throw new Error('no image');
    expect(frame.photometricInterpretation).toBe('YBR_FULL');
    const back = toRgb(frame, image.attributes, image.description);
    expect(
      [0, 1, 2, 1149, 1150, 1151].map((at) => Math.abs((back[at] ?? 0) - (samples[at] ?? 0)) < 8),
    ).not.toContain(false);
  });

  it.each(named)('of %s is refused where it is noise', async (name) => {
    const noise = Buffer.from(Array.from({ length: 4000 }, (_, index) => (index * 151 + (index >> 3)) % 256));
    expect(await refusalOf(withStream(name, noise))).toEqual(['DICOM_DECODER_FAILED', 'PixelData']);
  });

  it.each(['.4.50', '.4.51', '.4.70', '.4.80', '.4.90', '.4.201'])(
    'of %s is refused where it is of another size than the image',
    async (name) => {
      const stream = streamOf(name);
      expect(await refusalOf(withStream(name, stream, us(0x00280010, 17)))).toEqual([
        'DICOM_BAD_VALUE',
        'Rows',
      ]);
      expect(await refusalOf(withStream(name, stream, us(0x00280011, 23)))).toEqual([
        'DICOM_BAD_VALUE',
        'Columns',
      ]);
      expect(await refusalOf(withStream(name, stream, ...rgb))).toEqual([
        'DICOM_BAD_VALUE',
        'SamplesPerPixel',
      ]);
    },
  );

  it('that says 65535 x 65535 pixels is refused before a decoder allocates them', async () => {
    const vast = [us(0x00280010, 65_535), us(0x00280011, 65_535)];
    for (const name of named) {
      expect(await refusalOf(withStream(name, streamOf(name), ...vast))).toEqual([
        'DICOM_IMAGE_TOO_LARGE',
        'Rows',
      ]);
    }
    const siz = Buffer.from(streamOf('.4.90'));
    siz.writeUInt32BE(65_535, 8);
    siz.writeUInt32BE(65_535, 12);
    expect(await refusalOf(withStream('.4.90', siz))).toEqual(['DICOM_BAD_VALUE', 'Rows']);
  });

  it.each<[string, (stream: Buffer, cod: number) => Buffer]>([
    ['code-blocks of 4 x 4', (stream, cod) => Buffer.from(stream.fill(0, cod + 10, cod + 12))],
    [
      '65,535 layers of a thousand precincts',
      (stream, cod) => {
        stream.writeUInt16BE(65_535, cod + 6);
        return withPrecincts(stream, cod, 0x88);
      },
    ],
    ['precincts of one pixel', (stream, cod) => withPrecincts(stream, cod, 0x00)],
    [
      'tiles of one pixel',
      (stream) => {
        stream.writeUInt32BE(1, 24);
        stream.writeUInt32BE(1, 28);
        return stream;
      },
    ],
    ['40 levels', (stream, cod) => Buffer.from(stream.fill(40, cod + 9, cod + 10))],
  ])(
    'of 8192 x 8192 JPEG 2000 pixels in %s is refused before a decoder keeps account of them',
    async (_, change) => {
      for (const name of ['.4.90', '.4.201']) {
        const stream = Buffer.from(streamOf(name));
        for (const at of [8, 12, 24, 28]) stream.writeUInt32BE(8_192, at);
        const changed = change(stream, stream.indexOf(Buffer.from('ff52', 'hex')));
        const file = withStream(name, changed, us(0x00280010, 8_192), us(0x00280011, 8_192));
        const startedMs = performance.now();
        expect(await refusalOf(file)).toEqual(['DICOM_DECODER_FAILED', 'PixelData']);
        expect(performance.now() - startedMs).toBeLessThan(1_000);
      }
    },
  );

  it('in several fragments a frame is put together by offsets, or by how frames begin', async () => {
    const stream = streamOf('.4.70');
    const parts = [stream.subarray(0, 40), stream.subarray(40)];
    const content = dataSet(
      ...sampleOf('.4.70').file.dataSet.elements.filter((each) => each.tag !== pixelData),
      element(0x00280008, '2 '),
    );
    const file = compressedFile('.4.70', [...parts, ...parts], content);
    expect(await samplesOf(file, 1)).toEqual([...gradient(16, 24)]);
    const pixels = file.dataSet.elements.at(-1);
    const listed = { ...pixels, offsets: [0, 8 + 8 + 40 + (stream.length - 40)] } as DicomElement;
    expect(await samplesOf({ ...file, dataSet: dataSet(...content.elements, listed) }, 1)).toEqual([
      ...gradient(16, 24),
    ]);
    const runs = compressedFile(
      '.5',
      [streamOf('.5').subarray(0, 40), streamOf('.5').subarray(40), streamOf('.5')],
      content,
    );
    expect(await refusalOf(runs)).toEqual(['DICOM_BAD_FRAGMENTS', 'PixelData']);
  });
});

describe('an image that cannot be as it says', () => {
  const eight = Uint8Array.from({ length: 16 }, (_, index) => index);
  const run = Buffer.concat([
    Buffer.from([1, 0, 0, 0, 64, 0, 0, 0]),
    Buffer.alloc(56),
    Buffer.from([0x81, 7]),
  ]);
  const shortLiteral = Buffer.concat([run.subarray(0, 64), Buffer.from([3, 1, 2, 3])]);

  it.each<[string, DicomFile, string, string]>([
    ['0 bits', slice(eight, us(0x00280100, 0)), 'DICOM_BAD_VALUE', 'BitsAllocated'],
    ['7 bits', slice(eight, us(0x00280100, 7)), 'DICOM_BAD_VALUE', 'BitsAllocated'],
    ['64 bits', slice(eight, us(0x00280100, 64)), 'DICOM_UNSUPPORTED_IMAGE', 'BitsAllocated'],
    ['12 packed bits', slice(eight, us(0x00280100, 12)), 'DICOM_UNSUPPORTED_IMAGE', 'BitsAllocated'],
    ['more bits stored than allocated', slice(eight, us(0x00280101, 17)), 'DICOM_BAD_VALUE', 'BitsStored'],
    ['a high bit outside of the word', slice(eight, us(0x00280102, 16)), 'DICOM_BAD_VALUE', 'HighBit'],
    ['a sign that is none', slice(eight, us(0x00280103, 2)), 'DICOM_BAD_VALUE', 'PixelRepresentation'],
    ['no rows', slice(eight, us(0x00280010, 0)), 'DICOM_BAD_VALUE', 'Rows'],
    ['two samples', slice(eight, us(0x00280002, 2)), 'DICOM_BAD_VALUE', 'SamplesPerPixel'],
    ['three grey samples', slice(eight, us(0x00280002, 3)), 'DICOM_BAD_VALUE', 'PhotometricInterpretation'],
    [
      'a colour model that is none',
      slice(eight, element(0x00280004, 'GREEN ')),
      'DICOM_BAD_VALUE',
      'PhotometricInterpretation',
    ],
    [
      'a retired colour model',
      slice(eight, element(0x00280004, 'CMYK')),
      'DICOM_UNSUPPORTED_IMAGE',
      'PhotometricInterpretation',
    ],
    ['no frames', slice(eight, element(0x00280008, '0 ')), 'DICOM_BAD_VALUE', 'NumberOfFrames'],
    ['-1 frames', slice(eight, element(0x00280008, '-1')), 'DICOM_BAD_VALUE', 'NumberOfFrames'],
    [
      'two thousand million frames',
      slice(eight, element(0x00280008, '2000000000')),
      'DICOM_IMAGE_TOO_LARGE',
      'NumberOfFrames',
    ],
    [
      '65535 x 65535 pixels',
      slice(eight, us(0x00280010, 65_535), us(0x00280011, 65_535)),
      'DICOM_IMAGE_TOO_LARGE',
      'Rows',
    ],
    ['more frames than pixels', slice(eight, element(0x00280008, '2 ')), 'DICOM_PIXEL_COUNT', 'PixelData'],
    [
      'fewer fragments than frames',
      compressedFile('.5', [run], mrSlice({}, element(0x00280008, '2 '))),
      'DICOM_PIXEL_COUNT',
      'NumberOfFrames',
    ],
    [
      'a run past its plane',
      compressedFile('.5', [run], mrSlice({ rows: 1, columns: 4 }, ...bits(8))),
      'decoded',
      '',
    ],
    [
      'a literal past its segment',
      compressedFile('.5', [shortLiteral], mrSlice({ rows: 1, columns: 4 }, ...bits(8))),
      'DICOM_DECODER_FAILED',
      'PixelData',
    ],
    [
      'run lengths of too few segments',
      compressedFile('.5', [run], mrSlice({ rows: 1, columns: 4 })),
      'DICOM_DECODER_FAILED',
      'PixelData',
    ],
    [
      'fragments under a native syntax',
      compressedFile('.1', [eight], mrSlice({ rows: 2, columns: 4 })),
      'DICOM_BAD_FRAGMENTS',
      'PixelData',
    ],
    [
      'native pixels under a compressed syntax',
      { ...slice(eight), transferSyntaxUid: '1.2.840.10008.1.2.4.90' },
      'DICOM_BAD_FRAGMENTS',
      'PixelData',
    ],
    [
      'video',
      { ...slice(eight), transferSyntaxUid: '1.2.840.10008.1.2.4.102' },
      'TRANSFER_SYNTAX_NOT_DECODED',
      'TransferSyntaxUID',
    ],
    [
      'a syntax of nobody',
      { ...slice(eight), transferSyntaxUid: '1.2.3' },
      'TRANSFER_SYNTAX_NOT_DECODED',
      'TransferSyntaxUID',
    ],
  ])('is refused by name: %s', async (_, file, code, field) => {
    expect(await refusalOf(file)).toEqual(code === 'decoded' ? 'decoded' : [code, field]);
  });
});

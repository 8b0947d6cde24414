// DICOM objects with compressed pixel data, for tests: the streams are made by the codecs' own encoders, by run lengths written
// here, and by tests/support/jpeg-encoder.ts.
import { createRequire } from 'node:module';
import { deflateRawSync } from 'node:zlib';
import { type DataSet, type DicomFile, encodeDicom } from '#site/deidentify/index.ts';
import { dataSet, dicomFile, element, mrSlice } from '#support/dicom-object.ts';
import { encodeLosslessJpeg, encodeTwelveBitJpeg } from '#support/jpeg-encoder.ts';

const stem = '1.2.840.10008.1.2';

interface CodecEncoder {
  getDecodedBuffer(shape: object): Uint8Array;
  getEncodedBuffer(): Uint8Array;
  setDecompositions?(count: number): void;
  setNearLossless?(allowed: number): void;
  setQuality?(...settings: readonly (boolean | number)[]): void;
  encode(): void;
  delete(): void;
}

const require = createRequire(import.meta.url);

async function encodeWith(
  [module, name]: readonly [string, string],
  samples: Uint8Array | Uint16Array,
  shape: { rows: number; columns: number; bits: number; components?: number; isSigned?: boolean },
): Promise<Buffer> {
  const codec = await require(module)({ print: () => undefined, printErr: () => undefined });
  const encoder: CodecEncoder = new codec[name]();
  const target = encoder.getDecodedBuffer({
    width: shape.columns,
    height: shape.rows,
    bitsPerSample: shape.bits,
    componentCount: shape.components ?? 1,
    isSigned: shape.isSigned ?? false,
    isUsingColorTransform: false,
  });
  target.set(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
  encoder.setNearLossless?.(0);
  encoder.setDecompositions?.(2);
  if (name === 'JPEGEncoder') encoder.setQuality?.(95);
  else encoder.setQuality?.(true, 0);
  encoder.encode();
  const stream = Buffer.from(encoder.getEncodedBuffer());
  encoder.delete();
  return stream;
}

/** 8-bit JPEG of RGB samples, which libjpeg turns into YCbCr and marks with JFIF. */
export const encodeColourJpeg = (rgb: Uint8Array, rows: number, columns: number): Promise<Buffer> =>
  encodeWith(['@cornerstonejs/codec-libjpeg-turbo-8bit/wasmjs', 'JPEGEncoder'], rgb, {
    rows,
    columns,
    bits: 8,
    components: 3,
  });

/** Run lengths of little-endian samples (PS3.5 G), a literal run at a time but for repeats. */
export function encodeRle(samples: Uint8Array | Uint16Array | Uint32Array, componentCount = 1): Buffer {
  const width = samples.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  const segments: Buffer[] = [];
  for (let component = 0; component < componentCount; component += 1) {
    for (let byte = width - 1; byte >= 0; byte -= 1) {
      const plane = Array.from(
        { length: samples.length / componentCount },
        (_, pixel) => bytes[(pixel * componentCount + component) * width + byte] ?? 0,
      );
      segments.push(encodeRuns(plane));
    }
  }
  const header = Buffer.alloc(64);
  header.writeUInt32LE(segments.length);
  let offset = 64;
  for (const [index, segment] of segments.entries()) {
    header.writeUInt32LE(offset, 4 + index * 4);
    offset += segment.length;
  }
  return Buffer.concat([header, ...segments]);
}

function encodeRuns(plane: readonly number[]): Buffer {
  const runs: number[] = [];
  for (let at = 0; at < plane.length; ) {
    let length = 1;
    while (length < 128 && at + length < plane.length && plane[at + length] === plane[at]) length += 1;
    if (length > 1) runs.push(257 - length, plane[at] ?? 0);
    else runs.push(0, plane[at] ?? 0);
    at += length;
  }
  return Buffer.from(runs.length % 2 === 0 ? runs : [...runs, 0]);
}

/** A slice of a soft gradient with an edge in it, of 12 bits. */
export function gradient(rows: number, columns: number): Uint16Array {
  return Uint16Array.from({ length: rows * columns }, (_, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    return Math.min(4095, row * 37 + column * 11 + (row > rows / 2 && column > columns / 3 ? 900 : 0));
  });
}

/** An MR slice whose frames are the given streams. */
export function compressedFile(suffix: string, streams: readonly Uint8Array[], content: DataSet): DicomFile {
  const pixels = { tag: 0x7fe00010, vr: 'OB' as const, offsets: [], fragments: streams.map(evenLength) };
  return dicomFile(dataSet(...content.elements, pixels), { transferSyntaxUid: `${stem}${suffix}` });
}

function evenLength(stream: Uint8Array): Uint8Array {
  return stream.length % 2 === 0 ? stream : Buffer.concat([stream, Buffer.alloc(1)]);
}

export interface CompressedSample {
  readonly name: string;
  readonly file: DicomFile;
  /** What the frame decodes to, within `tolerance`. */
  readonly expected: ArrayLike<number>;
  readonly tolerance: number;
}

/** One small object for each decoder. */
export async function compressedSamples(rows = 16, columns = 24): Promise<CompressedSample[]> {
  const pixels = gradient(rows, columns);
  const shape = { rows, columns, bits: 12 };
  const grey = mrSlice({ rows, columns });
  const eightBit = dataSet(
    ...grey.elements,
    element(0x00280100, [8]),
    element(0x00280101, [8]),
    element(0x00280102, [7]),
  );
  const bytes = Uint8Array.from(pixels, (value) => value >> 4);
  const streamOf = async (suffix: string): Promise<Buffer> => {
    switch (suffix) {
      case '.4.51':
        return encodeTwelveBitJpeg(pixels, rows, columns);
      case '.4.70':
        return encodeLosslessJpeg(pixels, { rows, columns, componentCount: 1, precision: 12 });
      case '.4.80':
        return encodeWith(['@cornerstonejs/codec-charls/wasmjs', 'JpegLSEncoder'], pixels, shape);
      case '.4.90':
        return encodeWith(['@cornerstonejs/codec-openjpeg/wasmjs', 'J2KEncoder'], pixels, shape);
      case '.4.201':
        return encodeWith(['@cornerstonejs/codec-openjph/wasmjs', 'HTJ2KEncoder'], pixels, shape);
      case '.8.1':
        return deflateRawSync(new Uint8Array(pixels.buffer));
      default:
        return encodeRle(pixels);
    }
  };
  const samples: CompressedSample[] = [];
  for (const suffix of ['.4.51', '.4.70', '.4.80', '.4.90', '.4.201', '.5', '.8.1']) {
    const file = compressedFile(suffix, [await streamOf(suffix)], grey);
    samples.push({ name: suffix, file, expected: pixels, tolerance: suffix === '.4.51' ? 1 : 0 });
  }
  const jpeg = await encodeWith(['@cornerstonejs/codec-libjpeg-turbo-8bit/wasmjs', 'JPEGEncoder'], bytes, {
    ...shape,
    bits: 8,
  });
  samples.push({
    name: '.4.50',
    file: compressedFile('.4.50', [jpeg], eightBit),
    expected: bytes,
    tolerance: 24,
  });
  return samples;
}

/** Part 10 bytes of a file with compressed pixel data. */
export const writeCompressed = (file: DicomFile): Buffer => Buffer.from(encodeDicom(file));

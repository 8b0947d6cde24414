// Whether text is drawn into the pixels of an object (security.md D5): a few frames of it, one plane of each, without a copy where the
// samples can be read as they lie.
import { type DicomFile, findElement, hasDrawnText, type PixelPlane } from '#site/deidentify/index.ts';
import { type Attributes, attributesOf } from './attributes.ts';
import { openImage } from './decode-frame.ts';

const pixelData = 0x7fe00010;
/** Text that is drawn into one frame is drawn into its neighbours. */
const mostFrames = 5;

/** The numbers of frames that are looked at: evenly spread, the first and the last among them. */
export function examinedFrames(frameCount: number): number[] {
  const count = Math.min(frameCount, mostFrames);
  const step = count > 1 ? (frameCount - 1) / (count - 1) : 0;
  return Array.from({ length: count }, (_, index) => Math.round(index * step));
}

interface NativeShape {
  readonly rows: number;
  readonly columns: number;
  readonly frameCount: number;
  readonly samplesPerPixel: number;
  readonly photometric: string;
  readonly bitsAllocated: number;
  readonly isSigned: boolean;
  readonly isPlanar: boolean;
}

/**
 * Whether the pixels of an object show drawn text; false where it has none, or samples of more than 16 bits.
 * @throws DicomRefusal where the pixels cannot be decoded: nobody can say then what they show
 */
export async function hasTextInPixels(file: DicomFile): Promise<boolean> {
  return hasTextInNativePixels(file) ?? hasTextInDecodedPixels(file);
}

/**
 * Whether native pixels of 8 or 16 bits show drawn text; null where the pixels are of another kind and must be decoded first.
 * @throws DicomRefusal DICOM_BAD_VALUE
 */
export function hasTextInNativePixels(file: DicomFile): boolean | null {
  const element = findElement(file.dataSet, pixelData);
  if (element === undefined || !('bytes' in element)) return null;
  const attributes = attributesOf(file);
  const shape = nativeShape(attributes);
  if (shape === null || (!file.isLittleEndian && shape.bitsAllocated === 16)) return null;
  const { rows, columns, frameCount, samplesPerPixel, bitsAllocated } = shape;
  const frameBytes = (rows * columns * samplesPerPixel * bitsAllocated) / 8;
  if (frameBytes === 0 || element.bytes.length < frameBytes * frameCount) return null;
  return examinedFrames(frameCount).some((frame) =>
    hasDrawnText(nativePlane(element.bytes.subarray(frame * frameBytes, (frame + 1) * frameBytes), shape)),
  );
}

function nativeShape(attributes: Attributes): NativeShape | null {
  const number = (tag: number, otherwise: number) => attributes.number(tag) ?? otherwise;
  const bitsAllocated = number(0x00280100, 0);
  const samplesPerPixel = number(0x00280002, 1);
  const photometric = attributes.text(0x00280004) ?? '';
  if (bitsAllocated !== 8 && bitsAllocated !== 16) return null;
  if ((samplesPerPixel !== 1 && samplesPerPixel !== 3) || /_42[02]$/.test(photometric)) return null;
  return {
    rows: number(0x00280010, 0),
    columns: number(0x00280011, 0),
    frameCount: Math.max(1, number(0x00280008, 1)),
    samplesPerPixel,
    photometric,
    bitsAllocated,
    isSigned: number(0x00280103, 0) === 1,
    isPlanar: number(0x00280006, 0) === 1,
  };
}

function nativePlane(frame: Uint8Array, shape: NativeShape): PixelPlane {
  const { rows, columns, samplesPerPixel, bitsAllocated, isSigned } = shape;
  const size = bitsAllocated / 8;
  // A view of words must begin at a whole word.
  const bytes = frame.byteOffset % size === 0 ? frame : new Uint8Array(frame);
  const samples = size === 1 ? asBytes(bytes, isSigned) : asWords(bytes, isSigned);
  if (samplesPerPixel === 1) return { rows, columns, samples };
  return { rows, columns, samples: tellingPlane(samples, rows * columns, shape) };
}

function asBytes({ buffer, byteOffset, length }: Uint8Array, isSigned: boolean): Int8Array | Uint8Array {
  return isSigned ? new Int8Array(buffer, byteOffset, length) : new Uint8Array(buffer, byteOffset, length);
}

function asWords({ buffer, byteOffset, length }: Uint8Array, isSigned: boolean): Int16Array | Uint16Array {
  const words = length >> 1;
  return isSigned ? new Int16Array(buffer, byteOffset, words) : new Uint16Array(buffer, byteOffset, words);
}

/** Luminance of YBR, else green: the plane in which neither white nor yellow text is missing. */
function tellingPlane(
  samples: PixelPlane['samples'],
  pixelCount: number,
  { photometric, isPlanar }: { readonly photometric: string; readonly isPlanar: boolean },
): PixelPlane['samples'] {
  const first = photometric.startsWith('YBR') ? 0 : 1;
  if (isPlanar) return samples.subarray(first * pixelCount, (first + 1) * pixelCount);
  const plane = new Uint16Array(pixelCount);
  for (let pixel = 0; pixel < pixelCount; pixel += 1) plane[pixel] = samples[3 * pixel + first] ?? 0;
  return plane;
}

/** Whether the frames of an object that must be decoded show drawn text. @throws DicomRefusal as `openImage` does */
async function hasTextInDecodedPixels(file: DicomFile): Promise<boolean> {
  const image = openImage(file);
  if (image === null) return false;
  for (const frameIndex of examinedFrames(image.description.frameCount)) {
    const { rows, columns, samples, samplesPerPixel, photometricInterpretation } =
      await image.decodeFrame(frameIndex);
    if (samples.BYTES_PER_ELEMENT > 2) return false;
    const integers = samples as PixelPlane['samples'];
    const shape = { photometric: photometricInterpretation, isPlanar: false };
    const plane = samplesPerPixel === 1 ? integers : tellingPlane(integers, rows * columns, shape);
    if (hasDrawnText({ rows, columns, samples: plane })) return true;
  }
  return false;
}

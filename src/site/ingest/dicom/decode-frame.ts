// Decodes one frame of any object, whatever its transfer syntax, to stored values (pixel-frame.ts). Every stream is held against the
// image's description before and after decoding: no frame comes out that is not whole.
import { inflateRawSync } from 'node:zlib';
import type { DicomFile } from '#site/deidentify/index.ts';
import { type Attributes, attributesOf } from './attributes.ts';
import { DicomRefusal } from './dicom-refusal.ts';
import { joinFragments, locatePixels, type NativePixels } from './frame-bytes.ts';
import { describeImage, type ImageDescription, type ImageLimits } from './image-description.ts';
import { readJpeg2000Header, verifyTileParts } from './jpeg-2000-header.ts';
import {
  containersOf,
  type DecodedFrame,
  decodeJpeg,
  decodeJpegLossless,
  decodeJpegLs,
  verifyShape,
} from './jpeg-frame.ts';
import {
  expandChroma,
  frameBits,
  nativeContainers,
  nativeFloats,
  unpackBits,
  verifyNativeLength,
} from './native-frame.ts';
import { interleave, type PixelFrame, storedValues } from './pixel-frame.ts';
import { decodeRle } from './rle-frame.ts';
import { encapsulatedUncompressed, type PixelDecoder, transferSyntaxOf } from './transfer-syntaxes.ts';
import { decodeWithCodec, type WasmCodec } from './wasm-codec.ts';

export interface DicomImage {
  readonly attributes: Attributes;
  readonly description: ImageDescription;
  /** @throws DicomRefusal DICOM_BAD_VALUE, DICOM_DECODER_FAILED, DICOM_PIXEL_COUNT, DICOM_UNSUPPORTED_IMAGE */
  decodeFrame(frameIndex: number): Promise<PixelFrame>;
}

/**
 * Opens the image of an object; null where it has no pixel data.
 * @throws DicomRefusal DICOM_BAD_VALUE, DICOM_IMAGE_TOO_LARGE, DICOM_PIXEL_COUNT, DICOM_BAD_FRAGMENTS, DICOM_UNSUPPORTED_IMAGE,
 * TRANSFER_SYNTAX_NOT_DECODED
 */
export function openImage(file: DicomFile, limits?: ImageLimits): DicomImage | null {
  const attributes = attributesOf(file);
  const description = describeImage(attributes, limits);
  if (description === null) return null;
  const decoder = transferSyntaxOf(file.transferSyntaxUid)?.decoder ?? 'none';
  if (decoder === 'none') throw new DicomRefusal('TRANSFER_SYNTAX_NOT_DECODED', 'TransferSyntaxUID');
  const pixels = locatePixels(file, attributes, description);
  if (pixels.kind === 'native') {
    // Attack: native pixels under a compressed syntax, which two readers take for two different images.
    if (decoder !== 'native') throw new DicomRefusal('DICOM_BAD_FRAGMENTS', 'PixelData');
    verifyNativeLength(pixels, description);
    return {
      attributes,
      description,
      decodeFrame: (frameIndex) =>
        Promise.resolve(nativeFrame(pixels, description, checkedIndex(frameIndex, description))),
    };
  }
  // Attack: the same the other way round, fragments of who knows what under a syntax that has none.
  if (decoder === 'native' && file.transferSyntaxUid !== encapsulatedUncompressed) {
    throw new DicomRefusal('DICOM_BAD_FRAGMENTS', 'PixelData');
  }
  return {
    attributes,
    description,
    decodeFrame: async (frameIndex) => {
      const stream = joinFragments(pixels.streams[checkedIndex(frameIndex, description)] ?? []);
      return frameOf(await decodeStream(decoder, stream, description), description);
    },
  };
}

function checkedIndex(frameIndex: number, { frameCount }: ImageDescription): number {
  if (!Number.isInteger(frameIndex) || frameIndex < 0 || frameIndex >= frameCount) {
    throw new DicomRefusal('DICOM_PIXEL_COUNT', 'NumberOfFrames');
  }
  return frameIndex;
}

function nativeFrame(pixels: NativePixels, description: ImageDescription, frameIndex: number): PixelFrame {
  if (description.sampleKind === 'float') {
    const { rows, columns, samplesPerPixel, photometricInterpretation } = description;
    return {
      rows,
      columns,
      samplesPerPixel,
      photometricInterpretation,
      samples: nativeFloats(pixels, description, frameIndex),
    };
  }
  return frameOf(unfolded(nativeContainers(pixels, description, frameIndex), description), description);
}

/** Native containers with shared chroma repeated and planes interleaved. */
function unfolded(containers: DecodedFrame['containers'], description: ImageDescription): DecodedFrame {
  const { photometricInterpretation, isPlanar, bitsAllocated: precision } = description;
  if (photometricInterpretation.endsWith('_422')) {
    if (!(containers instanceof Uint8Array))
      throw new DicomRefusal('DICOM_UNSUPPORTED_IMAGE', 'BitsAllocated');
    const isFull = photometricInterpretation === 'YBR_FULL_422';
    const expanded = isFull ? 'YBR_FULL' : photometricInterpretation;
    return { containers: expandChroma(containers), photometricInterpretation: expanded, precision };
  }
  return { containers: isPlanar ? interleave(containers) : containers, photometricInterpretation, precision };
}

async function decodeStream(
  decoder: PixelDecoder,
  stream: Uint8Array,
  description: ImageDescription,
): Promise<DecodedFrame> {
  switch (decoder) {
    case 'jpeg':
      return decodeJpeg(stream, description);
    case 'jpeg-lossless':
      return decodeJpegLossless(stream, description);
    case 'jpeg-ls':
      return decodeJpegLs(stream, description);
    case 'jpeg-2000':
      return decodeJpeg2000('openjpeg', stream, description);
    case 'htj2k':
      return decodeJpeg2000('openjph', stream, description);
    case 'rle':
      return decodeRleFrame(stream, description);
    case 'deflate':
      return unfolded(
        nativeContainers(asNative(inflateFrame(stream, description)), description, 0),
        description,
      );
    default:
      if (frameBits(description) > stream.length * 8)
        throw new DicomRefusal('DICOM_PIXEL_COUNT', 'PixelData');
      return unfolded(nativeContainers(asNative(stream), description, 0), description);
  }
}

const asNative = (bytes: Uint8Array): NativePixels => ({
  kind: 'native',
  bytes,
  isLittleEndian: true,
  areWords: false,
});

async function decodeJpeg2000(
  codec: WasmCodec,
  stream: Uint8Array,
  description: ImageDescription,
): Promise<DecodedFrame> {
  const header = readJpeg2000Header(stream);
  verifyShape(header, description);
  if (header.precision > 16) throw new DicomRefusal('DICOM_UNSUPPORTED_IMAGE', 'BitsStored');
  if (header.precision > Math.max(8, description.bitsAllocated))
    throw new DicomRefusal('DICOM_BAD_VALUE', 'BitsAllocated');
  verifyTileParts(stream, header);
  const decoded = await decodeWithCodec(codec, stream);
  verifyShape(decoded, description);
  const { photometricInterpretation: stated } = description;
  // The decoder undoes RCT and ICT, and leaves components that were coded as they are.
  const photometricInterpretation = stated === 'YBR_RCT' || stated === 'YBR_ICT' ? 'RGB' : stated;
  return {
    containers: containersOf(decoded.bytes, header.precision),
    photometricInterpretation,
    precision: header.precision,
  };
}

function decodeRleFrame(stream: Uint8Array, description: ImageDescription): DecodedFrame {
  const { rows, columns, samplesPerPixel, bitsAllocated, photometricInterpretation } = description;
  if (bitsAllocated === 1) {
    const planeLength = Math.ceil((rows * columns) / 8);
    const packed = decodeRle(stream, { planeLength, samplesPerPixel: 1, bytesPerSample: 1 });
    return { containers: unpackBits(packed, 0, rows * columns), photometricInterpretation, precision: 1 };
  }
  const bytes = decodeRle(stream, {
    planeLength: rows * columns,
    samplesPerPixel,
    bytesPerSample: bitsAllocated / 8,
  });
  const containers =
    bitsAllocated === 32 ? new Uint32Array(bytes.buffer) : containersOf(bytes, bitsAllocated);
  return { containers, photometricInterpretation, precision: bitsAllocated };
}

/** Deflated Image Frame Compression (PS3.5 A.4.13): no more is inflated than the frame may have. */
function inflateFrame(stream: Uint8Array, description: ImageDescription): Uint8Array {
  const byteCount = Math.ceil(frameBits(description) / 8);
  try {
    // One byte of padding makes an odd frame even.
    const bytes = inflateRawSync(stream, { maxOutputLength: byteCount + 1 });
    if (bytes.length >= byteCount) return bytes;
  } catch {
    // Refused below: broken, or larger than the frame.
  }
  throw new DicomRefusal('DICOM_DECODER_FAILED', 'PixelData');
}

function frameOf(decoded: DecodedFrame, description: ImageDescription): PixelFrame {
  const { rows, columns, samplesPerPixel } = description;
  if (decoded.containers.length !== rows * columns * samplesPerPixel) {
    throw new DicomRefusal('DICOM_DECODER_FAILED', 'PixelData');
  }
  const { photometricInterpretation } = decoded;
  return {
    rows,
    columns,
    samplesPerPixel,
    photometricInterpretation,
    samples: storedValues(decoded.containers, description),
  };
}

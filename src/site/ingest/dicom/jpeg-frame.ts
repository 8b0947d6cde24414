// Decodes frames of the JPEG family: 8-bit DCT by libjpeg-turbo, 12-bit and progressive DCT and lossless by our own, JPEG-LS by
// charls. Says what the components are by the stream's own marks before the object's word (an RGB image may hold YCbCr, and back).
import { DicomRefusal } from './dicom-refusal.ts';
import type { ImageDescription, PhotometricInterpretation } from './image-description.ts';
import { decodeDctJpeg } from './jpeg/jpeg-dct.ts';
import { brokenStream, type JpegFrame, readJpegHeader, segmentsFrom } from './jpeg/jpeg-header.ts';
import { decodeLosslessJpeg } from './jpeg/jpeg-lossless.ts';
import { interleave } from './pixel-frame.ts';
import { decodeWithCodec } from './wasm-codec.ts';

export interface DecodedFrame {
  readonly containers: Uint8Array | Uint16Array | Uint32Array;
  readonly photometricInterpretation: PhotometricInterpretation;
  /** Bits of a sample, as the stream has them. */
  readonly precision: number;
}

/** @throws DicomRefusal DICOM_DECODER_FAILED, DICOM_BAD_VALUE, DICOM_UNSUPPORTED_IMAGE */
export async function decodeJpeg(stream: Uint8Array, description: ImageDescription): Promise<DecodedFrame> {
  const header = checkedHeader(stream, description);
  const { precision, process } = header;
  const photometricInterpretation = componentMeaning(header, description);
  if (process > 0xc2) throw new DicomRefusal('DICOM_UNSUPPORTED_IMAGE', 'PixelData');
  if (precision !== 8) {
    return { containers: decodeDctJpeg(stream, header), photometricInterpretation, precision };
  }
  const decoded = await decodeWithCodec('libjpeg-turbo', withoutTransform(stream));
  verifyShape(decoded, description);
  return { containers: decoded.bytes, photometricInterpretation, precision };
}

/** @throws DicomRefusal DICOM_DECODER_FAILED, DICOM_BAD_VALUE */
export function decodeJpegLossless(stream: Uint8Array, description: ImageDescription): DecodedFrame {
  const header = checkedHeader(stream, description);
  const samples = decodeLosslessJpeg(stream, header);
  const { precision } = header;
  const containers = precision <= 8 ? Uint8Array.from(samples) : samples;
  return { containers, photometricInterpretation: description.photometricInterpretation, precision };
}

/** @throws DicomRefusal DICOM_DECODER_FAILED, DICOM_BAD_VALUE */
export async function decodeJpegLs(stream: Uint8Array, description: ImageDescription): Promise<DecodedFrame> {
  const { precision, process } = checkedHeader(stream, description);
  if (process !== 0xf7) throw brokenStream();
  const decoded = await decodeWithCodec('charls', stream);
  verifyShape(decoded, description);
  const containers = containersOf(decoded.bytes, precision);
  return {
    containers: decoded.isPlanar ? interleave(containers) : containers,
    photometricInterpretation: description.photometricInterpretation,
    precision,
  };
}

/** Bytes as samples of one or two of them. */
export function containersOf(bytes: Uint8Array, precision: number): Uint8Array | Uint16Array {
  if (precision <= 8) return bytes;
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
}

/** @throws DicomRefusal DICOM_BAD_VALUE where a stream is of another shape than the image */
export function verifyShape(
  stream: { rows: number; columns: number; samplesPerPixel: number },
  description: ImageDescription,
): void {
  if (stream.rows !== description.rows) throw new DicomRefusal('DICOM_BAD_VALUE', 'Rows');
  if (stream.columns !== description.columns) throw new DicomRefusal('DICOM_BAD_VALUE', 'Columns');
  if (stream.samplesPerPixel !== description.samplesPerPixel) {
    throw new DicomRefusal('DICOM_BAD_VALUE', 'SamplesPerPixel');
  }
}

function checkedHeader(stream: Uint8Array, description: ImageDescription): JpegFrame {
  const header = readJpegHeader(stream);
  verifyShape({ ...header, samplesPerPixel: header.components.length }, description);
  if (header.precision > description.bitsAllocated)
    throw new DicomRefusal('DICOM_BAD_VALUE', 'BitsAllocated');
  return header;
}

/** Adobe's marker, then components called R, G and B, then JFIF, then the object itself. */
function componentMeaning(
  header: JpegFrame,
  { photometricInterpretation }: ImageDescription,
): PhotometricInterpretation {
  if (header.components.length !== 3) return photometricInterpretation;
  if (header.adobeTransform === 0) return 'RGB';
  if (header.adobeTransform === 1) return 'YBR_FULL';
  if (header.components.map(({ id }) => String.fromCharCode(id)).join('') === 'RGB') return 'RGB';
  if (header.hasJfif) return 'YBR_FULL';
  return photometricInterpretation === 'RGB' ? 'RGB' : 'YBR_FULL';
}

/** The stream with marks that keep libjpeg from turning colours, which it would by marks that DICOM streams often lack. */
function withoutTransform(stream: Uint8Array): Buffer {
  const adobe = Buffer.from('ffee000e41646f626500640000000000', 'hex');
  const parts: Uint8Array[] = [stream.subarray(0, 2), adobe];
  for (const { marker, start, end } of segmentsFrom(stream, 2)) {
    if (marker === 0xda) {
      parts.push(stream.subarray(start));
      return Buffer.concat(parts);
    }
    if (marker !== 0xe0 && marker !== 0xee) parts.push(stream.subarray(start, end));
  }
  throw brokenStream();
}

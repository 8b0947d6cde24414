// Reads the markers of a JPEG or JPEG-LS stream up to its first scan (T.81 annex B), with nothing decoded: what the stream says it
// holds is checked against the image before a decoder sees it. A stream without its end is refused.
import { DicomRefusal } from '../dicom-refusal.ts';

export interface JpegComponent {
  readonly id: number;
  readonly horizontal: number;
  readonly vertical: number;
  readonly quantTable: number;
}

export interface JpegFrame {
  /** Low byte of the frame marker: 0xc0 baseline, 0xc1 extended, 0xc2 progressive, 0xc3 lossless, 0xf7 JPEG-LS. */
  readonly process: number;
  readonly precision: number;
  readonly rows: number;
  readonly columns: number;
  readonly components: readonly JpegComponent[];
  /** The transform of an Adobe marker: 0 none, 1 YCbCr; null without one. */
  readonly adobeTransform: number | null;
  readonly hasJfif: boolean;
}

export interface JpegSegment {
  readonly marker: number;
  /** Of the marker's first byte. */
  readonly start: number;
  /** Payload, without the length. */
  readonly bytes: Uint8Array;
  /** Where the next marker, or the entropy-coded data, begins. */
  readonly end: number;
}

/** @throws DicomRefusal DICOM_DECODER_FAILED */
export function readJpegHeader(stream: Uint8Array): JpegFrame {
  verifyEnd(stream);
  let adobeTransform: number | null = null;
  let hasJfif = false;
  for (const { marker, bytes } of segmentsFrom(stream, 2)) {
    if (marker === 0xee && isText(bytes, 'Adobe') && bytes.length >= 12) adobeTransform = bytes[11] ?? null;
    if (marker === 0xe0 && isText(bytes, 'JFIF')) hasJfif = true;
    if (isFrameMarker(marker)) return { ...parseFrame(marker, bytes), adobeTransform, hasJfif };
    if (marker === 0xda) break;
  }
  throw brokenStream();
}

/** Segments from `position` on; the caller leaves at a scan. */
export function* segmentsFrom(stream: Uint8Array, position: number): Generator<JpegSegment, void> {
  let at = position;
  for (;;) {
    if (stream[at] !== 0xff) throw brokenStream();
    while (stream[at + 1] === 0xff) at += 1;
    const marker = stream[at + 1];
    if (marker === undefined || marker === 0) throw brokenStream();
    if (marker === 0xd9 || (marker >= 0xd0 && marker <= 0xd7)) {
      yield { marker, start: at, bytes: stream.subarray(at, at), end: at + 2 };
      at += 2;
      continue;
    }
    const length = (stream[at + 2] ?? 0) * 0x100 + (stream[at + 3] ?? 0);
    const end = at + 2 + length;
    if (length < 2 || end > stream.length) throw brokenStream();
    yield { marker, start: at, bytes: stream.subarray(at + 4, end), end };
    at = end;
  }
}

export function brokenStream(): DicomRefusal {
  return new DicomRefusal('DICOM_DECODER_FAILED', 'PixelData');
}

/** C4, C8 and CC are no frames but tables. */
function isFrameMarker(marker: number): boolean {
  return (
    marker === 0xf7 ||
    (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc)
  );
}

function isText(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes.subarray(0, text.length)).toString('latin1') === text;
}

function parseFrame(process: number, bytes: Uint8Array): Omit<JpegFrame, 'adobeTransform' | 'hasJfif'> {
  const [precision = 0, rowsHigh = 0, rowsLow = 0, columnsHigh = 0, columnsLow = 0, count = 0] = bytes;
  if (count < 1 || count > 4 || bytes.length !== 6 + count * 3) throw brokenStream();
  const components = Array.from({ length: count }, (_, index) => {
    const [id = 0, factors = 0, quantTable = 0] = bytes.subarray(6 + index * 3);
    return { id, horizontal: factors >> 4, vertical: factors & 15, quantTable };
  });
  const isSampled = ({ horizontal, vertical }: JpegComponent) =>
    horizontal >= 1 && horizontal <= 4 && vertical >= 1 && vertical <= 4;
  if (!components.every(isSampled)) throw brokenStream();
  const rows = rowsHigh * 0x100 + rowsLow;
  const columns = columnsHigh * 0x100 + columnsLow;
  return { process, precision, rows, columns, components };
}

/** Attack: a stream cut short, which decoders fill up with grey without a word. Padding may follow the end marker. */
function verifyEnd(stream: Uint8Array): void {
  if (stream[0] !== 0xff || stream[1] !== 0xd8) throw brokenStream();
  let end = stream.length;
  while (end > 2 && (stream[end - 1] === 0 || (stream[end - 1] === 0xff && stream[end - 2] === 0xff)))
    end -= 1;
  if (stream[end - 1] === 0xff) end -= 1;
  if (end < 4 || stream[end - 2] !== 0xff || stream[end - 1] !== 0xd9) throw brokenStream();
}

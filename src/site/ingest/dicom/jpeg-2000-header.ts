// Reads the main header of a JPEG 2000 codestream and walks its tile-parts (T.800 annex A), with nothing decoded: what the
// stream says it holds is checked against the image before a decoder allocates for it. A stream cut short is refused.
import { DicomRefusal } from './dicom-refusal.ts';
import { isBearable, parseCodingStyle, type TiledImage } from './jpeg-2000-work.ts';

export interface Jpeg2000Header {
  readonly rows: number;
  readonly columns: number;
  readonly tileRows: number;
  readonly tileColumns: number;
  readonly samplesPerPixel: number;
  /** Bits of the widest component, and whether any is signed. */
  readonly precision: number;
  readonly isSigned: boolean;
}

/**
 * Reads the header of a codestream, bare or in a JP2 file.
 * @throws DicomRefusal DICOM_DECODER_FAILED, DICOM_UNSUPPORTED_IMAGE for subsampled components
 */
export function readJpeg2000Header(stream: Uint8Array): Jpeg2000Header {
  const bytes = Buffer.from(stream.buffer, stream.byteOffset, stream.byteLength);
  const start = codestreamAt(bytes);
  // SOC, then SIZ.
  if (start + 45 > bytes.length || bytes.readUInt16BE(start + 2) !== 0xff51) throw broken();
  const samplesPerPixel = bytes.readUInt16BE(start + 40);
  const componentsAt = start + 42;
  if (samplesPerPixel < 1 || samplesPerPixel > 4 || componentsAt + samplesPerPixel * 3 > bytes.length)
    throw broken();
  let precision = 0;
  let isSigned = false;
  for (let index = 0; index < samplesPerPixel; index += 1) {
    const [depth = 0, dx = 0, dy = 0] = bytes.subarray(componentsAt + index * 3);
    if (dx !== 1 || dy !== 1) throw new DicomRefusal('DICOM_UNSUPPORTED_IMAGE', 'PixelData');
    precision = Math.max(precision, (depth & 0x7f) + 1);
    isSigned ||= depth >= 0x80;
  }
  const columns = bytes.readUInt32BE(start + 8) - bytes.readUInt32BE(start + 16);
  const rows = bytes.readUInt32BE(start + 12) - bytes.readUInt32BE(start + 20);
  const [tileColumns, tileRows] = [bytes.readUInt32BE(start + 24), bytes.readUInt32BE(start + 28)];
  return { columns, rows, tileColumns, tileRows, samplesPerPixel, precision, isSigned };
}

/** 0 for a bare codestream; behind the boxes of a JP2 file else, which some writers put in against PS3.5 A.4.4. */
function codestreamAt(bytes: Buffer): number {
  if (bytes.length > 12 && bytes.readUInt32BE(4) === 0x6a502020) {
    const at = bytes.indexOf(Buffer.from('ff4fff51', 'hex'));
    if (at !== -1) return at;
  }
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xff4f) throw broken();
  return 0;
}

/**
 * Walks from tile-part to tile-part. Attack: a stream cut short, whose missing parts decoders fill with nothing.
 * @throws DicomRefusal DICOM_DECODER_FAILED
 */
export function verifyTileParts(stream: Uint8Array, header: Jpeg2000Header): void {
  const bytes = Buffer.from(stream.buffer, stream.byteOffset, stream.byteLength);
  const start = codestreamAt(bytes);
  const styles = new StyleCheck({ ...header, componentCount: header.samplesPerPixel });
  let at = start + 2;
  let partCount = 0;
  while (at + 4 <= bytes.length) {
    const marker = bytes.readUInt16BE(at);
    if (marker === 0xffd9) break;
    if (marker !== 0xff90) {
      if (partCount > 0 || marker < 0xff00) throw broken();
      at = styles.take(bytes, at);
      continue;
    }
    if (at + 12 > bytes.length) throw broken();
    partCount += 1;
    const partLength = bytes.readUInt32BE(at + 6);
    verifyTileHeader(bytes, at + 12, styles);
    // The last part may leave its length open: it goes on to the end marker.
    if (partLength === 0) return;
    if (partLength < 14 || at + partLength > bytes.length) throw broken();
    at += partLength;
  }
  if (partCount === 0) throw broken();
}

/** A tile may have a coding style of its own. */
function verifyTileHeader(bytes: Buffer, start: number, styles: StyleCheck): void {
  let at = start;
  while (at + 2 <= bytes.length && bytes.readUInt16BE(at) !== 0xff93) at = styles.take(bytes, at);
}

class StyleCheck {
  readonly #image: TiledImage;
  #layers = 1;

  constructor(image: TiledImage) {
    this.#image = image;
  }

  /** Looks at the segment that begins at `at`; gives where the next one does. */
  take(bytes: Buffer, at: number): number {
    if (at + 4 > bytes.length) throw broken();
    const marker = bytes.readUInt16BE(at);
    const end = at + 2 + bytes.readUInt16BE(at + 2);
    if (marker < 0xff00 || end < at + 4 || end > bytes.length) throw broken();
    if (marker === 0xff52 || marker === 0xff53) {
      const style = parseCodingStyle(bytes.subarray(at + 4, end), marker === 0xff52 ? null : this.#layers);
      if (style === undefined || !isBearable(this.#image, style)) throw broken();
      this.#layers = style.layers;
    }
    return end;
  }
}

function broken(): DicomRefusal {
  return new DicomRefusal('DICOM_DECODER_FAILED', 'PixelData');
}

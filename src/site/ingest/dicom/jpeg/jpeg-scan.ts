// Walks the scans of a JPEG stream: tables as they stand before each scan, the scan's header, and its entropy-coded data handed to
// the process that decodes it.
import { createHuffmanTable, type HuffmanTable, JpegBits } from './jpeg-bits.ts';
import { brokenStream, type JpegFrame, segmentsFrom } from './jpeg-header.ts';

export interface ScanComponent {
  /** Index in the frame's components. */
  readonly index: number;
  readonly dcTable: HuffmanTable | undefined;
  readonly acTable: HuffmanTable | undefined;
}

export interface JpegScan {
  readonly components: readonly ScanComponent[];
  /** Ss: first coefficient of a DCT scan, predictor of a lossless one. */
  readonly spectralStart: number;
  readonly spectralEnd: number;
  readonly approximationHigh: number;
  /** Al: bits still missing of a DCT scan, point transform of a lossless one. */
  readonly approximationLow: number;
  readonly restartInterval: number;
  readonly bits: JpegBits;
}

/** Attack: thousands of tiny progressive scans, each of which passes over the whole image. */
const maxScans = 100;

/**
 * Calls `decode` for each scan; gives the quantisation tables as they stood at the end.
 * @throws DicomRefusal DICOM_DECODER_FAILED
 */
export function decodeScans(
  stream: Uint8Array,
  frame: JpegFrame,
  decode: (scan: JpegScan) => void,
): ReadonlyMap<number, Uint16Array> {
  const tables = new ScanTables();
  let position = 2;
  for (let scanCount = 0; scanCount <= maxScans; scanCount += 1) {
    const scanAt = tables.readUntilScan(stream, position);
    if (scanAt === null) {
      if (scanCount === 0) throw brokenStream();
      return tables.quantisation;
    }
    const bits = new JpegBits(stream, scanAt.end);
    decode({ ...tables.scanHeader(scanAt.bytes, frame), restartInterval: tables.restartInterval, bits });
    position = nextMarker(stream, bits.position);
  }
  throw brokenStream();
}

/** Where the next marker stands that is no restart; bits left in the last byte before it are padding. */
function nextMarker(stream: Uint8Array, from: number): number {
  for (let at = from; at + 1 < stream.length; at += 1) {
    const next = stream[at + 1] ?? 0;
    if (stream[at] === 0xff && next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return at;
  }
  throw brokenStream();
}

class ScanTables {
  readonly quantisation = new Map<number, Uint16Array>();
  restartInterval = 0;
  readonly #huffman = new Map<number, HuffmanTable>();

  /** Takes in the tables before the next scan; null at the end of the image. */
  readUntilScan(stream: Uint8Array, position: number): { bytes: Uint8Array; end: number } | null {
    for (const { marker, bytes, end } of segmentsFrom(stream, position)) {
      if (marker === 0xd9) return null;
      if (marker === 0xda) return { bytes, end };
      if (marker === 0xc4) this.#readHuffman(bytes);
      if (marker === 0xdb) this.#readQuantisation(bytes);
      if (marker === 0xdd) this.restartInterval = (bytes[0] ?? 0) * 0x100 + (bytes[1] ?? 0);
      // Arithmetic coding, DNL and hierarchical streams are of no transfer syntax in use.
      if (marker === 0xcc || marker === 0xdc || marker === 0xde) throw brokenStream();
    }
    return null;
  }

  scanHeader(bytes: Uint8Array, frame: JpegFrame): Omit<JpegScan, 'restartInterval' | 'bits'> {
    const count = bytes[0] ?? 0;
    if (count < 1 || count > 4 || bytes.length !== 4 + count * 2) throw brokenStream();
    const components = Array.from({ length: count }, (_, at) => {
      const id = bytes[1 + at * 2];
      const selectors = bytes[2 + at * 2] ?? 0;
      const index = frame.components.findIndex((component) => component.id === id);
      if (index === -1) throw brokenStream();
      return {
        index,
        dcTable: this.#huffman.get(selectors >> 4),
        acTable: this.#huffman.get(0x10 + (selectors & 15)),
      };
    });
    const [spectralStart = 0, spectralEnd = 0, approximation = 0] = bytes.subarray(1 + count * 2);
    return {
      components,
      spectralStart,
      spectralEnd,
      approximationHigh: approximation >> 4,
      approximationLow: approximation & 15,
    };
  }

  #readHuffman(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const counts = bytes.subarray(at + 1, at + 17);
      const symbolCount = counts.reduce((sum, count) => sum + count, 0);
      const end = at + 17 + symbolCount;
      if (counts.length < 16 || symbolCount > 256 || end > bytes.length) throw brokenStream();
      // 0x10 parts the AC tables from the DC ones.
      this.#huffman.set(bytes[at] ?? 0, createHuffmanTable(counts, bytes.subarray(at + 17, end)));
      at = end;
    }
  }

  #readQuantisation(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const head = bytes[at] ?? 0;
      const width = head >> 4 === 0 ? 1 : 2;
      const end = at + 1 + 64 * width;
      if (end > bytes.length) throw brokenStream();
      const table = new Uint16Array(64);
      for (let index = 0; index < 64; index += 1) {
        const from = at + 1 + index * width;
        table[index] = width === 1 ? (bytes[from] ?? 0) : (bytes[from] ?? 0) * 0x100 + (bytes[from + 1] ?? 0);
      }
      this.quantisation.set(head & 15, table);
      at = end;
    }
  }
}

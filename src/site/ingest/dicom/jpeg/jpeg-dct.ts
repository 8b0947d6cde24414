// Decodes DCT-based JPEG of 8 and 12 bits, sequential (T.81 annex F) and progressive (annex G), for the 12-bit streams that no
// library here reads. Every coefficient is kept until the last scan; the inverse transform is the exact one, rounded once.
import type { HuffmanTable } from './jpeg-bits.ts';
import { brokenStream, type JpegFrame } from './jpeg-header.ts';
import { inverseTransform, zigZag } from './jpeg-inverse-dct.ts';
import { decodeScans, type JpegScan } from './jpeg-scan.ts';

interface Plane {
  readonly horizontal: number;
  readonly vertical: number;
  readonly quantTable: number;
  /** Blocks that hold samples of the image. */
  readonly blockColumns: number;
  readonly blockRows: number;
  /** Blocks kept in a row: whole units of interleaved scans. */
  readonly stride: number;
  readonly coefficients: Int16Array;
}

type DecodeBlock = (
  plane: Plane,
  at: number,
  tables: { dc: HuffmanTable | undefined; ac: HuffmanTable | undefined; index: number },
) => void;

/**
 * Decodes to samples, those of a pixel together; subsampled components are repeated.
 * @throws DicomRefusal DICOM_DECODER_FAILED
 */
export function decodeDctJpeg(stream: Uint8Array, frame: JpegFrame): Uint16Array {
  const { rows, columns, components, precision, process } = frame;
  if (![0xc0, 0xc1, 0xc2].includes(process) || (precision !== 8 && precision !== 12)) throw brokenStream();
  const maxHorizontal = Math.max(...components.map(({ horizontal }) => horizontal));
  const maxVertical = Math.max(...components.map(({ vertical }) => vertical));
  const unitColumns = Math.ceil(columns / (8 * maxHorizontal));
  const unitRows = Math.ceil(rows / (8 * maxVertical));
  const planes = components.map(
    ({ horizontal, vertical, quantTable }): Plane => ({
      horizontal,
      vertical,
      quantTable,
      blockColumns: Math.ceil((columns * horizontal) / maxHorizontal / 8),
      blockRows: Math.ceil((rows * vertical) / maxVertical / 8),
      stride: unitColumns * horizontal,
      coefficients: new Int16Array(unitColumns * horizontal * unitRows * vertical * 64),
    }),
  );
  const quantisation = decodeScans(stream, frame, (scan) =>
    walkBlocks(scan, planes, { unitColumns, unitRows, decode: blockDecoder(scan, process === 0xc2) }),
  );
  const samples = new Uint16Array(rows * columns * components.length);
  for (const [index, plane] of planes.entries()) {
    const table = quantisation.get(plane.quantTable);
    if (table === undefined) throw brokenStream();
    const decoded = inverseTransform(plane.coefficients, table, { precision, stride: plane.stride });
    const scaleX = plane.horizontal / maxHorizontal;
    const scaleY = plane.vertical / maxVertical;
    for (let row = 0; row < rows; row += 1) {
      const from = Math.floor(row * scaleY) * plane.stride * 8;
      let to = row * columns * components.length + index;
      for (let column = 0; column < columns; column += 1, to += components.length) {
        samples[to] = decoded[from + Math.floor(column * scaleX)] ?? 0;
      }
    }
  }
  return samples;
}

interface Walk {
  readonly unitColumns: number;
  readonly unitRows: number;
  readonly decode: { block: DecodeBlock; reset: () => void };
}

/** Visits the blocks of a scan in coding order: by unit where components are interleaved, by block of the image else (A.2). */
function walkBlocks(scan: JpegScan, planes: readonly Plane[], { unitColumns, unitRows, decode }: Walk): void {
  const parts = scan.components.map(({ index, dcTable, acTable }) => {
    const plane = planes[index];
    if (plane === undefined) throw brokenStream();
    return { plane, tables: { dc: dcTable, ac: acTable, index } };
  });
  const [only] = parts;
  if (only === undefined) throw brokenStream();
  const isInterleaved = parts.length > 1;
  const width = isInterleaved ? unitColumns : only.plane.blockColumns;
  const unitCount = width * (isInterleaved ? unitRows : only.plane.blockRows);
  for (let unit = 0; unit < unitCount; unit += 1) {
    if (scan.restartInterval > 0 && unit > 0 && unit % scan.restartInterval === 0) {
      scan.bits.restart();
      decode.reset();
    }
    const row = Math.floor(unit / width);
    const column = unit % width;
    if (!isInterleaved) {
      decode.block(only.plane, (row * only.plane.stride + column) * 64, only.tables);
      continue;
    }
    for (const { plane, tables } of parts) {
      for (let down = 0; down < plane.vertical; down += 1) {
        for (let across = 0; across < plane.horizontal; across += 1) {
          const block = (row * plane.vertical + down) * plane.stride + column * plane.horizontal + across;
          decode.block(plane, block * 64, tables);
        }
      }
    }
  }
}

function blockDecoder(scan: JpegScan, isProgressive: boolean): { block: DecodeBlock; reset: () => void } {
  const { spectralStart, spectralEnd, approximationHigh } = scan;
  if (spectralEnd > 63 || spectralStart > spectralEnd) throw brokenStream();
  const state = { predictions: new Int32Array(4), endOfBand: 0 };
  const reset = (): void => {
    state.predictions.fill(0);
    state.endOfBand = 0;
  };
  if (!isProgressive) return { block: sequentialBlock(scan, state), reset };
  if (spectralStart === 0) {
    if (spectralEnd !== 0) throw brokenStream();
    return { block: approximationHigh === 0 ? firstDc(scan, state) : refineDc(scan), reset };
  }
  if (scan.components.length !== 1) throw brokenStream();
  return { block: approximationHigh === 0 ? firstAc(scan, state) : refineAc(scan, state), reset };
}

interface ScanState {
  readonly predictions: Int32Array;
  /** Blocks left of a run without further coefficients. */
  endOfBand: number;
}

function nextDc(
  scan: JpegScan,
  table: HuffmanTable | undefined,
  prediction: { values: Int32Array; index: number },
): number {
  if (table === undefined) throw brokenStream();
  const category = scan.bits.symbol(table);
  if (category > 15) throw brokenStream();
  const value = (prediction.values[prediction.index] ?? 0) + scan.bits.receiveSigned(category);
  prediction.values[prediction.index] = value;
  return value;
}

function sequentialBlock(scan: JpegScan, state: ScanState): DecodeBlock {
  const { bits } = scan;
  return ({ coefficients }, at, { dc, ac, index }) => {
    coefficients[at] = nextDc(scan, dc, { values: state.predictions, index });
    if (ac === undefined) throw brokenStream();
    for (let next = 1; next < 64; ) {
      const symbol = bits.symbol(ac);
      const size = symbol & 15;
      const run = symbol >> 4;
      if (size === 0) {
        if (run < 15) return;
        next += 16;
        continue;
      }
      next += run;
      if (next > 63) throw brokenStream();
      coefficients[at + (zigZag[next] ?? 0)] = bits.receiveSigned(size);
      next += 1;
    }
  };
}

function firstDc(scan: JpegScan, state: ScanState): DecodeBlock {
  return ({ coefficients }, at, { dc, index }) => {
    coefficients[at] = nextDc(scan, dc, { values: state.predictions, index }) << scan.approximationLow;
  };
}

function refineDc({ bits, approximationLow }: JpegScan): DecodeBlock {
  return ({ coefficients }, at) => {
    coefficients[at] = (coefficients[at] ?? 0) | (bits.receive(1) << approximationLow);
  };
}

function firstAc(
  { bits, spectralStart, spectralEnd, approximationLow }: JpegScan,
  state: ScanState,
): DecodeBlock {
  return ({ coefficients }, at, { ac }) => {
    if (state.endOfBand > 0) {
      state.endOfBand -= 1;
      return;
    }
    if (ac === undefined) throw brokenStream();
    for (let next = spectralStart; next <= spectralEnd; ) {
      const symbol = bits.symbol(ac);
      const run = symbol >> 4;
      if ((symbol & 15) === 0) {
        if (run < 15) {
          state.endOfBand = (1 << run) - 1 + bits.receive(run);
          return;
        }
        next += 16;
        continue;
      }
      next += run;
      if (next > spectralEnd) throw brokenStream();
      coefficients[at + (zigZag[next] ?? 0)] = bits.receiveSigned(symbol & 15) * (1 << approximationLow);
      next += 1;
    }
  };
}

/** G.1.2.3: each coefficient that is there gets one bit more on the way to the next new one. */
function refineAc(
  { bits, spectralStart, spectralEnd, approximationLow }: JpegScan,
  state: ScanState,
): DecodeBlock {
  const unit = 1 << approximationLow;
  const refine = (coefficients: Int16Array, to: number): void => {
    const value = coefficients[to] ?? 0;
    if (bits.receive(1) === 1 && (Math.abs(value) & unit) === 0)
      coefficients[to] = value + (value > 0 ? unit : -unit);
  };
  return ({ coefficients }, at, { ac }) => {
    let next = spectralStart;
    if (state.endOfBand === 0) {
      if (ac === undefined) throw brokenStream();
      while (next <= spectralEnd) {
        const symbol = bits.symbol(ac);
        let run = symbol >> 4;
        if ((symbol & 15) === 0 && run < 15) {
          state.endOfBand = (1 << run) + bits.receive(run);
          break;
        }
        if ((symbol & 15) > 1) throw brokenStream();
        const added = (symbol & 15) === 0 ? 0 : bits.receive(1) === 1 ? unit : -unit;
        for (; next <= spectralEnd; next += 1) {
          const to = at + (zigZag[next] ?? 0);
          if (coefficients[to] !== 0) refine(coefficients, to);
          else if (run === 0) break;
          else run -= 1;
        }
        if (added !== 0) {
          if (next > spectralEnd) throw brokenStream();
          coefficients[at + (zigZag[next] ?? 0)] = added;
        }
        next += 1;
      }
    }
    if (state.endOfBand === 0) return;
    for (; next <= spectralEnd; next += 1) {
      const to = at + (zigZag[next] ?? 0);
      if (coefficients[to] !== 0) refine(coefficients, to);
    }
    state.endOfBand -= 1;
  };
}

// Decodes lossless JPEG (T.81 annex H, process 14): 2 to 16 bits, all seven predictors, any number of components without subsampling.
import { brokenStream, type JpegFrame } from './jpeg-header.ts';
import { decodeScans, type JpegScan } from './jpeg-scan.ts';

/**
 * Decodes to samples, those of a pixel together.
 * @throws DicomRefusal DICOM_DECODER_FAILED
 */
export function decodeLosslessJpeg(stream: Uint8Array, frame: JpegFrame): Uint16Array {
  const { rows, columns, components, precision } = frame;
  const isPlain = components.every(({ horizontal, vertical }) => horizontal === 1 && vertical === 1);
  if (frame.process !== 0xc3 || !isPlain || precision < 2 || precision > 16) throw brokenStream();
  const samples = new Uint16Array(rows * columns * components.length);
  const done = new Set<number>();
  decodeScans(stream, frame, (scan) => {
    for (const { index } of scan.components) {
      if (done.has(index)) throw brokenStream();
      done.add(index);
    }
    decodeScan(scan, frame, samples);
  });
  if (done.size !== components.length) throw brokenStream();
  return samples;
}

function decodeScan(scan: JpegScan, frame: JpegFrame, samples: Uint16Array): void {
  const { rows, columns, components, precision } = frame;
  const { bits, restartInterval, spectralStart: predictor, approximationLow: shift } = scan;
  if (predictor < 1 || predictor > 7 || shift >= precision) throw brokenStream();
  // H.1.1: intervals are whole rows.
  if (restartInterval % columns !== 0) throw brokenStream();
  const rowsPerInterval = restartInterval / columns;
  const stride = components.length;
  for (let row = 0; row < rows; row += 1) {
    const isFirst = row === 0 || (rowsPerInterval > 0 && row % rowsPerInterval === 0);
    if (isFirst && row > 0) bits.restart();
    for (let column = 0; column < columns; column += 1) {
      for (const { index, dcTable } of scan.components) {
        if (dcTable === undefined) throw brokenStream();
        const at = (row * columns + column) * stride + index;
        const category = bits.symbol(dcTable);
        if (category > 16) throw brokenStream();
        const difference = category === 16 ? 0x8000 : bits.receiveSigned(category);
        const left = column > 0 ? (samples[at - stride] ?? 0) : 0;
        const above = isFirst ? 0 : (samples[at - columns * stride] ?? 0);
        const prediction = isFirst
          ? column === 0
            ? 1 << (precision - shift - 1)
            : left
          : column === 0
            ? above
            : predict(predictor, left, above, samples[at - (columns + 1) * stride] ?? 0);
        samples[at] = prediction + difference;
      }
    }
  }
  if (shift > 0) for (const { index } of scan.components) shiftComponent(samples, { index, stride, shift });
}

/** Table H.1. */
function predict(predictor: number, left: number, above: number, corner: number): number {
  switch (predictor) {
    case 1:
      return left;
    case 2:
      return above;
    case 3:
      return corner;
    case 4:
      return left + above - corner;
    case 5:
      return left + ((above - corner) >> 1);
    case 6:
      return above + ((left - corner) >> 1);
    default:
      return (left + above) >> 1;
  }
}

/** The point transform is undone when all is predicted (H.2.2). */
function shiftComponent(
  samples: Uint16Array,
  { index, stride, shift }: { index: number; stride: number; shift: number },
): void {
  for (let at = index; at < samples.length; at += stride) samples[at] = (samples[at] ?? 0) << shift;
}

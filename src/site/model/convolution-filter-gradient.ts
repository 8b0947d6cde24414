// The gradient of a convolution's kernel for engines that have none of their own (WebAssembly): one matrix product for each place
// of the kernel, between the pixels under that place and the gradient of the outputs.
import type { Tensor3D, Tensor4D, TensorFlow } from './tensorflow.ts';

type Shape4D = [number, number, number, number];

interface FilterGradient {
  /** [rows, height, width, channels] that were convolved. */
  readonly x: Tensor4D;
  /** Gradient of what came out. */
  readonly dy: Tensor4D;
  readonly strides: number | [number, number];
  readonly pad: 'same' | 'valid' | number;
  /** [height, width, channels, filters]. */
  readonly filterShape: Shape4D;
}

const kernelName = 'Conv2DBackpropFilter';

/** Teaches the engine the kernel that tf.js asks for in every convolution's gradient. NHWC, without dilation. */
export function registerFilterGradient(tf: TensorFlow, backendName: string): void {
  if (tf.getKernel(kernelName, backendName) !== undefined) return;
  tf.registerKernel({
    kernelName,
    backendName,
    kernelFunc: ({ inputs, attrs }) => {
      const { x, dy } = inputs as unknown as Pick<FilterGradient, 'x' | 'dy'>;
      const { strides, pad, filterShape } = attrs as unknown as Omit<FilterGradient, 'x' | 'dy'>;
      return tf.tidy(() => filterGradient(tf, { x, dy, strides, pad, filterShape }));
    },
  });
}

function filterGradient(tf: TensorFlow, { x, dy, strides, pad, filterShape }: FilterGradient): Tensor4D {
  const info = tf.backend_util.computeConv2DInfo(x.shape, filterShape, strides, 1, pad);
  const { top, bottom, left, right } = info.padInfo;
  const padded = tf.pad(x, [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ]);
  const outputs = tf.reshape(dy, [-1, info.outChannels]);
  const [height, width] = filterShape;
  const products = Array.from({ length: height * width }, (_, place) => {
    const [row, column] = [Math.floor(place / width), place % width];
    const pixels = pixelsUnder(tf, padded, { ...info, row, column });
    return tf.matMul(tf.reshape(pixels, [-1, info.inChannels]), outputs, true);
  });
  return tf.reshape(tf.stack(products), filterShape);
}

interface KernelPlace {
  readonly row: number;
  readonly column: number;
  readonly batchSize: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly inChannels: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
}

/**
 * The gradient of the kernel for each row by itself: [rows, height * width * channels, filters], in the order of the kernel's weights.
 * One product for each place of the kernel: to lay all that an output saw side by side first takes longer.
 */
export function filterGradientsByRow(
  tf: TensorFlow,
  { x, dy, strides, pad, filterShape }: FilterGradient,
): Tensor3D {
  const info = tf.backend_util.computeConv2DInfo(x.shape, filterShape, strides, 1, pad);
  const { batchSize, inChannels, outChannels } = info;
  const outputCount = info.outHeight * info.outWidth;
  const { top, bottom, left, right } = info.padInfo;
  const isPadded = top + bottom + left + right > 0;
  const padding: [number, number][] = [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
  const padded = isPadded ? tf.pad(x, padding) : x;
  const outputs: Tensor3D = tf.reshape(dy, [batchSize, outputCount, outChannels]);
  const [height, width] = filterShape;
  const pixels = Array.from({ length: height * width }, (_, place) =>
    pixelsUnder(tf, padded, { ...info, row: Math.floor(place / width), column: place % width }),
  );
  if (inChannels === 1) {
    // Pixels of one channel lie in one piece: no product need turn them.
    const rows = pixels.map((seen) => tf.reshape(seen, [batchSize, 1, outputCount]));
    return tf.matMul(rows.length === 1 ? (rows[0] as Tensor3D) : (tf.concat(rows, 1) as Tensor3D), outputs);
  }
  const products = pixels.map((seen) => {
    const seenByRow: Tensor3D = tf.reshape(seen, [batchSize, outputCount, inChannels]);
    return tf.matMul(seenByRow, outputs, true);
  });
  return products.length === 1 ? (products[0] as Tensor3D) : (tf.concat(products, 1) as Tensor3D);
}

/** [rows, height, width, channels] of the outputs: what each saw at this place of the kernel. */
function pixelsUnder(tf: TensorFlow, padded: Tensor4D, place: KernelPlace): Tensor4D {
  const { row, column, batchSize, outHeight, outWidth, inChannels, strideHeight, strideWidth } = place;
  const begin: Shape4D = [0, row, column, 0];
  const [height, width] = [(outHeight - 1) * strideHeight + 1, (outWidth - 1) * strideWidth + 1];
  if (strideHeight === 1 && strideWidth === 1)
    return tf.slice(padded, begin, [batchSize, height, width, inChannels]);
  const end = [batchSize, row + height, column + width, inChannels];
  return tf.stridedSlice(padded, begin, end, [1, strideHeight, strideWidth, 1]) as Tensor4D;
}

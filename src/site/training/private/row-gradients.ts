// What the gradient of each row with respect to one layer's weights is like - lengths, products, weighted sums - without that gradient
// where it need not exist (ghost clipping: Goodfellow, arXiv 1510.01799; Li et al., arXiv 2110.05679; Bu et al., arXiv 2205.10683).
import type { DescribedNode } from '#federation/network/describe-network.ts';
import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D, TensorFlow } from '#site/model/index.ts';
import { filterGradientsByRow } from '#site/model/index.ts';

/** The gradients g_r of the rows r of a batch. */
export interface RowGradients {
  /** |g_r|², [rows]. */
  squares(): Tensor1D;
  /** |Σ g_s|² over the rows s of r's patient, never less than it is however float32 rounds; [rows]. */
  patientSquares(rows: PatientRows): Tensor1D;
  /** Σ_r factor_r · g_r by the names of the weights, in their shapes. */
  weightedSums(factors: Tensor1D): readonly (readonly [name: string, sum: Tensor])[];
}

export interface PatientRows {
  /** 1 where two rows are of one patient, else 0; [rows, rows]. */
  readonly isSame: Tensor2D;
}

export interface TappedLayer {
  readonly node: DescribedNode;
  /** What the weights met; see Tap. */
  readonly operand: Tensor;
  /** Gradient of each row's loss with respect to the layer's sums, [rows, ...shape]. */
  readonly delta: Tensor;
}

export function rowGradients(tf: TensorFlow, { node, operand, delta }: TappedLayer): readonly RowGradients[] {
  const { layer } = node;
  const [first, second] = node.weights;
  if (first === undefined) return [];
  switch (layer.kind) {
    case 'dense':
      return [
        outerProducts(tf, {
          operand: operand as Tensor2D,
          delta: delta as Tensor2D,
          kernel: first.name,
          bias: second?.name,
        }),
      ];
    case 'convolution':
    case 'transposed-convolution': {
      const rows = kernelRows(tf, { node, operand, delta });
      const kernel = explicit(tf, { name: first.name, shape: first.shape, rows });
      return second === undefined ? [kernel] : [kernel, ofChannels(tf, second.name, delta)];
    }
    case 'group-normalisation':
    case 'layer-normalisation':
      return [
        ofChannels(tf, first.name, tf.mul(delta, operand)),
        ...(second === undefined ? [] : [ofChannels(tf, second.name, delta)]),
      ];
    default:
      return [];
  }
}

interface OuterProducts {
  /** [rows, in] and [rows, out]: each row's kernel gradient is their outer product, its bias gradient the second. */
  readonly operand: Tensor2D;
  readonly delta: Tensor2D;
  readonly kernel: string;
  readonly bias: string | undefined;
}

function outerProducts(tf: TensorFlow, { operand, delta, kernel, bias }: OuterProducts): RowGradients {
  const withBias = <T extends Tensor>(values: T): T =>
    bias === undefined ? values : (tf.add(values, 1) as T);
  const squares = (): Tensor1D =>
    tf.mul(withBias(tf.sum(tf.square(operand), 1)), tf.sum(tf.square(delta), 1));
  const summands = Math.max(operand.shape[1], delta.shape[1]) + operand.shape[0];
  return {
    squares,
    // ⟨g_r, g_s⟩ = (⟨a_r, a_s⟩ + 1) · ⟨δ_r, δ_s⟩. Products of either sign cancel, so what rounding may have taken is added.
    patientSquares: ({ isSame }) => {
      const products = tf.mul(withBias(gram(tf, operand)), gram(tf, delta));
      const ofRow = tf.sum(tf.mul(products, isSame), 1);
      const found = tf.maximum(overPatient(tf, isSame, ofRow), 0);
      const lengths = overPatient(tf, isSame, tf.sqrt(squares()));
      return tf.add(found, tf.mul(tf.square(lengths), 4 * roundingOf(summands)));
    },
    weightedSums: (factors) => {
      const scaled = tf.mul(delta, tf.reshape(factors, [-1, 1])) as Tensor2D;
      const sum = tf.matMul(operand, scaled, true);
      return bias === undefined
        ? [[kernel, sum]]
        : [
            [kernel, sum],
            [bias, tf.sum(scaled, 0)],
          ];
    },
  };
}

interface ExplicitRows {
  readonly name: string;
  readonly shape: readonly number[];
  /** [rows, in, out] */
  readonly rows: Tensor3D;
}

function explicit(tf: TensorFlow, { name, shape, rows }: ExplicitRows): RowGradients {
  const flat: Tensor2D = tf.reshape(rows, [rows.shape[0], -1]);
  // One axis after the other: the fewer summands in a row, the smaller the error of the sum.
  const squaresOf = (values: Tensor3D): Tensor1D => tf.sum(tf.sum(tf.square(values), 2), 1);
  return {
    squares: () => squaresOf(rows),
    patientSquares: ({ isSame }) => {
      const found = tf.sqrt(squaresOf(tf.reshape(tf.matMul(isSame, flat), rows.shape)));
      const lengths = overPatient(tf, isSame, tf.sqrt(squaresOf(rows)));
      return tf.square(tf.add(found, tf.mul(lengths, roundingOf(rows.shape[0]))));
    },
    weightedSums: (factors) => [
      [name, tf.reshape(tf.matMul(tf.reshape(factors, [1, -1]) as Tensor2D, flat), [...shape])],
    ],
  };
}

/** One weight for each channel: what all places of a channel add up to. */
function ofChannels(tf: TensorFlow, name: string, values: Tensor): RowGradients {
  const [count = 0] = values.shape;
  const channels = values.shape.at(-1) ?? 1;
  const places: Tensor3D = tf.reshape(values, [count, -1, channels]);
  const rows: Tensor3D = tf.reshape(tf.sum(places, 1), [count, 1, channels]);
  return explicit(tf, { name, shape: [channels], rows });
}

/** [rows, area * in, out] of a convolution; of a transposed one, which is a convolution's gradient, the two change places. */
function kernelRows(tf: TensorFlow, { node, operand, delta }: TappedLayer): Tensor3D {
  const { layer, weights } = node;
  if (layer.kind !== 'convolution' && layer.kind !== 'transposed-convolution') return operand as Tensor3D;
  const isTransposed = layer.kind === 'transposed-convolution';
  const [x, dy] = isTransposed ? [delta, operand] : [operand, delta];
  return filterGradientsByRow(tf, {
    x: x as Tensor4D,
    dy: dy as Tensor4D,
    strides: [...layer.strides] as [number, number],
    pad: layer.padding,
    filterShape: [...(weights[0]?.shape ?? [])] as Tensor4D['shape'],
  });
}

/** Σ over the rows of each row's patient; [rows] to [rows]. */
export function overPatient(tf: TensorFlow, isSame: Tensor2D, values: Tensor): Tensor1D {
  const column: Tensor2D = tf.reshape(values, [-1, 1]);
  return tf.reshape(tf.matMul(isSame, column), [-1]);
}

/** Bound on the relative error of a float32 sum of so many products (Higham 2002, section 3.1). */
export function roundingOf(summands: number): number {
  return (summands + 8) * 2 ** -24;
}

function gram(tf: TensorFlow, rows: Tensor2D): Tensor2D {
  return tf.matMul(rows, rows, false, true);
}

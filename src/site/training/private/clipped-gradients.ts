// The sum of the patients' gradients, each clipped: one pass forward, one back, and no gradient of a single patient where a layer can do
// without. Operations alone, so that it can be recorded.
import type { Batch, BoundModel, Tensor, Tensor1D, Tensor2D, TensorFlow } from '#site/model/index.ts';
import { overPatient, type RowGradients, rowGradients, type TappedLayer } from './row-gradients.ts';

export interface PatientBatch extends Batch {
  /** Losses are multiplied by these: 1 over the patient's rows, 0 for what fills the batch up. [rows] */
  readonly weights: Tensor1D;
  /** A number for each row's patient, whose rows all are here; null where each row is of another. [rows], int32 */
  readonly patients: Tensor1D | null;
}

export interface ClippingBounds {
  /** C' */
  readonly norm: number;
  /** Times the clipping norm: what the rows of one patient may add up to in length. */
  readonly rowLengths: number;
}

export interface ClippedGradients {
  /** By the names of the weights. */
  readonly sums: ReadonlyMap<string, Tensor>;
  /** Length of the patient's gradient, at each of their rows; rounding can only make it longer. [rows] */
  readonly norms: Tensor1D;
  /** Length of each row's own gradient; no number where it is none, and then `sums` and `norms` may be none either. [rows] */
  readonly lengths: Tensor1D;
  /** Σ of weight · loss. */
  readonly loss: Tensor;
}

/**
 * Σ over patients of min(1, C'/|g|) · g with g = Σ over the patient's rows of weight · gradient, the norm being over all weights.
 * Not for layers or losses that mix rows.
 */
export function clippedGradients(
  tf: TensorFlow,
  model: BoundModel,
  { batch, bounds }: { readonly batch: PatientBatch; readonly bounds: ClippingBounds },
): ClippedGradients {
  const { layers, loss, dispose } = tapLayers(tf, model, batch);
  const gradients = layers.flatMap((layer) => rowGradients(tf, layer));
  const squares = gradients.map((one) => one.squares()).reduce((sum, other) => tf.add(sum, other));
  const lengths = tf.sqrt(squares);
  const { norms, factors } =
    batch.patients === null
      ? { norms: lengths, factors: factorsOf(tf, lengths, bounds.norm) }
      : ofPatients(tf, { lengths, patients: batch.patients, gradients, bounds });
  const sums = new Map(gradients.flatMap((one) => one.weightedSums(factors)));
  dispose();
  return { sums, norms, lengths, loss };
}

interface RowsOfPatients {
  readonly lengths: Tensor1D;
  readonly patients: Tensor1D;
  readonly gradients: readonly RowGradients[];
  readonly bounds: ClippingBounds;
}

function ofPatients(tf: TensorFlow, { lengths, patients, gradients, bounds }: RowsOfPatients) {
  const count = lengths.shape[0];
  const equal = tf.equal(tf.reshape(patients, [count, 1]), tf.reshape(patients, [1, count]));
  const isSame = tf.cast(equal, 'float32') as Tensor2D;
  const squares = gradients
    .map((one) => one.patientSquares({ isSame }))
    .reduce((sum, other) => tf.add(sum, other));
  const norms = tf.sqrt(squares);
  const total = overPatient(tf, isSame, lengths);
  const bounded = tf.maximum(norms, tf.div(total, bounds.rowLengths)) as Tensor1D;
  return { norms, factors: factorsOf(tf, bounded, bounds.norm) };
}

/** min(1, C'/norm) without a division by 0. */
function factorsOf(tf: TensorFlow, norms: Tensor1D, norm: number): Tensor1D {
  return tf.div(norm, tf.maximum(norms, norm));
}

interface Tapped {
  readonly layers: readonly TappedLayer[];
  readonly loss: Tensor;
  dispose(): void;
}

/** Zeros are added to each layer's sums; the gradient of all losses together with respect to them is what each row sent back. */
function tapLayers(tf: TensorFlow, model: BoundModel, batch: PatientBatch): Tapped {
  const rows = batch.weights.shape[0];
  const zeros = model.weightedLayers.map(({ shape }) => tf.fill([rows, ...shape], 0));
  const operands: Tensor[] = [];
  const backward = tf.valueAndGrads((...taps: Tensor[]) => {
    const losses = model.exampleLosses(batch, (operand, sums) => {
      const tap = taps[operands.push(tf.keep(tf.clone(operand))) - 1] as Tensor;
      return tf.add(sums, tap);
    });
    return tf.sum(losses);
  });
  const { value: loss, grads: deltas } = backward(zeros);
  return {
    loss,
    layers: model.weightedLayers.map((node, at) => ({
      node,
      operand: operands[at] as Tensor,
      delta: deltas[at] as Tensor,
    })),
    dispose: () => tf.dispose([...operands, ...zeros]),
  };
}

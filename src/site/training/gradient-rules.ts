// What the plan does to a step's gradients before the optimizer sees them. Operations alone, so that a step can be recorded.
import type { TrainingSettings } from '#federation/records/training-settings.ts';
import type { Tensor, TensorFlow, Variable } from '#site/model/index.ts';

type GradientRules = Pick<TrainingSettings, 'gradientClipNorm' | 'weightDecay'>;

/** One gradient for each variable, in their order: clipped by their L2 norm together, then with the weights' decay added. */
export function adjustGradients(
  tf: TensorFlow,
  gradients: readonly Tensor[],
  {
    variables,
    training: { gradientClipNorm, weightDecay },
  }: { readonly variables: readonly Variable[]; readonly training: GradientRules },
): readonly Tensor[] {
  const clipped = gradientClipNorm === undefined ? gradients : clipTogether(tf, gradients, gradientClipNorm);
  if (weightDecay === undefined) return clipped;
  return clipped.map((gradient, at) => {
    const variable = variables[at];
    return variable === undefined ? gradient : tf.add(gradient, tf.mul(variable as Tensor, weightDecay));
  });
}

function clipTogether(tf: TensorFlow, gradients: readonly Tensor[], norm: number): Tensor[] {
  const squares = gradients.map((gradient) => tf.sum(tf.square(gradient)));
  const length = tf.sqrt(squares.reduce((total, square) => tf.add(total, square)));
  const factor = tf.div(norm, tf.maximum(length, norm));
  return gradients.map((gradient) => tf.mul(gradient, factor));
}

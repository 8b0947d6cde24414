// How a site trains in a round: the optimizer and how often it steps.
import { z } from 'zod';
import { positiveNumber } from '#federation/records/fields.ts';

const optimizer = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('sgd'),
    learningRate: positiveNumber,
    /** Of Polyak's heavy ball, as in PyTorch: v = momentum * v + gradient, then weight -= learningRate * v. Absent: none. */
    momentum: z.number().gt(0).lt(1).optional(),
  }),
  z.strictObject({ kind: z.literal('adam'), learningRate: positiveNumber }),
]);

export const trainingSettings = z.strictObject({
  optimizer,
  batchSize: z.int().min(1).max(65_536),
  /** Optimizer steps at each site in each training round. */
  localUpdates: z.int().min(1).max(1_000_000),
  /** A step's gradient, over all weights together, is scaled down to this L2 norm where it is longer; absent: it is not. */
  gradientClipNorm: positiveNumber.max(1_000_000).optional(),
  /** Times the weight is added to its gradient after clipping (L2 penalty); absent: nothing is. */
  weightDecay: positiveNumber.max(1).optional(),
});
export type TrainingSettings = z.infer<typeof trainingSettings>;

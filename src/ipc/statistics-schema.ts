// What a statistics round would let leave, as a steward reads it before deciding.
import { z } from 'zod';

const count = z.int().min(0);
const exactSum = z.array(z.number()).readonly();

export const reportedStatistics = z.strictObject({
  /** Subjects that all numbers but the missing are of. */
  exampleCount: count,
  /** Withheld counts are null. */
  labelCount: count.nullable(),
  features: z
    .array(
      z.discriminatedUnion('kind', [
        z.strictObject({
          kind: z.literal('counted'),
          name: z.string(),
          missingCount: count,
          oneCount: count.nullable(),
        }),
        z.strictObject({
          kind: z.literal('measured'),
          name: z.string(),
          missingCount: count,
          sums: z.strictObject({ sum: exactSum, sumOfSquares: exactSum }).nullable(),
          cells: z
            .array(
              z.strictObject({
                from: z.int(),
                to: z.int(),
                count,
                /** Values above this and up to `upper`; null: open. */
                lower: z.number().nullable(),
                upper: z.number().nullable(),
              }),
            )
            .readonly(),
        }),
      ]),
    )
    .readonly(),
});

// How much shorter than C gradients are clipped that floats add up, so that one patient still moves the released sum by at most C.
// Floats round a sum by who else is in it; what that can come to is bounded here and kept free (docs/privacy.md).

export interface FloatSum {
  /** Parameters of the model. */
  readonly weightCount: number;
  /** Rows that one float32 sum adds up. */
  readonly rowsPerRun: number;
  /** Patients of one group, whose sums a patient's presence may round otherwise; no more than these. */
  readonly groupPatients: number;
  /** Lengths of a patient's clipped rows together, in clipping norms; 1 where each has one row. */
  readonly rowLengths: number;
  /** Summands of the longest sum that a row's length is made of. */
  readonly lengthSummands: number;
}

/** Rounding moves a float32 by no more than this share of it. */
const UNIT_ROUNDOFF = 2 ** -24;
const GRID_STEP = 2 ** -20; // in clipping norms

/** The share of C that is kept free. */
export function clippingMargin({
  weightCount,
  rowsPerRun,
  groupPatients,
  rowLengths,
  lengthSummands,
}: FloatSum): number {
  // With the patient and without: each sum is off by (rows + 8)·u of the lengths in it at most (Higham 2002, section 3.1).
  const summed = 2 * (rowsPerRun + 8) * UNIT_ROUNDOFF * groupPatients * rowLengths;
  // A length that came out too short lets a gradient be that much too long.
  const measured = (lengthSummands + 16) * UNIT_ROUNDOFF;
  // Each coordinate of the group's sum is rounded by half a step, with the patient and without.
  const rounded = Math.sqrt(weightCount) * GRID_STEP;
  return summed + measured + rounded;
}

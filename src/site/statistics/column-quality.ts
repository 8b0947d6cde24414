// Data quality of one column of a feature matrix: what is there, what is missing, what is suspect, what says nothing.

export interface ColumnQuality {
  readonly presentCount: number;
  readonly missingCount: number;
  /** Values of exactly the size that the plan calls suspect (Swiss cholesterol 0). Kept, but counted. */
  readonly flaggedCount: number;
  /** At least two values, all the same: normalised to 0, so the model learns nothing from it. */
  readonly isConstant: boolean;
}

/** @param values NaN is missing */
export function measureColumn(values: Float64Array, flagValue: number | null): ColumnQuality {
  let presentCount = 0;
  let flaggedCount = 0;
  let first: number | undefined;
  let isConstant = true;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    presentCount += 1;
    if (value === flagValue) flaggedCount += 1;
    first ??= value;
    if (value !== first) isConstant = false;
  }
  return {
    presentCount,
    missingCount: values.length - presentCount,
    flaggedCount,
    isConstant: isConstant && presentCount > 1,
  };
}

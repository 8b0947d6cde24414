// Doubles as the decimal numbers that they were written as. The double of 0.1 is not a tenth: an exact sum of doubles tells by what
// they differ from their decimals, and so more of the values than the sum of the decimals does.

/** Values with more decimals than this are taken as the doubles that they are. */
export const MAX_DECIMALS = 6;
const scales = Array.from({ length: MAX_DECIMALS + 1 }, (_, decimals) => 10 ** decimals);

/** `mantissa` / 10^`decimals`; both whole. */
export interface Decimal {
  readonly mantissa: number;
  readonly decimals: number;
}

/** The decimal number with the fewest decimals whose double this is; undefined where `MAX_DECIMALS` do not write it. */
export function decimalOf(value: number): Decimal | undefined {
  if (Number.isInteger(value)) return { mantissa: value, decimals: 0 };
  for (const [decimals, scale] of scales.entries()) {
    const mantissa = Math.round(value * scale);
    if (Number.isSafeInteger(mantissa) && mantissa / scale === value) return { mantissa, decimals };
  }
  return undefined;
}

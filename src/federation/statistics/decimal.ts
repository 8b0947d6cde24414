// Doubles as the decimal numbers that they were written as, or converted to. The double of 0.1 is not a tenth, and 66 · 2.54 not
// that of 167.64: an exact sum of doubles tells by what they differ from their decimals, and so more of the values than a sum of
// decimals does.

/** Values with more decimals than this are taken as the doubles that they are. A pound in kilograms has eight. */
export const MAX_DECIMALS = 8;
const scales = Array.from({ length: MAX_DECIMALS + 1 }, (_, decimals) => 10 ** decimals);

/** What a conversion may round away, as a part of the value: a few last bits. */
const ROUNDING = 2 ** -50;
/** Below it, decimals are so much further apart than rounding that hardly any other value is near one by chance. */
const LARGEST_ROUNDED = 2 ** 42;

/** `mantissa` / 10^`decimals`; both whole. */
export interface Decimal {
  readonly mantissa: number;
  readonly decimals: number;
}

/** The number with the fewest decimals that this is up to rounding; undefined where `MAX_DECIMALS` do not write it. */
export function decimalOf(value: number): Decimal | undefined {
  if (Number.isInteger(value)) return { mantissa: value, decimals: 0 };
  for (const [decimals, scale] of scales.entries()) {
    const mantissa = Math.round(value * scale);
    if (!Number.isSafeInteger(mantissa)) return undefined;
    const rounding = Math.abs(mantissa) < LARGEST_ROUNDED ? ROUNDING * Math.abs(value) : 0;
    if (Math.abs(mantissa / scale - value) <= rounding) return { mantissa, decimals };
  }
  return undefined;
}

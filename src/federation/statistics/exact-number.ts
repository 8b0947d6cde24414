// Finite doubles as whole multiples of 2^-1074, the smallest step that there is: sums of them are exact, in any order. A ratio of
// such numbers is rounded once, to the nearest double.

const STEP_BITS = 1074;
const words = new DataView(new ArrayBuffer(8));

/** `value` / 2^-1074. */
export function toSteps(value: number): bigint {
  words.setFloat64(0, value);
  const bits = words.getBigUint64(0);
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  const magnitude = exponent === 0 ? fraction : (fraction | (1n << 52n)) << BigInt(exponent - 1);
  return value < 0 ? -magnitude : magnitude;
}

/** The double nearest to `numerator` / `denominator`, ties to even; `denominator` is above 0. */
export function nearestRatio(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) return 0;
  const magnitude = numerator < 0n ? -numerator : numerator;
  // 64 bits and one more that says whether anything is left: rounding these is rounding the ratio.
  const shift = 64 - (bitLength(magnitude) - bitLength(denominator));
  const [scaled, divisor] =
    shift >= 0 ? [magnitude << BigInt(shift), denominator] : [magnitude, denominator << BigInt(-shift)];
  const quotient = scaled / divisor;
  const sticky = quotient * divisor === scaled ? 0n : 1n;
  const rounded = scaleByPower(Number((quotient << 1n) | sticky), -(shift + 1));
  return numerator < 0n ? -rounded : rounded;
}

/** The double nearest to so many steps. */
export function fromSteps(steps: bigint): number {
  return nearestRatio(steps, 1n << BigInt(STEP_BITS));
}

function bitLength(magnitude: bigint): number {
  return magnitude.toString(16).length * 4;
}

/** In two steps, so that no power is beyond what a double holds. */
function scaleByPower(value: number, exponent: number): number {
  const half = Math.trunc(exponent / 2);
  return value * 2 ** half * 2 ** (exponent - half);
}

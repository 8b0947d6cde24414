// The inverse DCT of JPEG (T.81 A.3.3) in double precision, and the order in which coefficients are coded.

/** Place in the block of the n-th coded coefficient (T.81 figure A.6). */
export const zigZag = Uint8Array.of(
  0,
  1,
  8,
  16,
  9,
  2,
  3,
  10,
  17,
  24,
  32,
  25,
  18,
  11,
  4,
  5,
  12,
  19,
  26,
  33,
  40,
  48,
  41,
  34,
  27,
  20,
  13,
  6,
  7,
  14,
  21,
  28,
  35,
  42,
  49,
  56,
  57,
  50,
  43,
  36,
  29,
  22,
  15,
  23,
  30,
  37,
  44,
  51,
  58,
  59,
  52,
  45,
  38,
  31,
  39,
  46,
  53,
  60,
  61,
  54,
  47,
  55,
  62,
  63,
);

/** basis[x * 8 + u] = C(u) / 2 cos((2x + 1) u pi / 16). */
const basis = Float64Array.from({ length: 64 }, (_, index) => {
  const x = Math.floor(index / 8);
  const u = index % 8;
  return ((u === 0 ? Math.SQRT1_2 : 1) / 2) * Math.cos(((2 * x + 1) * u * Math.PI) / 16);
});

/**
 * Dequantises and transforms blocks, 64 coefficients each, `stride` of them a row of blocks.
 * @returns samples in rows of 8 x `stride`, from 0 to 2^precision - 1
 */
export function inverseTransform(
  coefficients: Int16Array,
  quantisation: Uint16Array,
  { precision, stride }: { precision: number; stride: number },
): Uint16Array {
  const samples = new Uint16Array(coefficients.length);
  const factors = new Float64Array(64);
  for (let index = 0; index < 64; index += 1) factors[zigZag[index] ?? 0] = quantisation[index] ?? 0;
  const half = 2 ** (precision - 1);
  const highest = 2 ** precision - 1;
  const rowsDone = new Float64Array(64);
  const blockCount = coefficients.length / 64;
  for (let block = 0; block < blockCount; block += 1) {
    transformRows(coefficients, { at: block * 64, factors, target: rowsDone });
    const corner = Math.floor(block / stride) * stride * 64 + (block % stride) * 8;
    for (let x = 0; x < 8; x += 1) {
      for (let y = 0; y < 8; y += 1) {
        let sum = half;
        for (let v = 0; v < 8; v += 1) sum += (rowsDone[v * 8 + x] ?? 0) * (basis[y * 8 + v] ?? 0);
        samples[corner + y * stride * 8 + x] = Math.min(highest, Math.max(0, Math.round(sum)));
      }
    }
  }
  return samples;
}

interface BlockRows {
  readonly at: number;
  readonly factors: Float64Array;
  readonly target: Float64Array;
}

function transformRows(coefficients: Int16Array, { at, factors, target }: BlockRows): void {
  for (let v = 0; v < 8; v += 1) {
    for (let x = 0; x < 8; x += 1) {
      let sum = 0;
      for (let u = 0; u < 8; u += 1) {
        const place = v * 8 + u;
        const value = coefficients[at + place] ?? 0;
        if (value !== 0) sum += value * (factors[place] ?? 0) * (basis[x * 8 + u] ?? 0);
      }
      target[v * 8 + x] = sum;
    }
  }
}

// Gaussian noise whose low bits tell nothing: whole steps of a fixed grid, made of four Gaussians each.
// A double near N(0, 1) has only certain last bits, and they tell the value it was added to (Mironov 2012). Here that value is whole
// steps too (clipped-sum.ts), and rounding x + Gaussian is x + rounded Gaussian: what leaves is the true mechanism, rounded.
import type { Keystream } from '#federation/crypto/keystream.ts';

/** Grid steps in a clipping norm. */
export const STEPS_PER_NORM = 2 ** 20;

/** Drawn at once: about five for each value are needed. Even, since a point of the plane takes two. */
const MOST_UNIFORMS = 8_192;

/**
 * Independent N(0, (σC)²), rounded to whole steps of C / 2^20 and given in such steps.
 *
 * Each is half the sum of four draws, so that whoever would look for the doubles behind one value has about 2^159 to try
 * (Holohan and Braghin, Secure Random Sampling in Differential Privacy, 2021). The four are of different pairs: the two of one
 * pair add up to no more than one draw.
 *
 * @param noiseMultiplier σ
 * @param keystream of this training step alone, its seed from the system's generator and never kept
 */
export function drawNoise(count: number, noiseMultiplier: number, keystream: Keystream): Float64Array {
  const noise = new Float64Array(count);
  const uniforms = new Float64Array(Math.min(MOST_UNIFORMS, 6 * count + 2));
  let drawn = uniforms.length;
  const scale = (noiseMultiplier * STEPS_PER_NORM) / 2;
  for (let index = 0; index < count; index += 2) {
    let first = 0;
    let second = 0;
    for (let pair = 0; pair < 4; pair += 1) {
      // The polar method (Marsaglia and Bray 1964): a point in the unit disc gives two Gaussians.
      let x: number;
      let y: number;
      let square: number;
      do {
        if (drawn === uniforms.length) {
          keystream.fillDoubles(uniforms);
          drawn = 0;
        }
        x = 2 * (uniforms[drawn] as number) - 1;
        y = 2 * (uniforms[drawn + 1] as number) - 1;
        drawn += 2;
        square = x * x + y * y;
      } while (square >= 1 || square === 0);
      const length = Math.sqrt((-2 * Math.log(square)) / square);
      first += x * length;
      second += y * length;
    }
    noise[index] = Math.round(first * scale);
    // Written past an odd end it is dropped.
    noise[index + 1] = Math.round(second * scale);
  }
  return noise;
}

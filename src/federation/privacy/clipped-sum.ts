// The sum of one lot's gradients, each clipped to the norm C, and what of it may be seen: with noise, over the expected lot.
// Everything before the noise is counted in whole steps of C / 2^20, so that sums are exact in any order, no rounding of a sum
// depends on who is in it, and the noise covers the last bit.
import { BugError } from '#base/coded-error.ts';
import { STEPS_PER_NORM } from '#federation/privacy/gaussian-noise.ts';
import { LEAST_NOISE_MULTIPLIER } from '#federation/privacy/privacy-spend.ts';
import { l2Norm } from '#federation/tensors/delta.ts';
import { requireManifest, requireTensor, tensorManifest } from '#federation/tensors/manifest.ts';
import { sortedNames, type TensorMap } from '#federation/tensors/tensor.ts';

/** min(1, C / norm); 0 for a norm that is no number, so that no patient's gradient can spoil the sum. */
export function clippingFactor(norm: number, clippingNorm: number): number {
  if (!Number.isFinite(norm)) return 0;
  return norm <= clippingNorm ? 1 : clippingNorm / norm;
}

export interface Release {
  /** σ */
  readonly noiseMultiplier: number;
  /** q · N, never the actual size of the lot, which would tell who was in it. */
  readonly expectedLot: number;
  /** `count` values as drawNoise makes them, of this step alone. */
  readonly draw: (count: number, noiseMultiplier: number) => Float64Array;
}

/** The clipped gradients of one training step. */
export class ClippedSum {
  readonly #parameters: TensorMap;
  readonly #clippingNorm: number;
  /** Whole steps of the grid, tensor after tensor in name order; exact below 2^53. */
  readonly #steps: Float64Array;
  #released = false;

  /** @param parameters the trainable tensors, for names, shapes and dtypes. @param clippingNorm C */
  constructor(parameters: TensorMap, clippingNorm: number) {
    if (!(clippingNorm > 0)) throw new BugError('a clipping norm is above 0');
    this.#parameters = parameters;
    this.#clippingNorm = clippingNorm;
    let count = 0;
    for (const { data } of parameters.values()) count += data.length;
    this.#steps = new Float64Array(count);
  }

  /**
   * Adds one patient: the gradient of all of their rows together, clipped over all tensors at once. Values are cut towards 0 onto
   * the grid, which makes no norm larger.
   *
   * @throws TensorError BAD_TENSORS for other names, shapes or dtypes than the parameters'
   */
  add(gradient: TensorMap): void {
    requireManifest(gradient, tensorManifest(this.#parameters));
    const factor = clippingFactor(l2Norm(gradient), this.#clippingNorm);
    if (factor === 0) return;
    const scale = (factor * STEPS_PER_NORM) / this.#clippingNorm;
    let at = 0;
    for (const name of sortedNames(gradient)) {
      for (const value of requireTensor(gradient, name).data) {
        this.#steps[at] = (this.#steps[at] ?? 0) + Math.trunc(value * scale);
        at += 1;
      }
    }
  }

  /**
   * Adds patients whose clipped gradients were summed elsewhere: by floats, so within less than C by as much as floats and this
   * rounding can move a sum (`clippingMargin`).
   *
   * @param sum the values of all tensors, one after the other in name order; finite
   */
  addClipped(sum: Float32Array | Float64Array): void {
    if (sum.length !== this.#steps.length) throw new BugError('a sum has a value for each parameter');
    const scale = STEPS_PER_NORM / this.#clippingNorm;
    // By index: an iterator takes longer than all of the arithmetic.
    const steps = this.#steps;
    for (let at = 0; at < sum.length; at += 1)
      steps[at] = (steps[at] as number) + Math.round((sum[at] as number) * scale);
  }

  /** The noisy mean gradient, once: noise drawn anew over the same sum could be averaged out. An empty lot gives noise alone. */
  release({ noiseMultiplier, expectedLot, draw }: Release): TensorMap {
    if (this.#released) throw new BugError('the sum of a lot is released once');
    if (!(noiseMultiplier >= LEAST_NOISE_MULTIPLIER && expectedLot > 0))
      throw new BugError('a sum leaves with noise, over an expected lot');
    this.#released = true;
    const noise = draw(this.#steps.length, noiseMultiplier);
    if (noise.length !== this.#steps.length) throw new BugError('there is noise for each value');
    const unit = this.#clippingNorm / STEPS_PER_NORM / expectedLot;
    let at = 0;
    return new Map(
      sortedNames(this.#parameters).map((name) => {
        const { shape, data } = requireTensor(this.#parameters, name);
        const mean = data.slice();
        for (let place = 0; place < mean.length; place += 1, at += 1)
          mean[place] = ((this.#steps[at] as number) + (noise[at] as number)) * unit;
        return [name, { shape, data: mean }];
      }),
    );
  }
}

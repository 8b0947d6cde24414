// The privacy loss of one step of the Poisson-subsampled Gaussian: how much likelier a noisy sum is with a patient than without.
// Along the patient's direction, in clipping norms, the sum without is N(0, σ²), the sum with (1 − q) N(0, σ²) + q N(1, σ²).
import type { PrivacySpend } from '#federation/privacy/privacy-spend.ts';

/** One step's setting; both numbers above 0. */
export type StepSetting = Pick<PrivacySpend, 'noiseMultiplier' | 'samplingRate'>;

/** ln(1 − q + q e^x), for an x that e^x may overflow at. @param x (2z − 1)/(2σ²), the loss of a patient surely drawn */
export function privacyLoss(x: number, samplingRate: number): number {
  if (x > 50) return x + Math.log(samplingRate + (1 - samplingRate) * Math.exp(-x));
  return Math.log1p(samplingRate * Math.expm1(x));
}

/** The x of a loss: minus infinity at ln(1 − q) and below. */
export function lossArgument(loss: number, samplingRate: number): number {
  if (samplingRate === 1) return loss;
  if (loss > 50) return loss + Math.log1p(-(1 - samplingRate) * Math.exp(-loss)) - Math.log(samplingRate);
  return Math.log1p(Math.max(-1, Math.expm1(loss) / samplingRate));
}

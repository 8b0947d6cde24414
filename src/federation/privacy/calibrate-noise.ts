// The least noise that keeps a training run within an epsilon.
import { type AccountantSetting, privacyGuarantee } from '#federation/privacy/privacy-guarantee.ts';
import {
  LEAST_NOISE_MULTIPLIER,
  type PrivacySpend,
  requireSetting,
} from '#federation/privacy/privacy-spend.ts';

/** Calibrated multipliers are above the smallest by no more than this share. */
const TOLERANCE = 1e-4;
/** More noise than any target above 0 and any run in this world needs. */
const MOST_NOISE = 2 ** 40;

export interface CalibrationTarget extends AccountantSetting {
  readonly targetEpsilon: number;
  readonly samplingRate: number;
  readonly steps: number;
  /** What was spent before and counts too; absent: nothing. */
  readonly spent?: readonly PrivacySpend[];
}

/**
 * The smallest noise multiplier whose epsilon is no more than the target, found by bisection and rounded up.
 *
 * @throws PrivacyError BAD_PRIVACY_SETTING where no noise reaches the target: it is not above 0, or spent already
 */
export function calibrateNoise(target: CalibrationTarget): number {
  const { targetEpsilon, samplingRate, steps, spent = [] } = target;
  requireSetting('targetEpsilon', targetEpsilon > 0);
  const suffices = (noiseMultiplier: number): boolean =>
    privacyGuarantee([...spent, { noiseMultiplier, samplingRate, steps }], target).epsilon <= targetEpsilon;
  let enough = 1;
  while (!suffices(enough)) {
    requireSetting('targetEpsilon', enough < MOST_NOISE);
    enough *= 2;
  }
  let tooLittle = enough === 1 ? LEAST_NOISE_MULTIPLIER : enough / 2;
  while (enough > tooLittle * (1 + TOLERANCE)) {
    const middle = Math.sqrt(enough * tooLittle);
    if (suffices(middle)) enough = middle;
    else tooLittle = middle;
  }
  return enough;
}

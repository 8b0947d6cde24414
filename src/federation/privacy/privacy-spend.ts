// What a training run costs in privacy, as facts that any accountant can add up: steps of DP-SGD under one setting.
import { PrivacyError } from '#federation/privacy/privacy-error.ts';

/** Steps of the Poisson-subsampled Gaussian mechanism. The unit is one patient, added or removed. */
export interface PrivacySpend {
  /** σ: standard deviation of the noise on the sum of clipped gradients, in clipping norms. */
  readonly noiseMultiplier: number;
  /** q: probability with which each patient is in a step's lot, independently of all others. */
  readonly samplingRate: number;
  readonly steps: number;
}

/** Below this noise epsilon is in the thousands: a number, but no promise. */
export const LEAST_NOISE_MULTIPLIER = 0.01;
/** Below it the parts of delta that an accountant adds up would be lost. */
export const LEAST_DELTA = 1e-100;

/**
 * What of `spends` can cost anything, equal settings added up, so that a long study costs no more time than a short one.
 *
 * @throws PrivacyError NO_NOISE where patients are drawn and no noise worth its name is added. BAD_PRIVACY_SETTING for numbers
 * that are no multiplier, rate or count.
 */
export function joinSpends(spends: readonly PrivacySpend[]): PrivacySpend[] {
  const joined = new Map<string, PrivacySpend>();
  for (const spend of spends) {
    requireSpend(spend);
    const { noiseMultiplier, samplingRate, steps } = spend;
    if (samplingRate === 0 || steps === 0) continue;
    if (noiseMultiplier < LEAST_NOISE_MULTIPLIER)
      throw new PrivacyError('NO_NOISE', 'Training with no noise, or next to none, keeps nothing private.', {
        details: { least: LEAST_NOISE_MULTIPLIER },
      });
    const setting = `${noiseMultiplier} ${samplingRate}`;
    joined.set(setting, { ...spend, steps: steps + (joined.get(setting)?.steps ?? 0) });
  }
  return [...joined.values()];
}

function requireSpend({ noiseMultiplier, samplingRate, steps }: PrivacySpend): void {
  requireSetting('noiseMultiplier', Number.isFinite(noiseMultiplier) && noiseMultiplier >= 0);
  requireSetting('samplingRate', samplingRate >= 0 && samplingRate <= 1);
  requireSetting('steps', Number.isSafeInteger(steps) && steps >= 0);
}

/** @throws PrivacyError BAD_PRIVACY_SETTING unless delta is below 1, and above 0 by enough for doubles to hold its parts */
export function requireDelta(delta: number): void {
  requireSetting('delta', delta >= LEAST_DELTA && delta < 1);
}

/** @throws PrivacyError BAD_PRIVACY_SETTING naming the setting, unless it `holds` */
export function requireSetting(field: string, holds: boolean): void {
  if (!holds)
    throw new PrivacyError('BAD_PRIVACY_SETTING', `The setting ${field} is out of its range.`, {
      details: { field },
    });
}

// Poisson sampling of patients, which the accountants assume: each is in a step's lot with the same probability, whoever else is.
// Batches cut from a shuffled list are another mechanism, of which their statement does not hold.
import type { Keystream } from '#federation/crypto/keystream.ts';
import { requireSetting } from '#federation/privacy/privacy-spend.ts';

/**
 * Positions of the patients drawn for one step, rising; often none. A rate is met to 2^-53.
 *
 * @param keystream its seed is secret: who knows the lots has no amplification by sampling against them
 * @throws PrivacyError BAD_PRIVACY_SETTING
 */
export function drawLot(patientCount: number, samplingRate: number, keystream: Keystream): number[] {
  requireSetting('samplingRate', samplingRate >= 0 && samplingRate <= 1);
  const lot: number[] = [];
  const draws = new Float64Array(patientCount);
  keystream.fillDoubles(draws);
  for (let patient = 0; patient < patientCount; patient += 1) {
    if ((draws[patient] as number) < samplingRate) lot.push(patient);
  }
  return lot;
}

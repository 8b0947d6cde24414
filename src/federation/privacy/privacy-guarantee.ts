// What differential privacy promises. Its four parts - epsilon, delta, unit, adjacency - are one value and never told apart.
import { pldEpsilon } from '#federation/privacy/pld-accountant.ts';
import type { PrivacySpend } from '#federation/privacy/privacy-spend.ts';
import { rdpEpsilon } from '#federation/privacy/rdp-accountant.ts';
import type { PrivacySpecification } from '#federation/records/privacy-plan.ts';

export type AccountantSetting = Pick<PrivacySpecification, 'accountant' | 'delta'>;

export interface PrivacyGuarantee extends Pick<PrivacySpecification, 'unit' | 'adjacency' | 'accountant'> {
  /** Never below the true one. Infinite where so much was spent that no double holds it. */
  readonly epsilon: number;
  readonly delta: number;
}

/**
 * What training with all of `spends` promises each patient.
 *
 * @throws PrivacyError NO_NOISE, BAD_PRIVACY_SETTING
 */
export function privacyGuarantee(
  spends: readonly PrivacySpend[],
  { accountant, delta }: AccountantSetting,
): PrivacyGuarantee {
  const epsilon = accountant === 'pld' ? pldEpsilon(spends, delta) : rdpEpsilon(spends, delta).epsilon;
  return { epsilon, delta, unit: 'patient', adjacency: 'add-or-remove-one-patient', accountant };
}

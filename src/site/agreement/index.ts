// The agreement stage: consortium, trust list, plans and rounds as this site accepted them.
export { type Agreement, type AgreementOptions, openAgreement } from './agreement.ts';
export { type AgreementCode, AgreementError } from './agreement-error.ts';
export {
  type ConsortiumSettings,
  consortiumOf,
  loadConsortiumSettings as consortiumSettingsOf,
} from './consortium-settings.ts';
export type { AcceptedPlan } from './plan.ts';
export type { AcceptedRemedy } from './remedy.ts';
export { type CheckedTrustList, checkTrustList } from './trust.ts';

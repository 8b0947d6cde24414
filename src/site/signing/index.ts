// The signing stage: an approved update becomes the sealed file that leaves.
export {
  type ConsentSnapshot,
  refuseChangedConsent,
  refuseErasedMembers,
  refuseStaleRound,
} from './departure.ts';
export { type SealOptions, sealApprovedUpdate } from './seal-approved-update.ts';
export { type SigningCode, SigningError } from './signing-error.ts';

// Rounds: one open at a time for each research study, and what takes them back.
export { type CarriedOut, carryOutRemedy } from './carry-out-remedy.ts';
export { type ClosedRound, closeCompleteRound, closeRoundEarly, readOpening } from './close-round.ts';
export { type DismissedRemedy, dismissRemedy } from './dismiss-remedy.ts';
export {
  findOpenRound,
  type OpenedRound,
  type OpenRoundRequest,
  openRound,
  unknownResearchStudy,
} from './open-round.ts';
export { findAnswer, findRemedy, lastRemedy, pendingRequests } from './remedies.ts';
export { type RoundCode, RoundError } from './round-error.ts';

// Rounds: one open at a time for each research study.
export { type ClosedRound, closeCompleteRound, closeRoundEarly, readOpening } from './close-round.ts';
export { findOpenRound, type OpenedRound, openRound, type OpenRoundRequest, unknownResearchStudy } from './open-round.ts';
export { type RoundCode, RoundError } from './round-error.ts';

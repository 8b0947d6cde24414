// Rounds: one open at a time for each research study.
export { type ClosedRound, closeCompleteRound, closeRoundEarly, readOpening } from './close-round.ts';
export {
  findOpenRound,
  type OpenedRound,
  type OpenRoundRequest,
  openRound,
  unknownResearchStudy,
} from './open-round.ts';
export { type RoundCode, RoundError } from './round-error.ts';

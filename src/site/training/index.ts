// Training on the workstation: the engine in a process of its own, and the record of each run.
export { openForkedChannel, type ProcessExit, type TrainingChannel } from './training-channel.ts';
export { type TrainingCode, TrainingError } from './training-error.ts';
export { createTrainingGate, type PausableGate } from './training-gate.ts';
export { createTrainingHost, type TrainingHostOptions } from './training-host.ts';
export type { TrainingReply, TrainingRequest } from './training-message.ts';
export {
  finishTrainingRun,
  type NewTrainingRun,
  type RunOutcome,
  recoverTrainingRuns,
  type StartedTrainingRun,
  saveTrainingCheckpoint,
  startTrainingRun,
} from './training-run.ts';

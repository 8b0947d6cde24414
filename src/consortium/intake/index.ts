// The one way in for what sites send.
export { type IntakeCode, IntakeError } from './intake-error.ts';
export { heldLogSize, receiveCheckpoint } from './receive-checkpoint.ts';
export { receiveRemedyRequest } from './receive-remedy-request.ts';
export { type ReceivedUpdate, receiveUpdate, type SentUpdate } from './receive-update.ts';
export { createUnknownSenders, type UnknownSenders } from './unknown-senders.ts';

// The consortium as the rest of the program sees it: `openConsortium(ports)`, and a profile's consortium made, served or reached.
export type { ExportedBundle, ImportedBundle } from './bundle/index.ts';
export { type InitialisedConsortium, type InitialiseOptions, initialiseConsortium } from './init.ts';
export { type Consortium, openConsortium } from './open-consortium.ts';
export type { AuditVerification, ConsortiumOperations } from './operations.ts';
export type { ConsortiumPorts } from './ports.ts';
export type { ProfileOptions } from './profile.ts';
export type { PublishedStatistics } from './publish/index.ts';
export { type ReachedConsortium, reachConsortium } from './reach.ts';
export { type ServedConsortium, type ServeOptions, serveConsortium } from './serve.ts';
export type {
  ConsortiumStatus,
  RemedyRequestStatus,
  RemedyStatus,
  ResearchStudyStatus,
  RoundStatus,
} from './status.ts';
export { type ConsortiumKeys, createConsortiumKeys } from './store/consortium-keys.ts';

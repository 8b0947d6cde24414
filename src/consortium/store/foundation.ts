// What every stage of the consortium works on.
import type { ConsortiumLog } from './consortium-log.ts';
import type { ConsortiumSigners } from './consortium-signers.ts';
import type { ConsortiumStore } from './index.ts';

export interface Foundation {
  readonly store: ConsortiumStore;
  readonly log: ConsortiumLog;
  readonly signers: ConsortiumSigners;
}

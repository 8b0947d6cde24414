// The consortium's encrypted store: schema, typed queries and transactions. Each stage keeps its own records in it.
import type { Clock } from '#base/clock.ts';
import { openTypedDatabase, type TypedDatabase } from '#base/typed-database.ts';
import type { ConsortiumSchema } from './consortium-schema.ts';
import { initialMigration } from './migrations/0001-initial.ts';
import { offlineBundleMigration } from './migrations/0002-offline-bundles.ts';

export { type ConsortiumEvent, type ConsortiumLog, openConsortiumLog } from './consortium-log.ts';
export type {
  ConsortiumSchema,
  GlobalModelRow,
  ReceivedUpdateRow,
  RemedyRequestRow,
  RoundRow,
} from './consortium-schema.ts';
export { type ConsortiumSigners, createConsortiumSigners } from './consortium-signers.ts';
export type { Foundation } from './foundation.ts';
export { signAnswer } from './remedy-answer.ts';
export { isBegun, loadSetting, saveSetting } from './setting.ts';

/** SQL of each schema version in order. Forward only: a released entry is never changed. */
export const consortiumMigrations: readonly string[] = [initialMigration, offlineBundleMigration];

/** The open store. */
export type ConsortiumStore = TypedDatabase<ConsortiumSchema>;

/**
 * Opens the store at `file` (or ':memory:') under a 32-byte page key, creating or migrating it where needed.
 * @throws DatabaseError DATABASE_UNREADABLE, DATABASE_TOO_NEW.
 */
export function openConsortiumStore(options: {
  readonly file: string;
  readonly key: Uint8Array;
  readonly clock: Clock;
}): ConsortiumStore {
  return openTypedDatabase<ConsortiumSchema>({ ...options, migrations: consortiumMigrations });
}

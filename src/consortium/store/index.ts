// The consortium's encrypted store: schema, typed queries and transactions. Each stage keeps its own records in it.
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import type { Clock } from '#base/clock.ts';
import { type Database, openDatabase } from '#base/sqlite-database.ts';
import type { ConsortiumSchema } from './consortium-schema.ts';
import { initialMigration } from './migrations/0001-initial.ts';

export { type ConsortiumLog, type ConsortiumEvent, openConsortiumLog } from './consortium-log.ts';
export type { ConsortiumSchema, GlobalModelRow, ReceivedUpdateRow, RoundRow } from './consortium-schema.ts';
export { type ConsortiumSigners, createConsortiumSigners } from './consortium-signers.ts';
export type { Foundation } from './foundation.ts';
export { isBegun, loadSetting, saveSetting } from './setting.ts';

/** SQL of each schema version in order. Forward only: a released entry is never changed. */
export const consortiumMigrations: readonly string[] = [initialMigration];

/** The open store. `query` builds typed SQL that `all`, `get` and `run` execute. */
export interface ConsortiumStore extends Database {
  /** Builds queries only; awaiting one here finds nothing. */
  readonly query: Kysely<ConsortiumSchema>;
  readonly clock: Clock;
}

/**
 * Opens the store at `file` (or ':memory:') under a 32-byte page key, creating or migrating it where needed.
 * @throws DatabaseError DATABASE_UNREADABLE, DATABASE_TOO_NEW.
 */
export function openConsortiumStore(options: {
  readonly file: string;
  readonly key: Uint8Array;
  readonly clock: Clock;
}): ConsortiumStore {
  const database = openDatabase({ file: options.file, key: options.key, migrations: consortiumMigrations });
  return {
    query: createQueryBuilder(),
    clock: options.clock,
    all: (statement) => database.all(statement),
    get: (statement) => database.get(statement),
    run: (statement) => database.run(statement),
    prepare: (sql) => database.prepare(sql),
    transaction: (work) => database.transaction(work),
    get inTransaction() {
      return database.inTransaction;
    },
    close: () => database.close(),
  };
}

function createQueryBuilder(): Kysely<ConsortiumSchema> {
  return new Kysely<ConsortiumSchema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (kysely) => new SqliteIntrospector(kysely),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
}

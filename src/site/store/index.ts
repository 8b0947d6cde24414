// The site's encrypted store: schema, queries and transactions. Each stage keeps its own records in it.
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import type { Clock } from '#base/clock.ts';
import { type Database, openDatabase } from '#base/sqlite-database.ts';
import { initialMigration } from '#site/store/migrations/0001-initial.ts';
import type { SiteSchema } from '#site/store/site-schema.ts';

export type { Database } from '#base/sqlite-database.ts';
export type * from '#site/store/site-schema.ts';

/** SQL of each schema version in order. Forward only: a released entry is never changed. */
export const siteMigrations: readonly string[] = [initialMigration];

/** The open store. `query` builds typed SQL that `all`, `get` and `run` execute: `store.all(store.query.selectFrom('fact').selectAll())`. */
export interface Store extends Database {
  /** Builds queries only; awaiting one here finds nothing. */
  readonly query: Kysely<SiteSchema>;
  readonly clock: Clock;
}

export interface StoreOptions {
  /** Path of the database file, or ':memory:'. */
  readonly file: string;
  /** 32-byte page key. */
  readonly key: Uint8Array;
  readonly clock: Clock;
}

/**
 * Opens the store, creating or migrating it where needed.
 * @throws DatabaseError DATABASE_UNREADABLE, DATABASE_TOO_NEW.
 */
export function openStore(options: StoreOptions): Store {
  const database = openDatabase({ file: options.file, key: options.key, migrations: siteMigrations });
  const query = createQueryBuilder();
  return {
    query,
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

function createQueryBuilder(): Kysely<SiteSchema> {
  return new Kysely<SiteSchema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (kysely) => new SqliteIntrospector(kysely),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
}

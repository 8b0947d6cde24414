// An open database whose SQL is built with the types of its schema, and the clock by which its rows are dated.
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import type { Clock } from '#base/clock.ts';
import {
  type Database,
  type DatabaseDoor,
  type DatabaseOptions,
  openDatabase,
  openDatabaseReader,
} from '#base/sqlite-database.ts';

/** `query` builds typed SQL that `all`, `get` and `run` execute: `store.all(store.query.selectFrom('fact').selectAll())`. */
export interface TypedDatabase<Schema> extends Database {
  /** Builds queries only; awaiting one here finds nothing. */
  readonly query: Kysely<Schema>;
  readonly clock: Clock;
}

/**
 * Opens the database, creating or migrating it where needed.
 * @throws DatabaseError DATABASE_UNREADABLE, DATABASE_TOO_NEW.
 */
export function openTypedDatabase<Schema>(
  options: DatabaseOptions & { readonly clock: Clock },
): TypedDatabase<Schema> {
  return typed(openDatabase(options), options.clock);
}

/** Opens the database to read it, as `openDatabaseReader` does. @throws DatabaseError DATABASE_UNREADABLE. */
export function openTypedReader<Schema>(
  door: DatabaseDoor & { readonly clock: Clock },
): TypedDatabase<Schema> {
  return typed(openDatabaseReader(door), door.clock);
}

function typed<Schema>(database: Database, clock: Clock): TypedDatabase<Schema> {
  return {
    query: createQueryBuilder<Schema>(),
    clock,
    all: (statement) => database.all(statement),
    get: (statement) => database.get(statement),
    run: (statement) => database.run(statement),
    prepare: (sql) => database.prepare(sql),
    prepareColumn: (sql) => database.prepareColumn(sql),
    prepareRows: (sql) => database.prepareRows(sql),
    transaction: (work, durability) => database.transaction(work, durability),
    get inTransaction() {
      return database.inTransaction;
    },
    checkpoint: () => database.checkpoint(),
    emptyLog: () => database.emptyLog(),
    close: () => database.close(),
  };
}

function createQueryBuilder<Schema>(): Kysely<Schema> {
  return new Kysely<Schema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (kysely) => new SqliteIntrospector(kysely),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
}

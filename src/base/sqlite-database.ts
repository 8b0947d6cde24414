// The one door to SQLite: encrypted pages (SQLCipher 4 layout, raw 256-bit key), WAL, full sync unless a caller lets it wait. Calls are
// synchronous; queries are built elsewhere (Kysely) and only executed here.
import SqliteConnection from 'better-sqlite3';
import type { Compilable } from 'kysely';
import { toHex } from '#base/bytes.ts';
import { BugError, CodedError } from '#base/coded-error.ts';

export type { Compilable } from 'kysely';

export type DatabaseCode = 'DATABASE_FULL' | 'DATABASE_UNREADABLE' | 'DATABASE_TOO_NEW';
export class DatabaseError extends CodedError<DatabaseCode> {}

/** A prepared statement for hot loops. Parameters bind by position; BLOB columns come as Node's Buffer. */
export interface Statement {
  run(...parameters: readonly unknown[]): { readonly changes: number };
  get(...parameters: readonly unknown[]): unknown;
  all(...parameters: readonly unknown[]): unknown[];
  iterate(...parameters: readonly unknown[]): IterableIterator<unknown>;
}

/**
 * When what a transaction did is safe from a power cut: when it returns, or with the next one that is. One that waits is whole or not
 * there at all, as any other, and safe from the end of the process.
 */
export type Durability = 'at-once' | 'with-the-next';

/** An open database. Calls are synchronous; BLOB columns come as Uint8Array, INTEGER and REAL as number. */
export interface Database {
  all<T>(query: Compilable<T>): T[];
  /** The first row, or undefined. Also for statements with RETURNING. */
  get<T>(query: Compilable<T>): T | undefined;
  run(query: Compilable<unknown>): { readonly changes: number };
  prepare(sql: string): Statement;
  /** A statement whose rows are their first column alone. */
  prepareColumn(sql: string): Statement;
  /** A statement whose rows are arrays of their columns: for hot loops, where a name for each value would be paid for. */
  prepareRows(sql: string): Statement;
  /**
   * Runs `work` in a transaction (BEGIN IMMEDIATE) and commits what it did; when it throws, nothing of it stays.
   * A nested call joins the outer transaction as a savepoint: it is durable only when the outer one commits.
   * @throws DatabaseError DATABASE_FULL when the disk has no room: nothing of the transaction is stored.
   * @throws BugError when `work` returns a promise: it would go on after the commit.
   */
  transaction<T>(work: () => T, durability?: Durability): T;
  readonly inTransaction: boolean;
  /** Copies what the log of changes has to its place and empties it, so that nothing of erased rows lies in it; false where a reader is in the way. */
  emptyLog(): boolean;
  /** Copies what the log of changes has to its place: many changes of one page are copied once. Done now and then by itself. */
  checkpoint(): void;
  close(): void;
}

export interface DatabaseOptions {
  /** Path, or ':memory:' for one that ends with the process. */
  readonly file: string;
  /** 32 bytes; used as the page key itself, with no derivation. */
  readonly key: Uint8Array;
  /** SQL of each schema version in order; only ever appended to. */
  readonly migrations: readonly string[];
}

/**
 * Opens (or creates) an encrypted database and brings its schema up to date, one transaction for each migration.
 * @throws DatabaseError DATABASE_UNREADABLE for a wrong key or a damaged file (SQLite cannot tell them apart).
 * @throws DatabaseError DATABASE_TOO_NEW when the file was written by a later release: going on could lose what that one knows.
 */
export function openDatabase(options: DatabaseOptions): Database {
  if (options.key.length !== 32) throw new BugError('a database key has 32 bytes');
  const connection = new SqliteConnection(options.file);
  try {
    // A database in memory has no pages on a disk, and SQLite refuses a key for it.
    if (options.file !== ':memory:') unlock(connection, options.key);
    harden(connection);
    tune(connection);
    const database = new SqliteDatabase(connection);
    migrate(database, connection, options.migrations);
    return database;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** How another thread of the same process opens a database of this release. */
export type DatabaseDoor = Omit<DatabaseOptions, 'migrations'>;

/**
 * Opens a database to read it, beside whoever writes it. A transaction sees one state from its first statement to its end, and holds
 * nobody up.
 * @throws DatabaseError DATABASE_UNREADABLE for a wrong key or a damaged file.
 */
export function openDatabaseReader(door: DatabaseDoor): Database {
  const connection = openBeside(door);
  connection.pragma('query_only = ON');
  return new SqliteDatabase(connection, 'BEGIN');
}

/**
 * Keeps all others from writing for as long as `work` takes, which should be milliseconds: theirs waits, on its thread. False, with the
 * work undone, where somebody else writes for long.
 */
export function holdWriters(door: DatabaseDoor, work: () => void): boolean {
  const connection = openBeside(door);
  let isHeld = false;
  try {
    connection.pragma(`busy_timeout = ${holdTimeoutMs}`);
    new SqliteDatabase(connection).transaction(() => {
      isHeld = true;
      work();
    });
  } catch (error) {
    if (isHeld || !isSqliteError(error, 'SQLITE_BUSY')) throw error;
  } finally {
    connection.close();
  }
  return isHeld;
}

function openBeside({ file, key }: DatabaseDoor): SqliteConnection.Database {
  const connection = new SqliteConnection(file, { fileMustExist: true });
  try {
    unlock(connection, key);
    harden(connection);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function unlock(connection: SqliteConnection.Database, key: Uint8Array): void {
  connection.pragma(`cipher = 'sqlcipher'`);
  connection.pragma('legacy = 4');
  connection.pragma(`key = "x'${toHex(key)}'"`);
  try {
    connection.pragma('journal_mode = WAL');
    connection.prepare('SELECT count(*) FROM sqlite_schema').get();
  } catch (error) {
    if (!isSqliteError(error, 'SQLITE_NOTADB') && !isSqliteError(error, 'SQLITE_CORRUPT')) throw error;
    throw new DatabaseError('DATABASE_UNREADABLE', 'the database does not open with this key', {
      cause: error,
    });
  }
}

/**
 * An encrypted page is dear to read and to write: one that is used often stays, and one that is written again and again is copied
 * from the log once for many times. Whoever writes much calls `checkpoint` before this many pages do it amid a commit.
 */
function tune(connection: SqliteConnection.Database): void {
  connection.pragma('cache_size = -16000');
  connection.pragma('wal_autocheckpoint = 4000');
}

function harden(connection: SqliteConnection.Database): void {
  connection.pragma('synchronous = FULL');
  connection.pragma('foreign_keys = ON');
  // Temporary tables and sorts would otherwise lie unencrypted on the disk.
  connection.pragma('temp_store = MEMORY');
  // Erased rows are overwritten: a later thief of the key finds no deleted name in free pages.
  connection.pragma('secure_delete = ON');
}

function migrate(
  database: Database,
  connection: SqliteConnection.Database,
  migrations: readonly string[],
): void {
  const found = Number(connection.pragma('user_version', { simple: true }));
  if (found > migrations.length) {
    throw new DatabaseError('DATABASE_TOO_NEW', 'the database was written by a later release', {
      details: { expected: migrations.length, found },
    });
  }
  for (const [index, sql] of migrations.entries()) {
    if (index < found) continue;
    database.transaction(() => {
      // Read again under the write lock: another process may have migrated in the meantime.
      if (Number(connection.pragma('user_version', { simple: true })) > index) return;
      connection.exec(sql);
      connection.pragma(`user_version = ${index + 1}`);
    });
  }
}

const MAX_CACHED_STATEMENTS = 500;
/** How long a statement waits for another connection's lock. */
const busyTimeoutMs = 5_000;
/** Who would hold the writers can do without. */
const holdTimeoutMs = 500;

class SqliteDatabase implements Database {
  readonly #connection: SqliteConnection.Database;
  readonly #begin: string;
  readonly #statements = new Map<string, SqliteConnection.Statement>();
  #depth = 0;

  constructor(connection: SqliteConnection.Database, begin: 'BEGIN' | 'BEGIN IMMEDIATE' = 'BEGIN IMMEDIATE') {
    this.#connection = connection;
    this.#begin = begin;
  }

  get inTransaction(): boolean {
    return this.#depth > 0;
  }

  all<T>(query: Compilable<T>): T[] {
    const { sql, parameters } = query.compile();
    const rows = this.#statement(sql).all(...parameters);
    for (const row of rows) plainBytes(row);
    return rows as T[];
  }

  get<T>(query: Compilable<T>): T | undefined {
    const { sql, parameters } = query.compile();
    const row = this.#statement(sql).get(...parameters);
    if (row !== undefined) plainBytes(row);
    return row as T | undefined;
  }

  run(query: Compilable<unknown>): { readonly changes: number } {
    const { sql, parameters } = query.compile();
    return { changes: this.#statement(sql).run(...parameters).changes };
  }

  prepare(sql: string): Statement {
    return this.#connection.prepare(sql);
  }

  prepareColumn(sql: string): Statement {
    return this.#connection.prepare(sql).pluck();
  }

  prepareRows(sql: string): Statement {
    return this.#connection.prepare(sql).raw();
  }

  checkpoint(): void {
    this.#connection.pragma('wal_checkpoint(PASSIVE)');
  }

  emptyLog(): boolean {
    // Not waited for: a reader may take minutes, and this thread serves others.
    this.#connection.pragma('busy_timeout = 0');
    try {
      const [result] = this.#connection.pragma('wal_checkpoint(TRUNCATE)') as { readonly busy: number }[];
      return result?.busy === 0;
    } finally {
      this.#connection.pragma(`busy_timeout = ${busyTimeoutMs}`);
    }
  }

  transaction<T>(work: () => T, durability: Durability = 'at-once'): T {
    if (durability === 'at-once' || this.inTransaction) return this.#transaction(work);
    // A log without this sync stays whole: its frames are chained by checksums, and a checkpoint syncs it first.
    this.#connection.pragma('synchronous = NORMAL');
    try {
      return this.#transaction(work);
    } finally {
      this.#connection.pragma('synchronous = FULL');
    }
  }

  #transaction<T>(work: () => T): T {
    const depth = this.#depth;
    const [begin, commit, rollback] =
      depth === 0
        ? [this.#begin, 'COMMIT', 'ROLLBACK']
        : [
            `SAVEPOINT nested_${depth}`,
            `RELEASE nested_${depth}`,
            `ROLLBACK TO nested_${depth}; RELEASE nested_${depth}`,
          ];
    // Prepared once: compiling these takes as long as many a row.
    this.#statement(begin).run();
    this.#depth = depth + 1;
    try {
      const result = work();
      if (isPromiseLike(result)) throw new BugError('a transaction cannot wait for a promise');
      this.#statement(commit).run();
      return result;
    } catch (error) {
      // SQLite has already rolled back by itself after some faults (disk full, input/output error).
      if (this.#connection.inTransaction) this.#connection.exec(rollback);
      if (!isSqliteError(error, 'SQLITE_FULL')) throw error;
      throw new DatabaseError('DATABASE_FULL', 'there is no room left for the database', { cause: error });
    } finally {
      this.#depth = depth;
    }
  }

  close(): void {
    this.#statements.clear();
    this.#connection.close();
  }

  #statement(sql: string): SqliteConnection.Statement {
    const cached = this.#statements.get(sql);
    if (cached !== undefined) return cached;
    if (this.#statements.size >= MAX_CACHED_STATEMENTS) this.#statements.clear();
    const statement = this.#connection.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** Turns Buffers of a row into plain arrays in place: `slice` of a Buffer shares memory, that of a Uint8Array copies. */
function plainBytes(row: unknown): void {
  const columns = row as Record<string, unknown>;
  for (const name in columns) {
    const value = columns[name];
    if (Buffer.isBuffer(value))
      columns[name] = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
}

function isPromiseLike(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function isSqliteError(error: unknown, code: string): boolean {
  return error instanceof SqliteConnection.SqliteError && error.code.startsWith(code);
}

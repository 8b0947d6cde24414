import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Compilable } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isCodedError } from '#base/coded-error.ts';
import { openDatabase } from '#base/sqlite-database.ts';

const key = new Uint8Array(32).fill(7);
const migrations = [
  'CREATE TABLE thing (name TEXT PRIMARY KEY, body BLOB, parent TEXT REFERENCES thing) STRICT;',
];

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'consilium-database-'));
  file = join(folder, 'store.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A hand-written query with its row type, as a Kysely builder would compile it. */
function statement<T>(sql: string, ...parameters: unknown[]): Compilable<T> {
  return { compile: () => ({ sql, parameters }) as unknown as ReturnType<Compilable<T>['compile']> };
}
/** More than 4,000 pages of them. */
const manyThings = `WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 4500)
  INSERT INTO thing (name, body) SELECT 'many-' || n, zeroblob(4000) FROM number`;
const count = statement<{ n: number }>('SELECT count(*) AS n FROM thing');
const insert = (name: string) =>
  statement('INSERT INTO thing (name, body) VALUES (?, ?)', name, new Uint8Array([1, 2]));

describe('an encrypted database', () => {
  it('says that the disk is full, and keeps nothing of that transaction', () => {
    const database = openDatabase({ file, key, migrations });
    database.run(insert('before'));
    database.prepare('PRAGMA max_page_count = 8').get();
    const fill = () =>
      database.transaction(() => {
        for (let index = 0; index < 5_000; index += 1) database.run(insert(`thing-${index}`));
      });
    expect(fill).toThrow(expect.objectContaining({ code: 'DATABASE_FULL' }));
    expect(database.get(count)).toEqual({ n: 1 });
    database.run(insert('after'));
    database.close();
  });

  it('keeps no planted text readable in any of its files', () => {
    const database = openDatabase({ file, key, migrations });
    const planted = 'Wilhelmina-Planted-Patient-Name';
    for (let index = 0; index < 50; index += 1) database.run(insert(`${planted}-${index}`));
    const names = readdirSync(folder);
    expect(names).toContain('store.db-wal');
    for (const name of names) expect(readFileSync(join(folder, name)).includes(planted)).toBe(false);
    expect(readFileSync(file).subarray(0, 15).toString()).not.toBe('SQLite format 3');
    database.close();
    expect(readFileSync(file).includes(planted)).toBe(false);
  });

  it('copies its log to its place when it is told to, and before the log grows large', () => {
    const database = openDatabase({ file, key, migrations });
    const before = statSync(file).size;
    for (let index = 0; index < 50; index += 1) database.run(insert(`thing-${index}`));
    expect(statSync(file).size).toBe(before);
    database.checkpoint();
    expect(statSync(file).size).toBeGreaterThan(before);
    database.transaction(() => database.prepare(manyThings).run(), 'with-the-next');
    expect(statSync(file).size).toBeGreaterThan(16_000_000);
    database.close();
  });

  it('waits for the disk with every transaction but those that may wait for the next one', () => {
    const database = openDatabase({ file, key, migrations });
    const synchronous = () => database.prepareColumn('PRAGMA synchronous').get();
    const seen = [synchronous()];
    database.transaction(() => {
      seen.push(synchronous());
      database.run(insert('one'));
      database.transaction(() => seen.push(synchronous()), 'at-once');
    }, 'with-the-next');
    const fails = () =>
      database.transaction(() => {
        throw new Error('no');
      }, 'with-the-next');
    expect(fails).toThrow('no');
    seen.push(synchronous());
    database.transaction(() => database.transaction(() => seen.push(synchronous()), 'with-the-next'));
    expect(seen).toEqual([2, 1, 1, 2, 2]);
    expect(database.get(count)).toEqual({ n: 1 });
    database.close();
  });

  it('opens again with its key and refuses another one by name', () => {
    const database = openDatabase({ file, key, migrations });
    database.run(insert('one'));
    database.close();
    const again = openDatabase({ file, key, migrations });
    expect(again.get(count)).toEqual({ n: 1 });
    again.close();
    expect(() => openDatabase({ file, key: new Uint8Array(32), migrations })).toThrow(
      expect.objectContaining({ code: 'DATABASE_UNREADABLE' }),
    );
  });

  it.each([
    ['journal_mode', 'wal'],
    ['synchronous', 2],
    ['foreign_keys', 1],
    ['temp_store', 2],
    ['secure_delete', 1],
  ])('runs with %s = %s', (pragma, expected) => {
    const database = openDatabase({ file, key, migrations });
    expect(database.prepare(`PRAGMA ${pragma}`).get()).toEqual({ [pragma]: expected });
    database.close();
  });

  it('applies each migration once and refuses a file of a later release', () => {
    const more = [...migrations, 'ALTER TABLE thing ADD COLUMN extra TEXT;'];
    openDatabase({ file, key, migrations }).close();
    const upgraded = openDatabase({ file, key, migrations: more });
    expect(upgraded.prepare('PRAGMA user_version').get()).toEqual({ user_version: 2 });
    upgraded.close();
    openDatabase({ file, key, migrations: more }).close();
    expect(() => openDatabase({ file, key, migrations })).toThrow(
      expect.objectContaining({ code: 'DATABASE_TOO_NEW', details: { expected: 1, found: 2 } }),
    );
  });

  it('leaves the version before a migration that fails', () => {
    const broken = [...migrations, 'CREATE TABLE half (a TEXT) STRICT; CREATE TABLE thing (a TEXT) STRICT;'];
    expect(() => openDatabase({ file, key, migrations: broken })).toThrow('already exists');
    const database = openDatabase({ file, key, migrations });
    expect(
      database.all(statement<{ name: string }>(`SELECT name FROM sqlite_schema WHERE type = 'table'`)),
    ).toEqual([{ name: 'thing' }]);
    database.close();
  });

  it('gives bytes as plain arrays, so that slice copies', () => {
    const database = openDatabase({ file: ':memory:', key, migrations });
    database.run(insert('one'));
    const row = database.get(statement<{ body: Uint8Array }>('SELECT body FROM thing'));
    expect(Buffer.isBuffer(row?.body)).toBe(false);
    expect(row?.body).toEqual(new Uint8Array([1, 2]));
    database.close();
  });
});

describe('a transaction', () => {
  it('leaves nothing of work that throws', () => {
    const database = openDatabase({ file: ':memory:', key, migrations });
    expect(() =>
      database.transaction(() => {
        database.run(insert('one'));
        throw new Error('stop');
      }),
    ).toThrow('stop');
    expect(database.get(count)).toEqual({ n: 0 });
    expect(database.inTransaction).toBe(false);
    database.close();
  });

  it('takes nested work along, and undoes only the nested part that failed', () => {
    const database = openDatabase({ file: ':memory:', key, migrations });
    database.transaction(() => {
      database.run(insert('outer'));
      database.transaction(() => database.run(insert('nested')));
      expect(() =>
        database.transaction(() => {
          database.run(insert('failed'));
          throw new Error('stop');
        }),
      ).toThrow('stop');
      expect(database.inTransaction).toBe(true);
    });
    expect(database.all(statement('SELECT name FROM thing ORDER BY name'))).toEqual([
      { name: 'nested' },
      { name: 'outer' },
    ]);
    expect(() =>
      database.transaction(() => {
        database.transaction(() => database.run(insert('lost with the outer one')));
        throw new Error('stop');
      }),
    ).toThrow('stop');
    expect(database.get(count)).toEqual({ n: 2 });
    database.close();
  });

  it('is written out when a second connection reads, and only then', () => {
    const writer = openDatabase({ file, key, migrations });
    const reader = openDatabase({ file, key, migrations });
    writer.transaction(() => {
      writer.run(insert('one'));
      expect(reader.get(count)).toEqual({ n: 0 });
    });
    expect(reader.get(count)).toEqual({ n: 1 });
    reader.close();
    writer.close();
  });

  it('refuses a promise and rolls back', () => {
    const database = openDatabase({ file: ':memory:', key, migrations });
    let caught: unknown;
    try {
      database.transaction(() => {
        database.run(insert('one'));
        return Promise.resolve();
      });
    } catch (error) {
      caught = error;
    }
    expect(isCodedError(caught, 'BUG')).toBe(true);
    expect(database.get(count)).toEqual({ n: 0 });
    database.close();
  });
});

// What SQLite itself says about the schema of an open store.
import type { Database } from '#base/sqlite-database.ts';

/** The SQL of every table, view, index and trigger, in order of type and name. */
export function schemaText(store: Database): string {
  const query = 'SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name';
  return (store.prepare(query).all() as { sql: string }[]).map(({ sql }) => `${sql};\n`).join('\n');
}

/** Sorted column names by table and view. */
export function columnsByTable(store: Database): Record<string, string[]> {
  const tables = names(
    store,
    `SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'`,
  );
  return Object.fromEntries(
    tables.map((table) => [table, names(store, `SELECT name FROM pragma_table_info('${table}')`).sort()]),
  );
}

/** Tables that take values of any type. */
export function looseTables(store: Database): string[] {
  return names(
    store,
    `SELECT name FROM pragma_table_list WHERE type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'`,
  );
}

/** `{ table: { column: true } }` as `columnsByTable` gives it. */
export function sortedColumns(columns: Readonly<Record<string, object>>): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(columns).map(([table, names]) => [table, Object.keys(names).sort()]),
  );
}

function names(store: Database, query: string): string[] {
  return (store.prepare(query).all() as { name: string }[]).map(({ name }) => name);
}

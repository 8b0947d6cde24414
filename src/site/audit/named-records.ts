// Whether every update and decision that the log names is there, and every one that is there stands in the log (security.md A5): whoever can
// write the database can put in an approval, or take one out.
import type { LogProblem } from '#federation/log/log-problem.ts';
import type { Store } from '#site/store/index.ts';

const records = [
  { table: 'model_update', actions: `'update-built'` },
  { table: 'approval', actions: `'update-approved', 'update-refused'` },
] as const;

/** The first that is wrong; null where all is well. */
export function checkNamedRecords(store: Store): LogProblem | null {
  for (const { table, actions } of records) {
    const entries = `FROM audit_leaf WHERE json_extract(line, '$.action') IN (${actions}) AND line ->> '$.outcome' = 'success'`;
    const missing = store
      .prepareColumn(
        `SELECT seq ${entries} AND NOT EXISTS (SELECT 1 FROM ${table} WHERE 'update:' || update_id = line ->> '$.object')
        ORDER BY seq LIMIT 1`,
      )
      .get() as number | undefined;
    if (missing !== undefined) {
      return { seq: missing, code: 'RECORD_MISSING', message: 'what the entry names is not there any more' };
    }
    const unlogged = store
      .prepareColumn(
        `SELECT 1 FROM ${table} WHERE 'update:' || update_id NOT IN (SELECT line ->> '$.object' ${entries}) LIMIT 1`,
      )
      .get();
    if (unlogged !== undefined) {
      return {
        seq: null,
        code: 'RECORD_NOT_LOGGED',
        message: 'an update or a decision is there that no entry names',
      };
    }
  }
  return null;
}

// The audit log as people read it: newest first, by action and by words.
import { sql } from 'kysely';
import { toHex } from '#base/bytes.ts';
import { type Leaf, parseLeaf } from '#federation/log/leaf.ts';
import type { Store } from '#site/store/index.ts';

export interface AuditQuery {
  /** Part of actor, action, object, research study, reason or detail, in any case; '' for all. */
  readonly search: string;
  readonly action: string | null;
  readonly offset: number;
  readonly limit: number;
}

export type AuditEntry = Pick<
  Leaf,
  'seq' | 'time' | 'actor' | 'role' | 'action' | 'object' | 'researchStudyId' | 'round' | 'outcome' | 'reason'
> & {
  /** JSON text; null where there is none or it was erased. */
  readonly detail: string | null;
  readonly leafHash: string;
};

export interface AuditPage {
  readonly total: number;
  /** Every action that stands in the log, for a filter. */
  readonly actions: string[];
  readonly entries: AuditEntry[];
}

/** A page of the log. */
export function listAudit(store: Store, query: AuditQuery): AuditPage {
  const matching = matchingLeaves(store, query);
  const total = store.get(matching.select((count) => count.fn.countAll<number>().as('total')))?.total ?? 0;
  const rows = store.all(
    matching
      .select(['leaf.line', 'leaf.leaf_hash', 'detail.detail'])
      .orderBy('leaf.seq', 'desc')
      .limit(query.limit)
      .offset(query.offset),
  );
  const actions = store.all(
    store.query.selectFrom('audit_leaf').select(actionOf('line').as('action')).distinct().orderBy('action'),
  );
  return { total, actions: actions.map(({ action }) => action), entries: rows.map(toEntry) };
}

function matchingLeaves(store: Store, { search, action }: AuditQuery) {
  let query = store.query
    .selectFrom('audit_leaf as leaf')
    .leftJoin('audit_detail as detail', 'detail.seq', 'leaf.seq');
  if (action !== null) query = query.where(actionOf('leaf.line'), '=', action);
  if (search !== '') {
    const text = sql<string>`lower(concat_ws(char(10), leaf.line ->> '$.actor', leaf.line ->> '$.action',
      leaf.line ->> '$.object', leaf.line ->> '$.researchStudyId', leaf.line ->> '$.reason', detail.detail))`;
    query = query.where(sql<boolean>`instr(${text}, lower(${search})) > 0`);
  }
  return query;
}

/** The very expression of the index audit_leaf_action. */
function actionOf(column: string) {
  return sql<string>`json_extract(${sql.ref(column)}, '$.action')`;
}

function toEntry(row: { line: string; leaf_hash: Uint8Array; detail: string | null }): AuditEntry {
  const { seq, time, actor, role, action, object, researchStudyId, round, outcome, reason } = parseLeaf(
    row.line,
  );
  const entry = { seq, time, actor, role, action, object, researchStudyId, round, outcome, reason };
  return { ...entry, detail: row.detail, leafHash: toHex(row.leaf_hash) };
}

// Opt-out lists (security.md C6): applied last and always. A match by any identifier that is known of a person, also of a
// record that was merged into theirs, excludes; whoever comes to be known later is excluded from then on.
import { dayOf, isoTime } from '#base/clock.ts';
import type { Actor, AuditLog } from '#site/audit/index.ts';
import type { Store } from '#site/store/index.ts';
import { ConsentError } from './consent-error.ts';
import type { ConsentDecision } from './evaluate-consent.ts';
import { type OptOutFile, readOptOutFile } from './opt-out-file.ts';
import { noData } from './permitted-data.ts';

export interface OptOutImport extends OptOutFile {
  /** Whole days since 1970-01-01: the day up to which the list is complete. */
  readonly statedDay: number;
}

/** What the steward sees of a list after its import. */
export interface OptOutSummary {
  readonly authority: string;
  /** Different identifiers on it. */
  readonly entryCount: number;
  /** Subjects here whom it excludes. None may mean that the authority or the column is not the right one. */
  readonly matchedCount: number;
}

export interface OptOutContext {
  readonly store: Store;
  readonly auditLog: AuditLog;
  /** 32 bytes. */
  readonly linkageKey: Uint8Array;
}

/** What a plan asks of a list. */
export interface OptOutRequirement {
  readonly authority: string;
  readonly maxAgeDays: number;
}

/** The decision about whoever is on a list. */
export const optedOut: ConsentDecision = {
  decision: 'deny',
  rule: 'opted-out',
  consentId: null,
  version: null,
  path: ['opt-out'],
  data: noData,
};

/**
 * Takes a whole list in place of the authority's last one, in one transaction.
 * @throws ConsentError OPT_OUT_LIST_UNREADABLE, OPT_OUT_COLUMN_UNKNOWN, OPT_OUT_LIST_EMPTY, OPT_OUT_LIST_TOO_LARGE, and
 * OPT_OUT_DAY_INVALID for a list of the future, or older than the one that is here: either would hide that it is out of date.
 */
export async function importOptOuts(
  context: OptOutContext,
  list: OptOutImport,
  actor: Actor,
): Promise<OptOutSummary> {
  const { store, auditLog, linkageKey } = context;
  const { authority, statedDay } = list;
  const keys = await readOptOutFile(linkageKey, list);
  return store.transaction(() => {
    const known = store
      .prepare('SELECT list_no, stated_day FROM opt_out_list WHERE authority = ?')
      .get(authority) as { readonly list_no: number; readonly stated_day: number } | undefined;
    const today = dayOf(store.clock.nowMs());
    if (statedDay > today || statedDay < (known?.stated_day ?? statedDay))
      throw new ConsentError('OPT_OUT_DAY_INVALID', 'The list is of the future, or older than the one here.');
    const listNo = replaceList(store, { authority, statedDay, keys });
    const matchedCount = countMatches(store, listNo);
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action: 'opt-outs-imported',
      outcome: 'success',
      detail: { authority, statedDay, entryCount: keys.length },
    });
    return { authority, entryCount: keys.length, matchedCount };
  });
}

interface NewList {
  readonly authority: string;
  readonly statedDay: number;
  readonly keys: readonly Buffer[];
}

function replaceList(store: Store, { authority, statedDay, keys }: NewList): number {
  const { list_no: listNo } = store
    .prepare(
      `INSERT INTO opt_out_list (authority, stated_day, entry_count, imported_at) VALUES (?, ?, ?, ?)
      ON CONFLICT (authority) DO UPDATE SET stated_day = excluded.stated_day, entry_count = excluded.entry_count,
      imported_at = excluded.imported_at RETURNING list_no`,
    )
    .get(authority, statedDay, keys.length, isoTime(store.clock.nowMs())) as { readonly list_no: number };
  store.prepare('DELETE FROM opt_out WHERE list_no = ?').run(listNo);
  const add = store.prepare('INSERT INTO opt_out (link_key, list_no) VALUES (?, ?)');
  for (const key of keys) add.run(key, listNo);
  return listNo;
}

/** Standing subjects on a list, one row for each match. */
const matches = ['patient_link', 'known_identifier']
  .map(
    (
      table,
    ) => `SELECT standing.subject_no, list_no FROM opt_out JOIN ${table} USING (link_key) JOIN subject AS own USING (subject_no)
      JOIN subject AS standing ON standing.subject_no = coalesce(own.survivor_no, own.subject_no)`,
  )
  .join(' UNION ALL ');

function countMatches(store: Store, listNo: number): number {
  const statement = store.prepareColumn(
    `SELECT count(DISTINCT subject_no) FROM (${matches}) WHERE list_no = ?`,
  );
  return statement.get(listNo) as number;
}

/** subject_no of those who are on a list, as they stand after merges. */
export function optedOutSubjects(store: Store): number[] {
  return store.prepareColumn(`SELECT DISTINCT subject_no FROM (${matches})`).all() as number[];
}

export function isOptedOut(store: Store, subjectId: string): boolean {
  const isListed = (table: string): string =>
    `EXISTS (SELECT 1 FROM ${table} AS known JOIN opt_out USING (link_key) WHERE known.subject_no = own.subject_no)`;
  const statement = store.prepare(
    `SELECT 1 FROM subject AS standing JOIN subject AS own
    ON own.subject_no = standing.subject_no OR own.survivor_no = standing.subject_no
    WHERE standing.subject_id = ? AND (${isListed('patient_link')} OR ${isListed('known_identifier')}) LIMIT 1`,
  );
  return statement.get(subjectId) !== undefined;
}

/** Authorities of required lists that are not here, or older than the plan allows. */
export function staleOptOutLists(store: Store, required: readonly OptOutRequirement[]): string[] {
  const statedDays = new Map(
    store
      .all(store.query.selectFrom('opt_out_list').select(['authority', 'stated_day']))
      .map(({ authority, stated_day }) => [authority, stated_day]),
  );
  const today = dayOf(store.clock.nowMs());
  return required.flatMap(({ authority, maxAgeDays }) => {
    const statedDay = statedDays.get(authority);
    return statedDay === undefined || today - statedDay > maxAgeDays ? [authority] : [];
  });
}

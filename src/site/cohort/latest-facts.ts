// Streams the facts of one code and keeps, for each subject, the latest one in the plan's window around the index day.
// One pass over an index in subject order: no sort, no query per subject, one subject's rows in memory at a time.
import type { CodeReference } from '#federation/records/research-study-plan.ts';
import type { Store } from '#site/store/index.ts';

export interface FactValue {
  readonly day: number;
  readonly value_number: number | null;
  readonly unit: string | null;
  readonly value_system: string | null;
  readonly value_code: string | null;
}

interface FactRow extends FactValue {
  readonly subject_id: string;
}

export interface FactWindow {
  /** First and last day that count for a subject; undefined for one that is of no interest. */
  daysOf(subjectId: string): { readonly ordinal: number; readonly first: number; readonly last: number } | undefined;
}

/** Calls `take` with each subject's latest fact of the code inside its window. */
export function readLatestFacts(
  store: Store,
  code: Pick<CodeReference, 'system' | 'code'>,
  { window, take }: { window: FactWindow; take: (ordinal: number, fact: FactValue) => void },
): void {
  let subjectId: string | undefined;
  let days: ReturnType<FactWindow['daysOf']>;
  let latest: FactRow | undefined;
  const finish = () => {
    if (days !== undefined && latest !== undefined) take(days.ordinal, latest);
    latest = undefined;
  };
  for (const row of streamFacts(store, code)) {
    if (row.subject_id !== subjectId) {
      finish();
      subjectId = row.subject_id;
      days = window.daysOf(subjectId);
    }
    if (days === undefined || row.day < days.first || row.day > days.last) continue;
    if (latest === undefined || isLater(row, latest)) latest = row;
  }
  finish();
}

/** Every fact of the code, by subject and day. */
export function streamFacts(store: Store, { system, code }: Pick<CodeReference, 'system' | 'code'>): Iterable<FactRow> {
  const statement = store.prepare(`
    SELECT subject_id, day, value_number, unit, value_system, value_code FROM fact
    WHERE code_system = ? AND code = ? ORDER BY subject_id, day`);
  return statement.iterate(system, code) as Iterable<FactRow>;
}

/** By day; on one day by content, so that the order of import decides nothing. */
function isLater(left: FactRow, right: FactRow): boolean {
  if (left.day !== right.day) return left.day > right.day;
  if (left.value_code !== right.value_code) return (left.value_code ?? '') > (right.value_code ?? '');
  if (left.unit !== right.unit) return (left.unit ?? '') > (right.unit ?? '');
  return (left.value_number ?? Number.NEGATIVE_INFINITY) > (right.value_number ?? Number.NEGATIVE_INFINITY);
}

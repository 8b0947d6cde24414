// Streams the facts of one code and keeps, for each subject, the latest one in the plan's window around the index day.
// One pass for each code: no query per subject, one fact per subject in memory.
import type { CodeReference } from '#federation/records/research-study-plan.ts';
import type { Store } from '#site/store/index.ts';

export interface FactValue {
  readonly day: number;
  readonly value_number: number | null;
  readonly unit: string | null;
  readonly value_system: string | null;
  readonly value_code: string | null;
}

export interface FactRow extends FactValue {
  readonly subject_id: string;
  readonly age_years: number | null;
}

export interface FactWindow {
  /** Ordinals are below this. */
  readonly subjectCount: number;
  /** First and last day that count for a subject; undefined for one that is of no interest. */
  daysOf(
    subjectId: string,
  ): { readonly ordinal: number; readonly first: number; readonly last: number } | undefined;
}

export interface FactReading {
  readonly window: FactWindow;
  /** Facts for which this is false never count as the latest. */
  readonly isUsable: (fact: FactValue) => boolean;
  readonly take: (ordinal: number, fact: FactValue) => void;
  /** Called for a subject whose facts in the window are all unusable. */
  readonly refuse: (ordinal: number) => void;
}

/** Calls `take` with each subject's latest usable fact of the code inside its window. */
export function readLatestFacts(
  store: Store,
  code: Pick<CodeReference, 'system' | 'code'>,
  { window, isUsable, take, refuse }: FactReading,
): void {
  const latest = new Array<FactRow | undefined>(window.subjectCount).fill(undefined);
  const refused = new Set<number>();
  for (const row of streamFacts(store, code)) {
    const days = window.daysOf(row.subject_id);
    if (days === undefined || row.day < days.first || row.day > days.last) continue;
    if (!isUsable(row)) {
      refused.add(days.ordinal);
      continue;
    }
    const known = latest[days.ordinal];
    if (known === undefined || isLater(row, known)) latest[days.ordinal] = row;
  }
  for (const [ordinal, fact] of latest.entries()) if (fact !== undefined) take(ordinal, fact);
  for (const ordinal of refused) if (latest[ordinal] === undefined) refuse(ordinal);
}

/**
 * Every fact of the code, in no order that means anything. The index gives the rows' places, which SQLite then visits in the
 * order of the table: each encrypted page is read once, where going by subject would read one for every fact.
 */
export function streamFacts(
  store: Store,
  { system, code }: Pick<CodeReference, 'system' | 'code'>,
): Iterable<FactRow> {
  const statement = store.prepare(`
    SELECT subject_id, day, age_years, value_number, unit, value_system, value_code FROM fact
    WHERE fact_id IN (SELECT fact_id FROM fact WHERE code_system = ? AND code = ?)`);
  return statement.iterate(system, code) as Iterable<FactRow>;
}

/** By day; on one day by content, so that the order of import decides nothing. */
function isLater(left: FactRow, right: FactRow): boolean {
  if (left.day !== right.day) return left.day > right.day;
  if (left.value_code !== right.value_code) return (left.value_code ?? '') > (right.value_code ?? '');
  if (left.unit !== right.unit) return (left.unit ?? '') > (right.unit ?? '');
  return (left.value_number ?? Number.NEGATIVE_INFINITY) > (right.value_number ?? Number.NEGATIVE_INFINITY);
}

// Sets of days as sorted ranges that neither overlap nor touch: the union of some without the union of others.
import type { DayRange } from './permitted-data.ts';

/** The days in any of `included` and in none of `excluded`. */
export function combineDays(included: readonly DayRange[], excluded: readonly DayRange[]): DayRange[] {
  const ranges: { from: number | null; until: number | null }[] = [];
  const starts = startsOf([...included, ...excluded]);
  for (const [index, start] of starts.entries()) {
    const next = starts[index + 1];
    const day = start ?? (next === undefined || next === null ? 0 : next - 1);
    if (!isIn(included, day) || isIn(excluded, day)) continue;
    const until = next === undefined || next === null ? null : next - 1;
    const last = ranges.at(-1);
    if (last !== undefined && last.until !== null && start !== null && last.until === start - 1)
      last.until = until;
    else ranges.push({ from: start, until });
  }
  return ranges;
}

/** First days of the spans within which nothing changes; the first is null: open. */
export function startsOf(ranges: readonly DayRange[]): (number | null)[] {
  const edges = ranges.flatMap(({ from, until }) => [from, until === null ? null : until + 1]);
  const days = new Set(edges.filter((edge) => edge !== null));
  return [null, ...[...days].sort((left, right) => left - right)];
}

function isIn(ranges: readonly DayRange[], day: number): boolean {
  return ranges.some(({ from, until }) => (from === null || from <= day) && (until === null || day <= until));
}

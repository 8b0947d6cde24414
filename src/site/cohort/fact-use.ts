// Who reads the facts of a code: a feature, the label, a criterion, the split. Those of one code share one pass over its facts.
import type { CodeReference, DayWindow } from '#federation/records/data-elements.ts';
import type { CodeFacts, IndexDays } from './code-facts.ts';
import type { FactCode } from './fact-reader.ts';

export interface FactUse {
  readonly code: CodeReference;
  /** Around the index day; null: facts of any day. */
  readonly windowDays: DayWindow | null;
  take(facts: CodeFacts): void;
}

/** What is done with the facts of one code. */
export interface FactJob {
  /** Around the index day: over all days that one of its uses asks for; null: facts of any day. */
  readonly windowDays: DayWindow | null;
  take(facts: CodeFacts): void;
}

export function codeKey({ system, code }: FactCode): string {
  return JSON.stringify([system, code]);
}

/** By `codeKey`: one job for each code. */
export function groupUses(uses: readonly FactUse[]): Map<string, FactJob> {
  const groups = Map.groupBy(uses, ({ code }) => codeKey(code));
  return new Map(
    [...groups].map(([key, group]) => {
      const take = (facts: CodeFacts) => {
        for (const use of group) use.take(facts);
      };
      return [key, { windowDays: widestWindow(group), take }];
    }),
  );
}

function widestWindow(uses: readonly FactUse[]): DayWindow | null {
  let widest: DayWindow | undefined;
  for (const { windowDays } of uses) {
    if (windowDays === null) return null;
    widest = {
      before: Math.max(windowDays.before, widest?.before ?? windowDays.before),
      after: Math.max(windowDays.after, widest?.after ?? windowDays.after),
    };
  }
  return widest ?? null;
}

/** Places of a row's facts in a window: from `first` up to before `end`. One object for all rows. */
export interface FactSlice {
  first: number;
  end: number;
}

export interface Sliced {
  readonly facts: CodeFacts;
  readonly index: IndexDays;
  /** null: facts of any day. */
  readonly windowDays: DayWindow | null;
}

/** Calls `take` with each row that has facts in the window, and where they lie. */
export function eachSlice(
  { facts: { starts, days }, index: { days: indexDays }, windowDays }: Sliced,
  take: (row: number, slice: FactSlice) => void,
): void {
  const slice: FactSlice = { first: 0, end: 0 };
  for (let row = 0; row < indexDays.length; row += 1) {
    slice.first = starts[row] ?? 0;
    slice.end = starts[row + 1] ?? 0;
    if (windowDays !== null) {
      const indexDay = indexDays[row] ?? 0;
      const [firstDay, lastDay] = [indexDay - windowDays.before, indexDay + windowDays.after];
      while (slice.first < slice.end && (days[slice.first] ?? 0) < firstDay) slice.first += 1;
      while (slice.first < slice.end && (days[slice.end - 1] ?? 0) > lastDay) slice.end -= 1;
    }
    if (slice.first < slice.end) take(row, slice);
  }
}

// Rows of survival data from the latest time to the earliest: the order in which risk sets grow.

/** Time and event of each row, one after the other: t0, e0, t1, e1; an event is 1, the end of observation 0. */
export interface Survival {
  readonly timesAndEvents: ArrayLike<number>;
}

interface TimeGroup {
  /** Numbers of the rows of one time, in row order. */
  readonly events: readonly number[];
  readonly censored: readonly number[];
}

/** The rows of each time, the latest first. */
export function groupByTime({ timesAndEvents }: Survival): TimeGroup[] {
  const timeOf = (row: number) => timesAndEvents[row * 2] ?? 0;
  const rows = Array.from({ length: timesAndEvents.length / 2 }, (_, row) => row);
  rows.sort((left, right) => timeOf(right) - timeOf(left) || left - right);
  const groups: { events: number[]; censored: number[] }[] = [];
  let time = Number.NaN;
  for (const row of rows) {
    if (timeOf(row) !== time) groups.push({ events: [], censored: [] });
    time = timeOf(row);
    const group = groups.at(-1);
    (timesAndEvents[row * 2 + 1] === 1 ? group?.events : group?.censored)?.push(row);
  }
  return groups;
}

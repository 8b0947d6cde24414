// Bins merged until each holds enough subjects: no count below the minimum is there to leave, and neither is a smallest or largest
// value, because the first cell begins and the last one ends at infinity unless all of its subjects share one bin.
import type { ValueBins } from '#federation/statistics/value-bins.ts';

/** Subjects in the bins from `from` to `to`: one bin, or all after the cell before, whether or not there is anybody in them. */
export interface Cell {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** Sketches of several sites merge by adding these. */
export function countBins(values: Iterable<number>, bins: ValueBins): Map<number, number> {
  const counts = new Map<number, number>();
  for (const value of values) {
    const bin = bins.binOf(value);
    counts.set(bin, (counts.get(bin) ?? 0) + 1);
  }
  return counts;
}

/**
 * Cells from left to right, each closed as soon as it holds `minimum` subjects; what is left at the end joins the last one.
 * A reader who knows this rule learns of a bin before the end of its cell only that those bins hold fewer than the minimum
 * together, and of the last one what is then left. Empty where all subjects together are too few.
 */
export function mergeBins(counts: ReadonlyMap<number, number>, bins: ValueBins, minimum: number): Cell[] {
  const groups: BinGroup[] = [{ bins: [], count: 0 }];
  for (const [bin, count] of [...counts].sort(([left], [right]) => left - right)) {
    const open = groups.at(-1);
    if (count === 0 || open === undefined) continue;
    open.bins.push(bin);
    open.count += count;
    if (open.count >= minimum) groups.push({ bins: [], count: 0 });
  }
  const rest = groups.pop();
  const last = groups.at(-1);
  if (rest === undefined || last === undefined) return [];
  last.bins.push(...rest.bins);
  last.count += rest.count;
  return groups.map((group, index) => {
    const to = group.bins.at(-1) ?? bins.last;
    if (group.bins.length === 1) return { from: to, to, count: group.count };
    const from = index === 0 ? bins.first : (groups[index - 1]?.bins.at(-1) ?? bins.first) + 1;
    return { from, to: group === last ? bins.last : to, count: group.count };
  });
}

interface BinGroup {
  /** Of one subject at least. */
  readonly bins: number[];
  count: number;
}

/** Cells of all sites together: they end where a cell of every site ends. Exact counts of coarser cells. */
export function commonCells(sites: readonly (readonly Cell[])[], bins: ValueBins): Cell[] {
  const filled = sites.filter((cells) => cells.length > 0);
  const ends = filled.map((cells) => new Set(cells.slice(0, -1).map(({ to }) => to)));
  const inner = [...(ends[0] ?? [])].filter((to) => ends.every((end) => end.has(to)));
  const common = filled.length === 0 ? [] : [...inner, bins.last];
  return common.map((to, index) => {
    const from = (common[index - 1] ?? bins.first - 1) + 1;
    const inside = filled.flat().filter((cell) => cell.from >= from && cell.to <= to);
    return { from, to, count: inside.reduce((total, cell) => total + cell.count, 0) };
  });
}

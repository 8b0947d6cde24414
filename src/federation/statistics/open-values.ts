// Whether exact sums and cells together give away how many subjects have one value, or about what value one has. Each alone does
// not; but a sum over few possible values (a score from 0 to 2), or over small cells of whole numbers, can be an equation with one
// solution, and a square that is larger than all others together is nearly their sum.
import { type Cell, countBins, mergeBins } from '#federation/statistics/cells.ts';
import { decimalOf } from '#federation/statistics/decimal.ts';
import type { ValueBins } from '#federation/statistics/value-bins.ts';

export interface ReleasedColumn {
  /** Every subject's value. */
  readonly values: Float64Array;
  readonly bins: ValueBins;
  readonly cells: readonly Cell[];
  /** That the cells were merged to. */
  readonly cellMinimum: number;
  /** Counts from 1 to one less than this are small. */
  readonly limit: number;
}

/** How far, in the steps that the values come in, a value is moved to find other data. */
const MAX_STEPS = 6;
/** Above so many different values there are so many moves that the search is of no use. */
const MAX_SEARCHED = 2000;
/** Columns of fewer different values than this are scores or codes: what is rare in them is soon all that an equation leaves. */
const FEWEST_VALUES = 12;
/** Largest part that one subject may have in the squares about the mean. */
const LARGEST_SHARE = 0.5;

/**
 * Whether the exact sums may leave beside the cells. Always where no value is rare, which is one that fewer than `limit` subjects
 * have. Else there have to be twelve different values, no subject may make up half of the variance (a dominance rule: the sums
 * would say about how far out it is), and for every rare value there have to be other data with another number of it and the
 * same count, sum, sum of squares and cells, between the same smallest and largest value and in the same steps. The search
 * for these moves up to four subjects within their cells; where it finds none the answer is no, although there may be some.
 */
export function areValuesOpen(column: ReleasedColumn): boolean {
  const { values, limit } = column;
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  if ([...counts.values()].every((count) => count >= limit)) return true;
  if (counts.size < FEWEST_VALUES || isDominated(values)) return false;
  if (counts.size > MAX_SEARCHED) return true;
  const grid = createGrid(column);
  // Measured without a last decimal: three subjects' values and two equations always leave a choice.
  if (grid === undefined) return true;
  const found = collectMoves(grid);
  return [...grid.counts].every(([value, count]) => count >= limit || hasOtherData(grid, value, found));
}

function isDominated(values: Float64Array): boolean {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let total = 0;
  let largest = 0;
  for (const value of values) {
    const square = (value - mean) ** 2;
    total += square;
    largest = Math.max(largest, square);
  }
  return largest > LARGEST_SHARE * total;
}

/** The steps that the values come in, which a reader may know: of the last decimal, of pounds in kilograms, of five. */
interface Grid {
  readonly column: ReleasedColumn;
  /** The value in a place. */
  readonly valueAt: (place: number) => number;
  /** By place: steps from the smallest value. */
  readonly counts: ReadonlyMap<number, number>;
  readonly largest: number;
}

/** Undefined where some value has no last decimal. */
function createGrid(column: ReleasedColumn): Grid | undefined {
  const decimals = Array.from(column.values, decimalOf).filter((decimal) => decimal !== undefined);
  if (decimals.length < column.values.length) return undefined;
  const most = decimals.reduce((before, { decimals: found }) => Math.max(before, found), 0);
  const scale = 10 ** most;
  const steps = decimals.map(({ mantissa, decimals: found }) => mantissa * 10 ** (most - found));
  // So wide and so fine at once that there is no last decimal to speak of.
  if (!steps.every(Number.isSafeInteger)) return undefined;
  const smallest = steps.reduce((before, step) => Math.min(before, step), Number.POSITIVE_INFINITY);
  const width = steps.reduce((divisor, step) => commonDivisor(divisor, step - smallest), 0);
  const counts = new Map<number, number>();
  // In the order of values, so that the order of rows has no part in what is found.
  for (const step of steps.sort((left, right) => left - right)) {
    const place = (step - smallest) / width;
    counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  return {
    column,
    valueAt: (place) => (smallest + place * width) / scale,
    counts,
    largest: [...counts.keys()].at(-1) ?? 0,
  };
}

function commonDivisor(left: number, right: number): number {
  return right === 0 ? left : commonDivisor(right, left % right);
}

/** One subject's value in steps, and by how many of them it is changed. */
interface Move {
  readonly from: number;
  readonly by: number;
}

const distances = Array.from({ length: 2 * MAX_STEPS + 1 }, (_, index) => index - MAX_STEPS).filter(
  (by) => by !== 0,
);

/** Ways to change one or two values, by what they do to sum and sum of squares; a few of each. */
type Balance = ReadonlyMap<string, readonly (readonly Move[])[]>;

const MAX_PAIRED = 600;
const MAX_ALIKE = 30;

interface Moves {
  readonly all: readonly Move[];
  /** At most `MAX_PAIRED` of them, spread evenly. */
  readonly paired: readonly Move[];
  readonly balance: Balance;
}

function collectMoves(grid: Grid): Moves {
  const all = [...grid.counts.keys()].flatMap((from) =>
    distances.map((by) => ({ from, by })).filter((move) => staysInCell(grid, move)),
  );
  const stride = Math.ceil(all.length / MAX_PAIRED);
  const paired = all.filter((_, index) => index % stride === 0);
  const balance = new Map<string, Move[][]>();
  const add = (combined: Move[]) => {
    const key = effectOf(combined);
    const alike = balance.get(key);
    if (alike === undefined) balance.set(key, [combined]);
    else if (alike.length < MAX_ALIKE) alike.push(combined);
  };
  for (const move of all) add([move]);
  // A choice among so many pairs is not needed where there are many single moves.
  if (stride > 1) return { all, paired, balance };
  for (const [index, first] of all.entries()) {
    for (const second of all.slice(index)) add([first, second]);
  }
  return { all, paired, balance };
}

/** What the moves do to sum and sum of squares; with `sign` -1 what undoes it. */
function effectOf(moves: readonly Move[], sign: 1 | -1 = 1): string {
  let [sum, squares] = [0, 0];
  for (const { from, by } of moves) {
    sum += by;
    squares += 2 * from * by + by * by;
  }
  return `${sign * sum} ${sign * squares}`;
}

function hasOtherData(grid: Grid, value: number, { all, paired, balance }: Moves): boolean {
  return all
    .filter(({ from }) => from === value)
    .some((first) =>
      paired.some((second) =>
        (balance.get(effectOf([first, second], -1)) ?? []).some((rest) =>
          isOtherData(grid, value, [first, second, ...rest]),
        ),
      ),
    );
}

function staysInCell({ column: { bins, cells }, valueAt, largest }: Grid, { from, by }: Move): boolean {
  const to = from + by;
  if (to < 0 || to > largest) return false;
  const cellOf = (place: number) => {
    const bin = bins.binOf(valueAt(place));
    return cells.findIndex((cell) => bin >= cell.from && bin <= cell.to);
  };
  const cell = cellOf(from);
  return cell >= 0 && cell === cellOf(to);
}

/** Whether the data can be moved so, differ then in the number of this value, and would leave in the same form. */
function isOtherData({ column, valueAt, counts }: Grid, value: number, moves: readonly Move[]): boolean {
  const changed = new Map(counts);
  const add = (at: number, by: number) => changed.set(at, (changed.get(at) ?? 0) + by);
  for (const { from, by } of moves) {
    add(from, -1);
    add(from + by, 1);
  }
  const present = [...changed].filter(([, count]) => count !== 0);
  const isData = present.length >= FEWEST_VALUES && present.every(([, count]) => count > 0);
  if (!isData || changed.get(value) === counts.get(value)) return false;
  const { bins, cells, cellMinimum } = column;
  const binned = new Map<number, number>();
  for (const [at, count] of present) {
    const bin = bins.binOf(valueAt(at));
    binned.set(bin, (binned.get(bin) ?? 0) + count);
  }
  return JSON.stringify(mergeBins(binned, bins, cellMinimum)) === JSON.stringify(cells);
}

export interface ReleaseRule {
  readonly bins: ValueBins;
  /** Fewest subjects behind a count. */
  readonly limit: number;
  readonly maximumCells: number;
}

export interface ColumnRelease {
  readonly cells: readonly Cell[];
  /** Whether the exact sums may leave beside the cells. */
  readonly areSumsOpen: boolean;
}

/**
 * Cells of twice the limit or more, and whether the exact sums may leave beside them: with cells of just the limit they hardly
 * ever may. How fine the cells are does not depend on the values, or it would tell something of them. Nothing where all subjects
 * are fewer than that.
 */
export function releaseColumn(
  values: Float64Array,
  { bins, limit, maximumCells }: ReleaseRule,
): ColumnRelease {
  const cellMinimum = Math.max(2 * limit, Math.ceil(values.length / maximumCells));
  const cells = mergeBins(countBins(values, bins), bins, cellMinimum);
  return {
    cells,
    areSumsOpen: cells.length > 0 && areValuesOpen({ values, bins, cells, cellMinimum, limit }),
  };
}

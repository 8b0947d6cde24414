// Small cells of a table of counts are withheld, and with them what would let one compute them from the totals (C12).

/**
 * The counts with small ones, from 1 to one less than `limit`, replaced by null. The reader is taken to know their sum, and that some withheld count is small.
 * Further cells are withheld, smallest first, until none follows from that; where only zeros are left, all of them. Of two
 * that are equally small none may stay: with 100 shown beside two withheld cells of 104 together, these are 100 and 4. Nor
 * may a larger one, which would be as telling a bound for both: all are withheld.
 */
export function suppressCells(counts: readonly number[], limit: number): (number | null)[] {
  const at = (cell: number) => counts[cell] ?? 0;
  const withheld = new Set([...counts.keys()].filter((cell) => isSmall(at(cell), limit)));
  if (withheld.size === 0) return [...counts];
  const larger = [...counts.keys()].filter((cell) => at(cell) >= limit);
  const [first, second] = larger.sort((left, right) => at(left) - at(right));
  if (first !== undefined && !isAmbiguous([...withheld].map(at), limit)) {
    const isTied = second !== undefined && at(first) === at(second);
    for (const cell of isTied ? larger : [first]) withheld.add(cell);
  }
  const isOpen = isAmbiguous([...withheld].map(at), limit);
  return counts.map((count, cell) => (withheld.has(cell) || (!isOpen && count === 0) ? null : count));
}

function isSmall(count: number, limit: number): boolean {
  return count > 0 && count < limit;
}

/** Whether the sum of withheld cells leaves each of them open: neither all at 1, nor all at the most a small cell can be. */
function isAmbiguous(counts: readonly number[], limit: number): boolean {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (counts.length < 2) return false;
  if (!counts.every((count) => isSmall(count, limit))) return true;
  return total !== counts.length && total !== counts.length * (limit - 1);
}

/** A single count outside of any table with totals. */
export function suppressCount(count: number, limit: number): number | null {
  return isSmall(count, limit) ? null : count;
}

/**
 * A table of counts whose total is known: as `suppressCells`, and where those withheld are few even together, all are. With 26 of
 * 30 shown beside 1 and 3, nobody knows of the 1, but everybody knows that 4 have another code.
 */
export function suppressTable(counts: readonly number[], limit: number): (number | null)[] {
  const shown = suppressCells(counts, limit);
  const withheld = counts.reduce((total, count, cell) => total + (shown[cell] === null ? count : 0), 0);
  return isSmall(withheld, limit) ? counts.map(() => null) : shown;
}

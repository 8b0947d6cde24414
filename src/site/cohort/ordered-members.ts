// The rows of a cohort in the order of their pseudonyms.
import { derivePseudonym } from '#site/deidentify/index.ts';
import { ShortTexts } from '#site/store/index.ts';
import { type Selection, subjectIdOf } from './selection.ts';
import type { SubjectTable } from './subject-table.ts';

export interface OrderedMembers {
  /** By pseudonym: the fixed order of every matrix and digest. */
  readonly rows: Int32Array;
  /** @param row of the subject table, of a member */
  pseudonymOf(row: number): string;
}

/** The first characters of a pseudonym, which is ASCII, make a whole number that a double holds. */
const leadingLength = 6;

/** @param pseudonymKey 32 bytes; of this research study: another study has another, so that they cannot be linked */
export function orderMembers(
  table: SubjectTable,
  { rows }: Selection,
  pseudonymKey: Uint8Array,
): OrderedMembers {
  const rowCount = table.subjectNos.length;
  const pseudonyms = new ShortTexts(rowCount);
  const leading = new Float64Array(rowCount);
  for (const row of rows) {
    const pseudonym = derivePseudonym(pseudonymKey, ['consilium-subject', subjectIdOf(table, row)]);
    pseudonyms.set(row, pseudonym);
    for (let at = 0; at < leadingLength; at += 1)
      leading[row] = 256 * (leading[row] ?? 0) + pseudonym.charCodeAt(at);
  }
  const pseudonymOf = (row: number): string => pseudonyms.get(row) ?? '';
  const ordered = rows.slice().sort((left, right) => {
    const difference = (leading[left] ?? 0) - (leading[right] ?? 0);
    if (difference !== 0 || left === right) return difference;
    return pseudonymOf(left) < pseudonymOf(right) ? -1 : 1;
  });
  return { rows: ordered, pseudonymOf };
}

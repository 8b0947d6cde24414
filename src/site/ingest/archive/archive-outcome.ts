// What came of an archive as a whole, from what came of its files: for whoever sent it as one file. It is counted by its files.
import { reasonOf } from '../ingest-error.ts';
import type { FileOutcome, OutcomeKind } from '../ingest-outcome.ts';

const order: readonly OutcomeKind[] = ['accepted', 'duplicate', 'quarantined', 'rejected'];

/** Accepted where any file was, else duplicate where any was, and so on; with the code that all its refused files share. */
export function summariseArchive(name: string, files: readonly FileOutcome[]): FileOutcome {
  const [only] = files;
  // Refused whole: that outcome is the archive's own.
  if (files.length === 1 && only?.path === name) return only;
  const codes = [...new Set(files.flatMap(({ code }) => (code === null ? [] : [code])))];
  const code = codes.length > 1 ? 'SEVERAL_REASONS' : (codes[0] ?? null);
  const reasons: Readonly<Record<string, string>> = reasonOf;
  const sum = (of: keyof FileOutcome['rows']): number =>
    files.reduce((total, { rows }) => total + rows[of], 0);
  return {
    path: name,
    outcome: order.find((kind) => files.some(({ outcome }) => outcome === kind)) ?? 'accepted',
    format: 'zip',
    code,
    reason: code === null ? null : (reasons[code] ?? null),
    rows: {
      accepted: sum('accepted'),
      duplicate: sum('duplicate'),
      rejected: sum('rejected'),
      notNeeded: sum('notNeeded'),
    },
    refusals: [],
  };
}

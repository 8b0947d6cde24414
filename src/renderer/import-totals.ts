// What came of the files and rows of an import, counted so that it adds up: every file that was offered and every row that was read
// stands in exactly one place.
import type { FileOutcome, IngestSummary } from '#ipc/schema.ts';

/** Rows of a file by what came of them. */
export type RowTotals = FileOutcome['rows'];

export interface ImportTotals {
  readonly filesOffered: number;
  readonly filesDone: number;
  readonly files: Readonly<Record<FileOutcome['outcome'], number>>;
  readonly rows: RowTotals;
  readonly bytesRead: number;
  readonly rowsRead: number;
  /** How many files carry each code. */
  readonly codes: ReadonlyMap<string, number>;
}

export const noTotals: ImportTotals = {
  filesOffered: 0,
  filesDone: 0,
  files: { accepted: 0, duplicate: 0, quarantined: 0, rejected: 0 },
  rows: { accepted: 0, duplicate: 0, notNeeded: 0, rejected: 0 },
  bytesRead: 0,
  rowsRead: 0,
  codes: new Map(),
};

/** In the order in which they are shown. */
export const rowKinds = [
  'accepted',
  'duplicate',
  'notNeeded',
  'rejected',
] as const satisfies readonly (keyof RowTotals)[];

/** Rows of a file in all. */
export const sumOf = ({ accepted, duplicate, notNeeded, rejected }: RowTotals): number =>
  accepted + duplicate + notNeeded + rejected;

/** The totals with one more file done. */
export function addOutcome(totals: ImportTotals, { outcome, code, rows }: FileOutcome): ImportTotals {
  const codes = code === null ? totals.codes : new Map(totals.codes);
  if (code !== null && codes instanceof Map) codes.set(code, (codes.get(code) ?? 0) + 1);
  return {
    ...totals,
    filesDone: totals.filesDone + 1,
    files: { ...totals.files, [outcome]: totals.files[outcome] + 1 },
    rows: {
      accepted: totals.rows.accepted + rows.accepted,
      duplicate: totals.rows.duplicate + rows.duplicate,
      notNeeded: totals.rows.notNeeded + rows.notNeeded,
      rejected: totals.rows.rejected + rows.rejected,
    },
    codes,
  };
}

/** Two imports, or the parts of one, together. */
export function addTotals(left: ImportTotals, right: ImportTotals): ImportTotals {
  const codes = new Map(left.codes);
  for (const [code, count] of right.codes) codes.set(code, (codes.get(code) ?? 0) + count);
  return {
    filesOffered: left.filesOffered + right.filesOffered,
    filesDone: left.filesDone + right.filesDone,
    files: addCounts(left.files, right.files),
    rows: addCounts(left.rows, right.rows),
    bytesRead: left.bytesRead + right.bytesRead,
    rowsRead: left.rowsRead + right.rowsRead,
    codes,
  };
}

function addCounts<Kind extends string>(
  left: Readonly<Record<Kind, number>>,
  right: Readonly<Record<Kind, number>>,
): Record<Kind, number> {
  const sum: Record<Kind, number> = { ...left };
  for (const kind of Object.keys(sum) as Kind[]) sum[kind] += right[kind];
  return sum;
}

/** A batch as the site counted it: an archive by its files, and also those that the summary does not list one by one. */
export function totalsOf({
  accepted,
  duplicate,
  quarantined,
  rejected,
  ...summary
}: IngestSummary): ImportTotals {
  const codes = new Map<string, number>();
  for (const { code } of summary.files) if (code !== null) codes.set(code, (codes.get(code) ?? 0) + 1);
  const filesDone = accepted + duplicate + quarantined + rejected;
  return {
    ...noTotals,
    filesOffered: filesDone,
    filesDone,
    files: { accepted, duplicate, quarantined, rejected },
    rows: summary.rowCounts,
    codes,
  };
}

/** Files that have no outcome: still to be read, or left unread when the import was stopped. */
export const filesLeft = ({ filesOffered, filesDone }: ImportTotals): number => filesOffered - filesDone;

/** Whether a person should look at this file: it did not go in whole. */
export function needsLook({ outcome, code, rows }: FileOutcome): boolean {
  return outcome === 'rejected' || outcome === 'quarantined' || code !== null || rows.rejected > 0;
}

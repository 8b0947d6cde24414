// What an import has read so far: each file in place, the pace, and totals in which every file stands once. The site's own count takes
// the place of ours as soon as a batch is closed.
import type { FileOutcome, IngestSummary } from '#ipc/schema.ts';
import { createPaceMeter, type Pace } from './import-pace.ts';
import { addOutcome, addTotals, type ImportTotals, noTotals, totalsOf } from './import-totals.ts';

export interface FileProgress {
  readonly name: string;
  readonly size: number;
  readonly bytesRead: number;
  readonly rowCount: number;
  /** null while it is waiting or being read. */
  readonly outcome: FileOutcome | null;
  /** Its place among the files that were offered; null for one that the site found inside another. */
  readonly offeredIndex: number | null;
}

export interface ImportReading {
  /** In the order they were offered, then what was found inside them. Changes in place. */
  readonly files: FileProgress[];
  readonly bytesTotal: number;
  totals(): ImportTotals;
  pace(): Pace;
  update(index: number, change: Partial<FileProgress>): void;
  /** Ends the batch of these offered files. */
  settle(indexes: readonly number[], summary: IngestSummary): void;
  /** Leaves out archives whose files are listed themselves. */
  finish(): void;
}

/** @param nowMs a clock that only goes forward, in ms */
export function createImportReading(
  offered: readonly { readonly name: string; readonly size: number }[],
  nowMs: () => number,
): ImportReading {
  const files: FileProgress[] = offered.map(({ name, size }, offeredIndex) => ({
    name,
    size,
    bytesRead: 0,
    rowCount: 0,
    outcome: null,
    offeredIndex,
  }));
  const bytesTotal = files.reduce((sum, file) => sum + file.size, 0);
  const meter = createPaceMeter({ bytes: bytesTotal, files: files.length }, nowMs());
  const archives = new Set<FileProgress>();
  /** Of closed batches, with their files that were not read. */
  let closed = noTotals;
  let current = noTotals;
  let closedCount = 0;
  let read = { bytes: 0, rows: 0 };

  const totals = (): ImportTotals => ({
    ...addTotals(closed, current),
    filesOffered: closed.filesOffered + offered.length - closedCount,
    bytesRead: read.bytes,
    rowsRead: read.rows,
  });

  return {
    files,
    bytesTotal,
    totals,
    pace: () => meter.measure({ ...read, files: closed.filesDone + current.filesDone }, nowMs()),
    update(index, change) {
      const before = files[index];
      if (before === undefined) return;
      const after = { ...before, ...change };
      files[index] = after;
      read = {
        bytes: read.bytes + after.bytesRead - before.bytesRead,
        rows: read.rows + after.rowCount - before.rowCount,
      };
      if (before.outcome === null && after.outcome !== null) current = addOutcome(current, after.outcome);
    },
    settle(indexes, summary) {
      const byName = new Map(indexes.map((index) => [files[index]?.name ?? '', index]));
      const found: FileOutcome[] = [];
      for (const outcome of summary.files) {
        const index = byName.get(outcome.path);
        const file = index === undefined ? undefined : files[index];
        if (index === undefined) found.push(outcome);
        else if (file !== undefined && file.outcome === null) files[index] = { ...file, outcome };
      }
      for (const outcome of found)
        files.push({ name: outcome.path, size: 0, bytesRead: 0, rowCount: 0, outcome, offeredIndex: null });
      const notRead = indexes.filter((index) => files[index]?.outcome === null).length;
      if (summary.filesOmitted === 0)
        for (const index of indexes) {
          const file = files[index];
          if (file !== undefined && found.some(({ path }) => path.startsWith(`${file.name}/`)))
            archives.add(file);
        }
      const counted = totalsOf(summary);
      closed = addTotals(closed, { ...counted, filesOffered: counted.filesDone + notRead });
      closedCount += indexes.length;
      current = noTotals;
    },
    finish() {
      const kept = files.filter((file) => !archives.has(file));
      files.splice(0, files.length, ...kept);
    },
  };
}

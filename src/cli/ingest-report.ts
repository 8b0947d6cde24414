// What `site ingest` says: one line while it runs, and at the end totals that add up, with the refusals grouped by reason.
import type { FileOutcome, IngestEvent, IngestSummary } from '#ipc/schema.ts';

type Progress = Extract<IngestEvent, { kind: 'progress' }>;
const shownFiles = 20;
const shownPlaces = 3;
const number = new Intl.NumberFormat('en');

const kindNames: Readonly<Record<string, string>> = {
  patient: 'patients',
  encounter: 'encounters',
  condition: 'conditions',
  measurement: 'measurements',
  medication: 'medications',
  procedure: 'procedures',
  consent: 'consents',
  imagingStudy: 'imaging studies',
  sopInstance: 'images',
};

/** 1000 bytes to the kilobyte, as disks and networks count. */
export function bytesText(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const step = count < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** step;
  return `${step > 1 && value < 100 ? value.toFixed(1) : Math.round(value)} ${units[step]}`;
}

export function durationText(milliseconds: number): string {
  const seconds = Math.max(1, Math.round(milliseconds / 1000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Label and share of the moving line. */
export function describeProgress(event: Progress): { readonly label: string; readonly share: number } {
  const { fileIndex, fileCount, bytesDone, bytesOffered, elapsedMs, remainingMs } = event;
  const filesPerSecond = (fileIndex * 1000) / Math.max(1, elapsedMs);
  const parts = [
    `${number.format(fileIndex + 1)}/${number.format(fileCount)} files`,
    `${bytesText(bytesDone)} of ${bytesText(bytesOffered)}`,
    `${bytesText(event.bytesPerSecond)}/s`,
    `${number.format(event.rowsPerSecond)} rows/s`,
    ...(fileCount > 50 ? [`${number.format(Math.round(filesPerSecond))} files/s`] : []),
    ...(remainingMs === null ? [] : [`${durationText(remainingMs)} left`]),
  ];
  return { label: parts.join('  '), share: bytesDone / Math.max(1, bytesOffered) };
}

/** The summary of an import that was left before its end, from the outcomes that came. */
export function summaryOf(files: readonly FileOutcome[]): IngestSummary {
  const count = (kind: FileOutcome['outcome']): number =>
    files.filter(({ outcome }) => outcome === kind).length;
  const rows = (kind: keyof FileOutcome['rows']): number =>
    files.reduce((sum, file) => sum + file.rows[kind], 0);
  return {
    batchId: '',
    accepted: count('accepted'),
    duplicate: count('duplicate'),
    quarantined: count('quarantined'),
    rejected: count('rejected'),
    rowCounts: {
      accepted: rows('accepted'),
      duplicate: rows('duplicate'),
      rejected: rows('rejected'),
      notNeeded: rows('notNeeded'),
    },
    files,
    filesOmitted: 0,
    rows: {},
  };
}

/** @param notRead files that were found and not read, because the import was stopped */
export function describeSummary(summary: IngestSummary, notRead: number): string[] {
  const added = Object.entries(summary.rows)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${number.format(count)} ${kindNames[kind] ?? kind}`);
  return [
    ...describeFiles(summary),
    ...tally(summary, notRead),
    ...(added.length > 0 ? [`added: ${added.join(', ')}`] : []),
    ...describeReasons(summary.files),
    ...describeRefusals(summary.files),
    ...(notRead > 0
      ? ['stopped: what went in stays in; the same command again takes the rest and stores nothing twice']
      : []),
  ];
}

/** All files where they are few, else those that did not go in whole. */
function describeFiles({ files, filesOmitted }: IngestSummary): string[] {
  const isWhole = ({ outcome, code }: FileOutcome): boolean =>
    code === null && (outcome === 'accepted' || outcome === 'duplicate');
  const shown = files.length <= shownFiles ? files : files.filter((file) => !isWhole(file));
  const lines = shown
    .slice(0, shownFiles)
    .map(
      ({ path, outcome, code, rows }) =>
        `${outcome.padEnd(11)} ${path}  ${rowsText(rows)}${code === null ? '' : `  ${code}`}`,
    );
  const rest = shown.length - lines.length;
  const more = filesOmitted > 0 ? 'the list of outcomes has them all' : '--json lists them all';
  if (rest > 0) lines.push(`… and ${number.format(rest)} more; ${more}`);
  return lines.length > 0 ? [...lines, ''] : [];
}

function rowsText({ accepted, duplicate, notNeeded, rejected }: FileOutcome['rows']): string {
  const others = [
    [duplicate, 'known'],
    [notNeeded, 'not needed'],
    [rejected, 'refused'],
  ] as const;
  return [
    `${accepted} new`,
    ...others.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`),
  ].join(', ');
}

/** Files and rows by outcome, with the sums they add up to. */
function tally(
  { accepted, duplicate, quarantined, rejected, rowCounts }: IngestSummary,
  notRead: number,
): string[] {
  const lines: [name: string, files: number | null, rows: number | null][] = [
    ['accepted', accepted, rowCounts.accepted],
    ['duplicate', duplicate, rowCounts.duplicate],
    ['not needed', null, rowCounts.notNeeded],
    ['quarantined', quarantined, null],
    ['rejected', rejected, rowCounts.rejected],
    ...(notRead > 0 ? [['not read', notRead, null] as [string, number, null]] : []),
  ];
  const sum = (at: 1 | 2): number => lines.reduce((total, line) => total + (line[at] ?? 0), 0);
  const cells = (name: string, ...counts: (number | null)[]): string =>
    name.padEnd(12) +
    counts.map((count) => (count === null ? '–' : number.format(count)).padStart(13)).join('');
  return [
    `${''.padEnd(12)}${'files'.padStart(13)}${'rows'.padStart(13)}`,
    ...lines.map((line) => cells(...line)),
    cells('in all', sum(1), sum(2)),
    '',
  ];
}

function describeReasons(files: readonly FileOutcome[]): string[] {
  const byCode = new Map<string, { count: number; reason: string }>();
  for (const { code, reason } of files) {
    if (code === null) continue;
    const entry = byCode.get(code) ?? { count: 0, reason: reason ?? '' };
    byCode.set(code, { ...entry, count: entry.count + 1 });
  }
  if (byCode.size === 0) return [];
  const lines = [...byCode]
    .sort((left, right) => right[1].count - left[1].count)
    .map(([code, { count, reason }]) => `  ${number.format(count).padStart(7)}  ${code}: ${reason}`);
  return ['files not taken in whole, by reason (docs/errors.md says what to do):', ...lines];
}

function describeRefusals(files: readonly FileOutcome[]): string[] {
  const byCode = new Map<string, string[]>();
  for (const { path, format, refusals } of files) {
    for (const { row, code, field } of refusals) {
      const places = byCode.get(code) ?? [];
      // An image is one row: its number says nothing.
      const at = format === 'dicom' ? path : `${path}:${row}`;
      places.push(field === null ? at : `${at} ${field}`);
      byCode.set(code, places);
    }
  }
  if (byCode.size === 0) return [];
  return [
    'first refused rows, by reason:',
    ...[...byCode].map(([code, places]) => {
      const rest = places.length - shownPlaces;
      const more = rest > 0 ? `, and ${number.format(rest)} more` : '';
      return `  ${code}: ${places.slice(0, shownPlaces).join(', ')}${more}`;
    }),
  ];
}

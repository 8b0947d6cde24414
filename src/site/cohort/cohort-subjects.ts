// The subjects of the store as numbers: who stands for whom after merges, whose days moved, and which days consent lets be read (C5).
import { allData, type ConsentDecisions, type DayRange, type PermittedData } from '#site/consent/index.ts';
import { ShortTexts, type Store } from '#site/store/index.ts';

/** What is read of a subject: facts of its record, or its images. */
export type ReadClass = 'clinical' | 'imaging';

export interface CohortSubjects {
  /** By subject_no: the subject that it stands as; 0 for a number that nobody has. */
  readonly standingNos: Int32Array;
  /** By subject_no: days that merges add to its own. */
  readonly daysMoved: Int32Array;
  /** By subject_no, of those of whom not all may be read. */
  readonly limits: ReadonlyMap<number, PermittedData>;
  /** By subject_no: 1 for one that stands, has no consent and was never named but by images. */
  readonly unlinked: Uint8Array;
  readonly unlinkedCount: number;
  /** By subject_no: 1 for one that stands and died, as a record of any of its identities says. */
  readonly deceased: Uint8Array;
  /** Subjects that stand for themselves. */
  readonly standingCount: number;
  /** Of one that stands for itself; undefined for any other number. */
  subjectIdOf(subjectNo: number): string | undefined;
  /** Whether data of this day may be read of a subject that stands. null: a day that is not known. */
  isReadable(standingNo: number, day: number | null, of: ReadClass): boolean;
}

/** In the number that is read of each row: another column for each would cost a large store a tenth more. */
const diedMark = 1;
const imagesMark = 2;

type SubjectRow = [
  subjectNo: number,
  survivorNo: number | null,
  daysMoved: number,
  marks: number,
  subjectId: string,
];

/** @param decisions of whoever has a consent or opted out; who is not in it is out, and is read to be counted only */
export function readCohortSubjects(store: Store, decisions: ConsentDecisions): CohortSubjects {
  const size = highestSubjectNo(store) + 1;
  const standingNos = new Int32Array(size);
  const daysMoved = new Int32Array(size);
  const deceased = new Uint8Array(size);
  const unlinked = new Uint8Array(size);
  const isNamed = new Uint8Array(size);
  const imagesOnly: number[] = [];
  const subjectIds = new ShortTexts(size);
  const limits = new Map<number, PermittedData>();
  let standingCount = 0;
  const rows = store.prepareRows(
    `SELECT subject_no, survivor_no, days_moved, (deceased_by IS NOT NULL) * ${diedMark} + images_only * ${imagesMark}, subject_id FROM subject`,
  );
  for (const row of rows.iterate()) {
    const [subjectNo, survivorNo, moved, marks, subjectId] = row as SubjectRow;
    const standingNo = survivorNo ?? subjectNo;
    standingNos[subjectNo] = standingNo;
    if ((marks & diedMark) !== 0) deceased[standingNo] = 1;
    if ((marks & imagesMark) === 0) isNamed[standingNo] = 1;
    else if (survivorNo === null) imagesOnly.push(subjectNo);
    daysMoved[subjectNo] = moved;
    if (survivorNo !== null) continue;
    standingCount += 1;
    subjectIds.set(subjectNo, subjectId);
    const data = decisions.permittedData(subjectNo);
    if (data === undefined || data === allData) continue;
    if (!isUnlimited(data.clinical) || !isUnlimited(data.imaging)) limits.set(subjectNo, data);
  }
  // One that was merged into it may have been named.
  const unlinkedNos = imagesOnly.filter((subjectNo) => isNamed[subjectNo] === 0 && !decisions.has(subjectNo));
  for (const subjectNo of unlinkedNos) unlinked[subjectNo] = 1;
  return {
    standingNos,
    daysMoved,
    limits,
    deceased,
    unlinked,
    unlinkedCount: unlinkedNos.length,
    standingCount,
    subjectIdOf: (subjectNo) => subjectIds.get(subjectNo),
    isReadable: (standingNo, day, of) => {
      const limit = limits.get(standingNo);
      return limit === undefined || isInside(limit[of], day);
    },
  };
}

export function highestSubjectNo(store: Store): number {
  const row = store.prepare('SELECT coalesce(max(subject_no), 0) AS highest FROM subject').get();
  return (row as { readonly highest: number }).highest;
}

function isUnlimited(ranges: readonly DayRange[]): boolean {
  return ranges.some(({ from, until }) => from === null && until === null);
}

function isInside(ranges: readonly DayRange[], day: number | null): boolean {
  if (day === null) return isUnlimited(ranges);
  return ranges.some(({ from, until }) => (from === null || from <= day) && (until === null || day <= until));
}

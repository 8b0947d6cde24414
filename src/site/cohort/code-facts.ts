// Facts of one code by subject: of rows with an index event, of days that the plan asks for and consent permits (C5), in an order that
// depends on what they say and never on when they were imported.
import type { DayWindow } from '#federation/records/data-elements.ts';
import type { CohortSubjects } from './cohort-subjects.ts';
import type { FactColumnData } from './fact-columns.ts';
import type { Word } from './fact-reader.ts';

/** Facts of one code. Those of row `r` are at `starts[r]` up to before `starts[r + 1]`: by day, on one day by content. */
export interface CodeFacts {
  readonly starts: Int32Array;
  /** Shifted days. */
  readonly days: Int32Array;
  /** NaN where the fact has no number. */
  readonly numbers: Float64Array;
  /** Of its unit or its coded value; 0 where it has neither. */
  readonly wordIds: Int32Array;
  word(wordId: number): Word | undefined;
}

/** Subjects with an index event, and the day of it. */
export interface IndexDays {
  /** By subject_no: its row, -1 where it has no index event or stands as another. */
  readonly rows: Int32Array;
  /** By row. */
  readonly days: Int32Array;
}

export interface Arrangement {
  readonly subjects: CohortSubjects;
  readonly index: IndexDays;
  /** Around the index day; null: facts of any day. */
  readonly windowDays: DayWindow | null;
  readonly word: (wordId: number) => Word | undefined;
}

/** Facts hold until the next ones are arranged. */
export function openArrangement(): (columns: FactColumnData, arrangement: Arrangement) => CodeFacts {
  const scratch = new Scratch();
  return (columns, arrangement) => {
    const { index, word } = arrangement;
    const rowCount = index.days.length;
    scratch.reserve(columns.count, rowCount + 1);
    placeFacts(columns, arrangement, scratch);
    const { starts } = scratch;
    const { count } = columns;
    starts.fill(0, 0, rowCount + 1);
    for (let at = 0; at < count; at += 1) {
      const row = scratch.rows[at] ?? -1;
      if (row >= 0) starts[row + 1] = (starts[row + 1] ?? 0) + 1;
    }
    for (let row = 1; row <= rowCount; row += 1) starts[row] = (starts[row] ?? 0) + (starts[row - 1] ?? 0);
    const kept = starts[rowCount] ?? 0;
    orderFacts({ columns, scratch, rowCount, word });
    for (let to = 0; to < kept; to += 1) {
      const from = scratch.order[to] ?? 0;
      scratch.orderedDays[to] = scratch.days[from] ?? 0;
      scratch.orderedNumbers[to] = columns.numbers[from] ?? Number.NaN;
      scratch.orderedWordIds[to] = columns.wordIds[from] ?? 0;
    }
    return {
      starts,
      days: scratch.orderedDays.subarray(0, kept),
      numbers: scratch.orderedNumbers.subarray(0, kept),
      wordIds: scratch.orderedWordIds.subarray(0, kept),
      word,
    };
  };
}

/** Memory of one code's facts, used again for the next. */
class Scratch {
  /** -1 for a fact that is left out. */
  rows = new Int32Array(0);
  /** As the subject stands. */
  days = new Int32Array(0);
  starts = new Int32Array(0);
  next = new Int32Array(0);
  /** Where each fact of the ordered columns lies in these. */
  order = new Uint32Array(0);
  orderedDays = new Int32Array(0);
  orderedNumbers = new Float64Array(0);
  orderedWordIds = new Int32Array(0);

  reserve(factCount: number, startCount: number): void {
    if (this.rows.length < factCount) {
      this.rows = new Int32Array(factCount);
      this.days = new Int32Array(factCount);
      this.order = new Uint32Array(factCount);
      this.orderedDays = new Int32Array(factCount);
      this.orderedNumbers = new Float64Array(factCount);
      this.orderedWordIds = new Int32Array(factCount);
    }
    if (this.starts.length >= startCount) return;
    this.starts = new Int32Array(startCount);
    this.next = new Int32Array(startCount);
  }
}

function placeFacts(
  { count, subjectNos, days: ownDays }: FactColumnData,
  { subjects, index, windowDays }: Arrangement,
  { rows, days }: Scratch,
): void {
  const { standingNos, daysMoved, limits } = subjects;
  const isUnlimited = limits.size === 0;
  const { before, after } = windowDays ?? { before: Infinity, after: Infinity };
  for (let at = 0; at < count; at += 1) {
    const subjectNo = subjectNos[at] ?? 0;
    const standingNo = standingNos[subjectNo] ?? 0;
    const day = (ownDays[at] ?? 0) + (daysMoved[subjectNo] ?? 0);
    let row = index.rows[standingNo] ?? -1;
    const distance = day - (index.days[row] ?? 0);
    if (distance < -before || distance > after) row = -1;
    else if (!isUnlimited && !subjects.isReadable(standingNo, day, 'clinical')) row = -1;
    rows[at] = row;
    days[at] = day;
  }
}

interface Ordering {
  readonly columns: FactColumnData;
  readonly scratch: Scratch;
  readonly rowCount: number;
  readonly word: CodeFacts['word'];
}

function orderFacts({ columns, scratch, rowCount, word }: Ordering): void {
  const { starts, next, order, rows } = scratch;
  next.set(starts.subarray(0, rowCount));
  for (let at = 0; at < columns.count; at += 1) {
    const row = rows[at] ?? -1;
    if (row < 0) continue;
    const place = next[row] ?? 0;
    order[place] = at;
    next[row] = place + 1;
  }
  const compare = compareFacts(columns, scratch, word);
  for (let row = 0; row < rowCount; row += 1) {
    const [from, to] = [starts[row] ?? 0, starts[row + 1] ?? 0];
    if (to - from > 1) order.subarray(from, to).sort(compare);
  }
}

/** By day; on one day by content, so that the order of import decides nothing. */
function compareFacts(
  { numbers, wordIds }: FactColumnData,
  { days }: Scratch,
  word: CodeFacts['word'],
): (left: number, right: number) => number {
  return (left, right) => {
    const ofDays = (days[left] ?? 0) - (days[right] ?? 0);
    if (ofDays !== 0) return ofDays;
    const [leftId, rightId] = [wordIds[left] ?? 0, wordIds[right] ?? 0];
    if (leftId !== rightId) return compareTexts(wordText(word(leftId)), wordText(word(rightId)));
    const [leftNumber, rightNumber] = [numbers[left] ?? Number.NaN, numbers[right] ?? Number.NaN];
    if (Number.isNaN(leftNumber)) return Number.isNaN(rightNumber) ? 0 : -1;
    return Number.isNaN(rightNumber) ? 1 : leftNumber - rightNumber;
  };
}

/** By what a word says: another store numbers it otherwise. */
function wordText(word: Word | undefined): string {
  return word === undefined ? '' : [word.kind === 'unit' ? '1' : '2', word.code, word.system].join('\n');
}

function compareTexts(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}

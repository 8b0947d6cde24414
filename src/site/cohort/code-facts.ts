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

export function arrangeFacts(columns: FactColumnData, arrangement: Arrangement): CodeFacts {
  const { index, word } = arrangement;
  const { rows, days } = placeFacts(columns, arrangement);
  const starts = new Int32Array(index.days.length + 1);
  for (const row of rows) if (row >= 0) starts[row + 1] = (starts[row + 1] ?? 0) + 1;
  for (let row = 1; row < starts.length; row += 1) starts[row] = (starts[row] ?? 0) + (starts[row - 1] ?? 0);
  const order = orderFacts({ ...columns, rows, days }, { starts, word });
  const facts = {
    starts,
    days: new Int32Array(order.length),
    numbers: new Float64Array(order.length),
    wordIds: new Int32Array(order.length),
    word,
  };
  for (let to = 0; to < order.length; to += 1) {
    const from = order[to] ?? 0;
    facts.days[to] = days[from] ?? 0;
    facts.numbers[to] = columns.numbers[from] ?? Number.NaN;
    facts.wordIds[to] = columns.wordIds[from] ?? 0;
  }
  return facts;
}

interface PlacedFacts {
  /** -1 for a fact that is left out. */
  readonly rows: Int32Array;
  /** As the subject stands. */
  readonly days: Int32Array;
}

function placeFacts(
  { count, subjectNos, days: ownDays }: FactColumnData,
  { subjects, index, windowDays }: Arrangement,
): PlacedFacts {
  const { standingNos, daysMoved, limits } = subjects;
  const isUnlimited = limits.size === 0;
  const [before, after] = [windowDays?.before ?? Infinity, windowDays?.after ?? Infinity];
  const rows = new Int32Array(count);
  const days = new Int32Array(count);
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
  return { rows, days };
}

type OrderedFacts = PlacedFacts & Pick<FactColumnData, 'numbers' | 'wordIds'>;

/** Where each fact of the arranged columns lies in these. */
function orderFacts(facts: OrderedFacts, { starts, word }: Pick<CodeFacts, 'starts' | 'word'>): Uint32Array {
  const order = new Uint32Array(starts.at(-1) ?? 0);
  const next = starts.slice();
  for (let at = 0; at < facts.rows.length; at += 1) {
    const row = facts.rows[at] ?? -1;
    if (row < 0) continue;
    const place = next[row] ?? 0;
    order[place] = at;
    next[row] = place + 1;
  }
  const compare = compareFacts(facts, word);
  for (let row = 0; row + 1 < starts.length; row += 1) {
    const [from, to] = [starts[row] ?? 0, starts[row + 1] ?? 0];
    if (to - from > 1) order.subarray(from, to).sort(compare);
  }
  return order;
}

/** By day; on one day by content, so that the order of import decides nothing. */
function compareFacts(
  { days, numbers, wordIds }: OrderedFacts,
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

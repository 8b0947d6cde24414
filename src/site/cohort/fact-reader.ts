// Streams the facts of one code: no query per subject, no object per fact. What comes out lies subject by subject, each one's facts in
// an order that depends on what they say and never on when they were imported.
import type { CodeReference, DayWindow } from '#federation/records/data-elements.ts';
import type { Store } from '#site/store/index.ts';
import type { CohortSubjects } from './cohort-subjects.ts';

/** A coded value or a unit. */
export interface Word {
  readonly kind: string;
  readonly system: string;
  readonly code: string;
}

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
  /** By subject_no: its row, or that of the subject it stands as; -1 where that has no index event. */
  readonly rows: Int32Array;
  /** By row. */
  readonly days: Int32Array;
}

const rowsInChunk = 2_000;
/** Days in the lower bits, from a year long ago on, so that none is negative: one column less for each fact. */
const dayBits = 2 ** 23;
const firstDay = -(2 ** 22);

export class FactReader {
  readonly #store: Store;
  readonly #subjects: CohortSubjects;
  readonly #words = new Map<number, Word>();
  readonly #statements: ReturnType<typeof prepareStatements>;

  constructor(store: Store, subjects: CohortSubjects) {
    this.#store = store;
    this.#subjects = subjects;
    this.#statements = prepareStatements(store);
  }

  /** By subject_no, of those that stand: the day of the first or last fact of the code; undefined where there is none. */
  indexDays(code: CodeReference, which: 'first' | 'last'): (number | undefined)[] {
    const found: (number | undefined)[] = new Array<undefined>(this.#subjects.standingNos.length).fill(
      undefined,
    );
    this.#read(code, ({ standingNo, day }) => {
      const known = found[standingNo];
      if (known === undefined || (which === 'first' ? day < known : day > known)) found[standingNo] = day;
    });
    return found;
  }

  /** @param windowDays around the index day; null: facts of any day */
  read(code: CodeReference, index: IndexDays, windowDays: DayWindow | null): CodeFacts {
    const { rows: rowOf, days: indexDays } = index;
    const columns = new FactColumns();
    this.#read(code, (fact) => {
      const row = rowOf[fact.standingNo] ?? -1;
      if (row < 0) return;
      if (windowDays !== null) {
        const distance = fact.day - (indexDays[row] ?? 0);
        if (distance < -windowDays.before || distance > windowDays.after) return;
      }
      columns.add(row, fact);
    });
    return columns.bySubject(indexDays.length, (wordId) => this.#word(wordId));
  }

  /** In chunks: a step of an iterator takes SQLite's binding half as long again as a row of many. */
  #read({ system, code }: CodeReference, take: (fact: ReadFact) => void): void {
    const { standingNos, daysMoved } = this.#subjects;
    const fact: ReadFact = { standingNo: 0, day: 0, number: 0, wordId: 0 };
    for (const conceptId of this.#statements.conceptsOf.all(system, code) as number[]) {
      for (let last = -1, isLast = false; !isLast; ) {
        const rows = this.#statements.rowsAfter.all(conceptId, last) as StoredRow[];
        for (const [, subjectAndDay, number, wordId] of rows) {
          const subjectNo = Math.floor(subjectAndDay / dayBits);
          fact.day = subjectAndDay - subjectNo * dayBits + firstDay + (daysMoved[subjectNo] ?? 0);
          fact.standingNo = standingNos[subjectNo] ?? 0;
          fact.number = number ?? Number.NaN;
          fact.wordId = wordId ?? 0;
          if (this.#subjects.isReadable(fact.standingNo, fact.day, 'clinical')) take(fact);
        }
        isLast = rows.length < rowsInChunk;
        last = rows.at(-1)?.[0] ?? last;
      }
    }
  }

  #word(wordId: number): Word | undefined {
    if (wordId === 0) return undefined;
    const known = this.#words.get(wordId);
    if (known !== undefined) return known;
    const { query } = this.#store;
    const found = this.#store.get(query.selectFrom('concept').selectAll().where('concept_id', '=', wordId));
    if (found !== undefined) this.#words.set(wordId, found);
    return found;
  }
}

/** One object for all facts: millions of short-lived ones would cost more than the reading. */
interface ReadFact {
  standingNo: number;
  day: number;
  number: number;
  wordId: number;
}

type StoredRow = readonly [
  factId: number,
  subjectAndDay: number,
  number: number | null,
  valueId: number | null,
];

function prepareStatements(store: Store) {
  return {
    conceptsOf: store.prepareColumn(
      `SELECT concept_id FROM concept WHERE system = ? AND code = ? AND kind NOT IN ('answer', 'unit')`,
    ),
    rowsAfter: store.prepareRows(
      `SELECT fact_id, subject_no * ${dayBits} + day - ${firstDay}, number, value_id FROM fact INDEXED BY fact_concept
      WHERE concept_id = ? AND fact_id > ? ORDER BY fact_id LIMIT ${rowsInChunk}`,
    ),
  };
}

const smallestCapacity = 4_096;

/** Facts as they come, in columns that grow. */
class FactColumns {
  #count = 0;
  #rows = new Int32Array(smallestCapacity);
  #days = new Int32Array(smallestCapacity);
  #numbers = new Float64Array(smallestCapacity);
  #wordIds = new Int32Array(smallestCapacity);

  add(row: number, { day, number, wordId }: ReadFact): void {
    const at = this.#count;
    if (at === this.#rows.length) this.#grow();
    this.#rows[at] = row;
    this.#days[at] = day;
    this.#numbers[at] = number;
    this.#wordIds[at] = wordId;
    this.#count += 1;
  }

  #grow(): void {
    const capacity = this.#count * 2;
    this.#rows = grown(this.#rows, new Int32Array(capacity));
    this.#days = grown(this.#days, new Int32Array(capacity));
    this.#numbers = grown(this.#numbers, new Float64Array(capacity));
    this.#wordIds = grown(this.#wordIds, new Int32Array(capacity));
  }

  bySubject(rowCount: number, word: CodeFacts['word']): CodeFacts {
    const starts = new Int32Array(rowCount + 1);
    for (let at = 0; at < this.#count; at += 1) {
      const next = (this.#rows[at] ?? 0) + 1;
      starts[next] = (starts[next] ?? 0) + 1;
    }
    for (let row = 0; row < rowCount; row += 1) starts[row + 1] = (starts[row + 1] ?? 0) + (starts[row] ?? 0);
    const order = this.#order(starts, word);
    const days = new Int32Array(this.#count);
    const numbers = new Float64Array(this.#count);
    const wordIds = new Int32Array(this.#count);
    for (const [to, from] of order.entries()) {
      days[to] = this.#days[from] ?? 0;
      numbers[to] = this.#numbers[from] ?? Number.NaN;
      wordIds[to] = this.#wordIds[from] ?? 0;
    }
    return { starts, days, numbers, wordIds, word };
  }

  /** Where each fact of the sorted columns lies in these. */
  #order(starts: Int32Array, word: CodeFacts['word']): Uint32Array {
    const order = new Uint32Array(this.#count);
    const next = starts.slice();
    for (let at = 0; at < this.#count; at += 1) {
      const row = this.#rows[at] ?? 0;
      const place = next[row] ?? 0;
      order[place] = at;
      next[row] = place + 1;
    }
    const compare = (left: number, right: number) => this.#compare(left, right, word);
    for (let row = 0; row + 1 < starts.length; row += 1) {
      const [from = 0, to = 0] = [starts[row], starts[row + 1]];
      if (to - from > 1) order.subarray(from, to).sort(compare);
    }
    return order;
  }

  /** By day; on one day by content, so that the order of import decides nothing. */
  #compare(left: number, right: number, word: CodeFacts['word']): number {
    const ofDays = (this.#days[left] ?? 0) - (this.#days[right] ?? 0);
    if (ofDays !== 0) return ofDays;
    const [leftId = 0, rightId = 0] = [this.#wordIds[left], this.#wordIds[right]];
    if (leftId !== rightId) return compareTexts(wordText(word(leftId)), wordText(word(rightId)));
    const [leftNumber = Number.NaN, rightNumber = Number.NaN] = [this.#numbers[left], this.#numbers[right]];
    if (Number.isNaN(leftNumber)) return Number.isNaN(rightNumber) ? 0 : -1;
    return Number.isNaN(rightNumber) ? 1 : leftNumber - rightNumber;
  }
}

function grown<Column extends Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer>>(
  column: Column,
  larger: Column,
): Column {
  larger.set(column);
  return larger;
}

/** Units before coded values, as before words are compared by anything that another store numbers otherwise. */
function wordText(word: Word | undefined): string {
  return word === undefined ? '' : [word.kind === 'unit' ? '1' : '2', word.code, word.system].join('\n');
}

function compareTexts(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}

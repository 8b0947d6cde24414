// The facts of one code, of the subjects that a report is about: subject by subject, day by day, equal ones side by side.
import type { CohortSubjects, FactCode } from '#site/cohort/index.ts';
import type { Store } from '#site/store/index.ts';
import { Tally } from './tally.ts';

/** Facts in the order described above. */
export interface ScannedFacts {
  readonly count: number;
  /** As the subject stands. */
  readonly subjectNos: Int32Array;
  readonly days: Int32Array;
  /** -1: none is stated. */
  readonly seconds: Int32Array;
  /** NaN: none is stated. */
  readonly endDays: Float64Array;
  /** NaN: no number. */
  readonly numbers: Float64Array;
  /** Of unit or coded value; 0: neither. */
  readonly wordIds: Int32Array;
}

export interface CodeScan {
  readonly facts: ScannedFacts;
  /** Facts of subjects with consent that the report is not about. */
  readonly outside: Tally;
}

/** Whether any subject with consent has a fact of the code, in the report or not. */
export function isAnywhere({ facts, outside }: CodeScan): boolean {
  return facts.count > 0 || outside.recordCount > 0;
}

export interface ScanSource {
  readonly store: Store;
  readonly subjects: CohortSubjects;
  /** By subject_no: 1 with consent, 2 where the report is about it. */
  readonly standing: Uint8Array;
}

type StoredRow = readonly [
  subjectNo: number,
  day: number,
  second: number | null,
  endDay: number | null,
  number: number | null,
  valueId: number | null,
];

/** Memory for one code at a time. */
export function openCodeScan({
  store,
  subjects,
  standing,
}: ScanSource): (codes: readonly FactCode[]) => CodeScan {
  const conceptsOf = store.prepareColumn(
    `SELECT concept_id FROM concept WHERE system = ? AND code = ? AND kind NOT IN ('answer', 'unit')`,
  );
  const countOf = store.prepareColumn('SELECT count(*) FROM fact WHERE concept_id = ?');
  const factsOf = store.prepareRows(
    'SELECT subject_no, day, second, end_day, number, value_id FROM fact WHERE concept_id = ?',
  );
  return (codes) => {
    const concepts = codes.flatMap(({ system, code }) => conceptsOf.all(system, code) as number[]);
    const capacity = concepts.reduce((sum, concept) => sum + Number(countOf.get(concept)), 0);
    const facts = createFacts(capacity);
    const outside = new Tally();
    for (const concept of concepts) {
      for (const row of factsOf.iterate(concept) as Iterable<StoredRow>) {
        const standingNo = subjects.standingNos[row[0]] ?? 0;
        const part = standing[standingNo] ?? 0;
        const moved = subjects.daysMoved[row[0]] ?? 0;
        if (part === 0 || !subjects.isReadable(standingNo, row[1] + moved, 'clinical')) continue;
        if (part === 2) addFact(facts, { row, standingNo, moved });
        else outside.add(standingNo);
      }
    }
    return { facts: ordered(facts), outside };
  };
}

type GrowingFacts = { -readonly [Key in keyof ScannedFacts]: ScannedFacts[Key] };

function createFacts(capacity: number): GrowingFacts {
  return {
    count: 0,
    subjectNos: new Int32Array(capacity),
    days: new Int32Array(capacity),
    seconds: new Int32Array(capacity),
    endDays: new Float64Array(capacity),
    numbers: new Float64Array(capacity),
    wordIds: new Int32Array(capacity),
  };
}

interface PlacedRow {
  readonly row: StoredRow;
  readonly standingNo: number;
  /** Days that a merge moved the subject's facts by. */
  readonly moved: number;
}

function addFact(facts: GrowingFacts, { row, standingNo, moved }: PlacedRow): void {
  const [, day, second, endDay, number, valueId] = row;
  const at = facts.count;
  facts.subjectNos[at] = standingNo;
  facts.days[at] = day + moved;
  facts.seconds[at] = second ?? -1;
  facts.endDays[at] = endDay === null ? Number.NaN : endDay + moved;
  facts.numbers[at] = number ?? Number.NaN;
  facts.wordIds[at] = valueId ?? 0;
  facts.count = at + 1;
}

/** A fact without a number comes first. */
function sortable(value: number | undefined): number {
  return value === undefined || Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value;
}

function ordered(facts: ScannedFacts): ScannedFacts {
  const { count, subjectNos, days, seconds, numbers, wordIds } = facts;
  const order = Uint32Array.from({ length: count }, (_, at) => at);
  const keys = [subjectNos, days, seconds, wordIds, numbers] as const;
  order.sort((left, right) => {
    for (const key of keys) {
      const [one, other] = [sortable(key[left]), sortable(key[right])];
      if (one !== other) return one < other ? -1 : 1;
    }
    return 0;
  });
  const pick = <Column extends Int32Array | Float64Array>(from: Column, to: Column): Column => {
    for (const [at, place] of order.entries()) to[at] = from[place] ?? 0;
    return to;
  };
  return {
    count,
    subjectNos: pick(subjectNos, new Int32Array(count)),
    days: pick(days, new Int32Array(count)),
    seconds: pick(seconds, new Int32Array(count)),
    endDays: pick(facts.endDays, new Float64Array(count)),
    numbers: pick(numbers, new Float64Array(count)),
    wordIds: pick(wordIds, new Int32Array(count)),
  };
}

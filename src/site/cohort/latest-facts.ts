// Streams the facts of one code and keeps, for each subject, the latest one in the plan's window around the index day.
// One pass for each code: no query per subject, one fact per subject in memory.
import type { CodeReference } from '#federation/records/research-study-plan.ts';
import type { ConsentDecision, DayRange } from '#site/consent/index.ts';
import type { Store } from '#site/store/index.ts';

export interface FactValue {
  readonly day: number;
  readonly value_number: number | null;
  readonly unit: string | null;
  readonly value_system: string | null;
  readonly value_code: string | null;
}

export interface FactRow extends FactValue {
  readonly subject_id: string;
}

export interface FactWindow {
  /** Ordinals are below this. */
  readonly subjectCount: number;
  /** First and last day that count for a subject; undefined for one that is of no interest. */
  daysOf(
    subjectId: string,
  ): { readonly ordinal: number; readonly first: number; readonly last: number } | undefined;
}

export interface FactReading {
  readonly window: FactWindow;
  /** Facts for which this is false never count as the latest. */
  readonly isUsable: (fact: FactValue) => boolean;
  readonly take: (ordinal: number, fact: FactValue) => void;
  /** Called for a subject whose facts in the window are all unusable. */
  readonly refuse: (ordinal: number) => void;
}

/** Calls `take` with each subject's latest usable fact of the code inside its window. */
export function readLatestFacts(
  facts: FactStream,
  code: Pick<CodeReference, 'system' | 'code'>,
  { window, isUsable, take, refuse }: FactReading,
): void {
  const latest = new Array<FactRow | undefined>(window.subjectCount).fill(undefined);
  const refused = new Set<number>();
  for (const row of facts.of(code)) {
    const days = window.daysOf(row.subject_id);
    if (days === undefined || row.day < days.first || row.day > days.last) continue;
    if (!isUsable(row)) {
      refused.add(days.ordinal);
      continue;
    }
    const known = latest[days.ordinal];
    if (known === undefined || isLater(row, known)) latest[days.ordinal] = row;
  }
  for (const [ordinal, fact] of latest.entries()) if (fact !== undefined) take(ordinal, fact);
  for (const ordinal of refused) if (latest[ordinal] === undefined) refuse(ordinal);
}

interface StoredRow {
  readonly fact_id: number;
  readonly subject_no: number;
  readonly day: number;
  readonly number: number | null;
  readonly value_id: number | null;
}

const rowsInChunk = 2_000;

interface Concept {
  readonly kind: string;
  readonly system: string;
  readonly code: string;
}

interface StreamedSubject {
  readonly subjectId: string;
  readonly daysMoved: number;
  /** Days of which consent lets clinical data be read (C5). */
  readonly readable: readonly DayRange[];
}

const anyDay: readonly DayRange[] = [{ from: null, until: null }];

function isReadable(ranges: readonly DayRange[], day: number): boolean {
  return ranges.some(({ from, until }) => (from === null || from <= day) && (until === null || day <= until));
}

/** Facts by their code, of the subjects as they stand. Knows the store's subjects and words as they were when it was made. */
export class FactStream {
  readonly #store: Store;
  /** By subject_no, with what merges added to the days. */
  readonly #subjects: StreamedSubject[] = [];
  readonly #values = new Map<number, Concept>();
  readonly #statements: ReturnType<typeof prepareStatements>;

  /** @param decisions what is permitted to be read of a subject; who is not in it is out and read like before */
  constructor(store: Store, decisions: ReadonlyMap<string, ConsentDecision>) {
    this.#store = store;
    this.#statements = prepareStatements(store);
    const subjects = store.prepare(
      `SELECT own.subject_no, standing.subject_id, own.days_moved FROM subject AS own
      JOIN subject AS standing ON standing.subject_no = coalesce(own.survivor_no, own.subject_no)`,
    );
    for (const row of subjects.iterate()) {
      const { subject_no, subject_id, days_moved } = row as Record<string, number> & { subject_id: string };
      const decision = decisions.get(subject_id);
      const readable = decision?.decision === 'permit' ? decision.data.clinical : anyDay;
      this.#subjects[subject_no ?? 0] = { subjectId: subject_id, daysMoved: days_moved ?? 0, readable };
    }
  }

  /** Every fact of the code, in no order that means anything. The index by concept has all of it: no page of other codes is read. */
  *of({ system, code }: Pick<CodeReference, 'system' | 'code'>): Generator<FactRow> {
    for (const conceptId of this.#statements.conceptsOf.all(system, code) as number[]) {
      for (const row of this.#rowsOf(conceptId)) {
        const subject = this.#subjects[row.subject_no];
        if (subject === undefined) continue;
        const day = row.day + subject.daysMoved;
        if (!isReadable(subject.readable, day)) continue;
        const value = this.#valueOf(row.value_id);
        const isUnit = value?.kind === 'unit';
        yield {
          subject_id: subject.subjectId,
          day,
          value_number: row.number,
          unit: isUnit ? value.code : null,
          value_system: isUnit ? null : (value?.system ?? null),
          value_code: isUnit ? null : (value?.code ?? null),
        };
      }
    }
  }

  /** In chunks: a step of an iterator takes SQLite's binding half as long again as a row of many. */
  *#rowsOf(conceptId: number): Generator<StoredRow> {
    let last = -1;
    for (;;) {
      const rows = this.#statements.rowsAfter.all(conceptId, last) as StoredRow[];
      yield* rows;
      if (rows.length < rowsInChunk) return;
      last = rows.at(-1)?.fact_id ?? last;
    }
  }

  #valueOf(valueId: number | null): Concept | undefined {
    if (valueId === null) return undefined;
    const known = this.#values.get(valueId);
    if (known !== undefined) return known;
    const { query } = this.#store;
    const found = this.#store.get(query.selectFrom('concept').selectAll().where('concept_id', '=', valueId));
    if (found !== undefined) this.#values.set(valueId, found);
    return found;
  }
}

function prepareStatements(store: Store) {
  return {
    conceptsOf: store.prepareColumn(
      `SELECT concept_id FROM concept WHERE system = ? AND code = ? AND kind NOT IN ('answer', 'unit')`,
    ),
    rowsAfter: store.prepare(
      `SELECT fact_id, subject_no, day, number, value_id FROM fact INDEXED BY fact_concept
      WHERE concept_id = ? AND fact_id > ? ORDER BY fact_id LIMIT ${rowsInChunk}`,
    ),
  };
}

/** By day; on one day by content, so that the order of import decides nothing. */
function isLater(left: FactRow, right: FactRow): boolean {
  if (left.day !== right.day) return left.day > right.day;
  if (left.value_code !== right.value_code) return (left.value_code ?? '') > (right.value_code ?? '');
  if (left.unit !== right.unit) return (left.unit ?? '') > (right.unit ?? '');
  return (left.value_number ?? Number.NEGATIVE_INFINITY) > (right.value_number ?? Number.NEGATIVE_INFINITY);
}

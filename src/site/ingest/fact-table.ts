// The fact table as the writer uses it: facts of a record found by its key, many rows in one statement, words by their numbers.
import type { Database } from '#site/store/index.ts';
import { isNamed, type NamedRecords } from './named-records.ts';
import { type Concept, conceptName } from './record-batch.ts';

/** A stored fact of a record; subject and days as they stand after merges. */
export interface StoredFact {
  readonly fact_id: number;
  readonly record_check: number;
  readonly subject_no: number;
  readonly concept_id: number;
  readonly number: number | null;
  readonly value_id: number | null;
  readonly day: number;
  readonly second: number | null;
  readonly end_day: number | null;
}

/** A fact to be stored. One object serves for all rows of a batch: millions of short-lived ones would fill the memory. */
export interface NewFact {
  recordKey: number;
  recordCheck: number;
  subjectNo: number;
  conceptId: number;
  number: number | null;
  valueId: number | null;
  day: number;
  second: number | null;
  endDay: number | null;
  outcomeId: number;
  row: number;
}

const noFacts: readonly StoredFact[] = [];
const factColumnCount = 12;
const columns =
  'concept_id, fact_id, record_key, record_check, subject_no, number, value_id, day, second, end_day, outcome_id, row';
/** Rows in one statement. */
const rowsInStatement = 32;
/** Records of a neighbourhood in one batch, from which on its keys are read at once. */
const manyNeighbours = 64;
const neighbourhoodKeys = 0x1000000;

export class FactTable {
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #named: NamedRecords;
  readonly #concepts = new Map<string, number>();
  /** Values of rows that are not written yet. */
  readonly #waiting: (number | null)[] = new Array<number | null>(rowsInStatement * factColumnCount).fill(
    null,
  );
  #waitingCount = 0;
  /** Of the fact that came last, of this transaction or before. */
  #lastFactId = 0;
  /** A bit for each lower half of a key, set for those that this batch has brought. Two keys that share one cost a look-up. */
  readonly #brought = new Uint8Array(neighbourhoodKeys / 8);
  #batchKeys: Float64Array = new Float64Array();
  /** By their upper half: sorted lower halves of the keys in the store, of neighbourhoods that the batch has many records of. */
  readonly #neighbourhoods = new Map<number, Int32Array>();

  /** @param named shared by all imports of the store */
  constructor(store: Database, named: NamedRecords) {
    this.#statements = prepareStatements(store);
    this.#named = named;
  }

  /** Begins a batch: reads at once which keys of its neighbourhoods are in the store, where asking one by one would take longer. */
  begin(recordKeys: Float64Array): void {
    this.#forgetBatch();
    // Another import may have added facts since.
    this.#lastFactId = this.#statements.lastFactId.get() as number;
    this.#batchKeys = recordKeys;
    for (const upper of crowdedNeighbourhoods(recordKeys)) {
      const first = upper * neighbourhoodKeys;
      const keys = this.#statements.lowerKeysBetween.all(first, first + neighbourhoodKeys - 1) as number[];
      this.#neighbourhoods.set(upper, Int32Array.from(keys));
    }
  }

  /** Forgets what a transaction that was rolled back may have told. */
  forget(): void {
    this.#concepts.clear();
    this.#waitingCount = 0;
    this.#named.forget();
    this.#forgetBatch();
  }

  /** Belongs between two transactions: what is due of the index of records is done. */
  async keepUp(): Promise<void> {
    await this.#named.keepUp();
  }

  #forgetBatch(): void {
    this.#neighbourhoods.clear();
    for (const key of this.#batchKeys) this.#brought[lowerHalf(key) >> 3] = 0;
    this.#batchKeys = new Float64Array();
  }

  /** Facts whose record has this key, of this record or another. */
  factsOf(recordKey: number): readonly StoredFact[] {
    const lower = lowerHalf(recordKey);
    const isBrought = ((this.#brought[lower >> 3] ?? 0) & (1 << (lower & 7))) !== 0;
    if (isBrought) this.flush();
    if (isNamed(recordKey)) return this.#namedFactsOf(recordKey);
    const stored = this.#neighbourhoods.get(Math.floor(recordKey / neighbourhoodKeys));
    if (!isBrought && stored !== undefined && !includesSorted(stored, lower)) return noFacts;
    return this.#statements.factsOfKey.all(recordKey) as StoredFact[];
  }

  #namedFactsOf(recordKey: number): readonly StoredFact[] {
    if (!this.#named.mayHave(recordKey)) return noFacts;
    return this.#named.placesOf(recordKey).flatMap(({ conceptId, factId }) => {
      const fact = this.#statements.factAt.get(conceptId, factId) as StoredFact | undefined;
      return fact ?? [];
    });
  }

  /** Written by `flush` at the latest. */
  insert(fact: NewFact): void {
    const lower = lowerHalf(fact.recordKey);
    this.#brought[lower >> 3] = (this.#brought[lower >> 3] ?? 0) | (1 << (lower & 7));
    const waiting = this.#waiting;
    const at = this.#waitingCount * factColumnCount;
    this.#lastFactId += 1;
    if (isNamed(fact.recordKey)) this.#named.add(fact.recordKey, fact.conceptId, this.#lastFactId);
    waiting[at] = fact.conceptId;
    waiting[at + 1] = this.#lastFactId;
    waiting[at + 2] = fact.recordKey;
    waiting[at + 3] = fact.recordCheck;
    waiting[at + 4] = fact.subjectNo;
    waiting[at + 5] = fact.number;
    waiting[at + 6] = fact.valueId;
    waiting[at + 7] = fact.day;
    waiting[at + 8] = fact.second;
    waiting[at + 9] = fact.endDay;
    waiting[at + 10] = fact.outcomeId;
    waiting[at + 11] = fact.row;
    this.#waitingCount += 1;
    if (this.#waitingCount === rowsInStatement) {
      // As arguments: values of an array would be looked up one by one.
      this.#statements.insertMany.run(...waiting);
      this.#waitingCount = 0;
    }
  }

  /** Writes what waits; belongs before the end of the transaction. */
  flush(): void {
    for (let index = 0; index < this.#waitingCount; index += 1) {
      const at = index * factColumnCount;
      this.#statements.insertOne.run(this.#waiting.slice(at, at + factColumnCount));
    }
    this.#waitingCount = 0;
    this.#statements.setSequence.run(this.#lastFactId, this.#named.mark(this.#lastFactId));
  }

  /** @param recordKey of its record */
  delete(
    recordKey: number,
    { concept_id: conceptId, fact_id: factId }: Pick<StoredFact, 'concept_id' | 'fact_id'>,
  ): void {
    if (isNamed(recordKey)) this.#named.remove(recordKey, factId);
    this.#statements.deleteFact.run(conceptId, factId);
  }

  /** Number of a word, a new one where it is new. */
  conceptId({ kind, system, code }: Concept): number {
    const name = conceptName(kind, system, code);
    const known = this.#concepts.get(name);
    if (known !== undefined) return known;
    this.#statements.addConcept.run(kind, system, code);
    const { concept_id } = this.#statements.findConcept.get(system, code, kind) as {
      readonly concept_id: number;
    };
    this.#concepts.set(name, concept_id);
    return concept_id;
  }
}

function lowerHalf(recordKey: number): number {
  return Math.abs(recordKey) % neighbourhoodKeys;
}

/** Upper halves that many keys of numbered records share. By sorting: a count for each would fill the memory where no two do. */
function crowdedNeighbourhoods(recordKeys: Float64Array): number[] {
  // NaN, for a record without facts, becomes 0.
  const uppers = Int32Array.from(recordKeys, (key) => key / neighbourhoodKeys).sort();
  const crowded: number[] = [];
  for (let at = 0; at < uppers.length; ) {
    const upper = uppers[at] ?? 0;
    let end = at + 1;
    while (end < uppers.length && uppers[end] === upper) end += 1;
    if (upper >= 0 && end - at >= manyNeighbours) crowded.push(upper);
    at = end;
  }
  return crowded;
}

function includesSorted(numbers: Int32Array, wanted: number): boolean {
  let [first, last] = [0, numbers.length - 1];
  while (first <= last) {
    const middle = (first + last) >>> 1;
    const found = numbers[middle] ?? 0;
    if (found === wanted) return true;
    if (found < wanted) first = middle + 1;
    else last = middle - 1;
  }
  return false;
}

function prepareStatements(store: Database) {
  const row = `(${Array.from({ length: factColumnCount }, () => '?').join(', ')})`;
  const insert = (count: number): string =>
    `INSERT INTO fact (${columns}) VALUES ${Array.from({ length: count }, () => row).join(', ')}`;
  const select = `SELECT fact_id, record_check, coalesce(survivor_no, subject_no) AS subject_no, concept_id, number, value_id,
    day + days_moved AS day, second, end_day + days_moved AS end_day FROM fact JOIN subject USING (subject_no)`;
  return {
    factsOfKey: store.prepare(`${select} WHERE record_key = ? AND record_key >= 0`),
    factAt: store.prepare(`${select} WHERE concept_id = ? AND fact_id = ?`),
    lowerKeysBetween: store.prepareColumn(
      `SELECT record_key & ${neighbourhoodKeys - 1} FROM fact
      WHERE record_key BETWEEN ? AND ? AND record_key >= 0 ORDER BY record_key`,
    ),
    insertMany: store.prepare(insert(rowsInStatement)),
    insertOne: store.prepare(insert(1)),
    deleteFact: store.prepare('DELETE FROM fact WHERE concept_id = ? AND fact_id = ?'),
    lastFactId: store.prepareColumn('SELECT last_fact_id FROM fact_sequence'),
    setSequence: store.prepare('UPDATE fact_sequence SET last_fact_id = ?, merged_fact_id = ?'),
    addConcept: store.prepare(
      'INSERT INTO concept (kind, system, code) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    ),
    findConcept: store.prepare('SELECT concept_id FROM concept WHERE system = ? AND code = ? AND kind = ?'),
  };
}

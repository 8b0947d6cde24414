// The fact table as the writer uses it: facts of a record found by its key, many rows in one statement, words by their numbers.
import type { Database } from '#site/store/index.ts';
import type { Concept } from './record-batch.ts';

/** A stored fact of a record; subject and days as they stand after merges. */
export interface StoredFact {
  readonly fact_id: number;
  readonly record_digest: Buffer;
  readonly subject_no: number;
  readonly concept_id: number;
  readonly number: number | null;
  readonly value_id: number | null;
  readonly day: number;
  readonly second: number | null;
  readonly end_day: number | null;
}

export const factColumnCount = 11;
const columns =
  'record_key, record_digest, subject_no, concept_id, number, value_id, day, second, end_day, outcome_id, row';
/** Rows in one statement. */
const rowsInStatement = 32;

export class FactTable {
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #concepts = new Map<string, number>();
  /** Values of rows that are not written yet. */
  #waiting: unknown[] = [];
  readonly #waitingKeys = new Set<number>();

  constructor(store: Database) {
    this.#statements = prepareStatements(store);
  }

  /** Forgets what a transaction that was rolled back may have told. */
  forget(): void {
    this.#concepts.clear();
    this.#waiting = [];
    this.#waitingKeys.clear();
  }

  /** Facts whose record has this key, of this record or another. */
  factsOf(recordKey: number): StoredFact[] {
    if (this.#waitingKeys.has(recordKey)) this.flush();
    return this.#statements.factsOfKey.all(recordKey) as StoredFact[];
  }

  /** @param values as `columns` has them; written by `flush` at the latest */
  insert(recordKey: number, values: readonly unknown[]): void {
    this.#waitingKeys.add(recordKey);
    for (const value of values) this.#waiting.push(value);
    if (this.#waiting.length === rowsInStatement * factColumnCount) {
      this.#statements.insertMany.run(this.#waiting);
      this.#waiting = [];
      this.#waitingKeys.clear();
    }
  }

  /** Writes what waits; belongs before the end of the transaction. */
  flush(): void {
    for (let at = 0; at < this.#waiting.length; at += factColumnCount) {
      this.#statements.insertOne.run(this.#waiting.slice(at, at + factColumnCount));
    }
    this.#waiting = [];
    this.#waitingKeys.clear();
  }

  delete(factId: number): void {
    this.#statements.deleteFact.run(factId);
  }

  /** Number of a word, a new one where it is new. */
  conceptId({ kind, system, code }: Concept): number {
    // Codes and systems hold no space.
    const name = `${kind} ${system} ${code}`;
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

function prepareStatements(store: Database) {
  const row = `(${Array.from({ length: factColumnCount }, () => '?').join(', ')})`;
  const insert = (count: number): string =>
    `INSERT INTO fact (${columns}) VALUES ${Array.from({ length: count }, () => row).join(', ')}`;
  return {
    factsOfKey: store.prepare(
      `SELECT fact_id, record_digest, coalesce(survivor_no, subject_no) AS subject_no, concept_id, number, value_id,
      day + days_moved AS day, second, end_day + days_moved AS end_day
      FROM fact JOIN subject USING (subject_no) WHERE record_key = ?`,
    ),
    insertMany: store.prepare(insert(rowsInStatement)),
    insertOne: store.prepare(insert(1)),
    deleteFact: store.prepare('DELETE FROM fact WHERE fact_id = ?'),
    addConcept: store.prepare(
      'INSERT INTO concept (kind, system, code) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    ),
    findConcept: store.prepare('SELECT concept_id FROM concept WHERE system = ? AND code = ? AND kind = ?'),
  };
}

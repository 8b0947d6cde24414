// Finds the facts of records whose names are not numbers. Their keys are random, and an index of random keys that is written row by row
// changes a page of its own for each: the larger the store, the slower every import. So keys wait in memory until there are many, and
// then go into the index in its own order, in slices. A mark in the store says from which fact on they may be missing there: what
// waits when the process dies is read again from the facts themselves.
import { setImmediate } from 'node:timers/promises';
import type { Database } from '#site/store/index.ts';
import { type FactPlace, PendingFacts } from './pending-facts.ts';
import { PresenceFilter } from './presence-filter.ts';

/** So many wait in memory: 7 MB. The index then takes two or more of them on each page, up to some twenty million facts. */
const mostPending = 262_144;
/** Nor do keys wait while so many facts come: all after the first that waits are looked through when it is read again. */
const farthestBehind = 1_048_576;
/** An import of files by path leaves so many waiting at most. */
const mostLeftWaiting = 16_384;
/** In one transaction: some hundredths of a second. */
const mergedInSlice = 4_096;
const rowsInStatement = 32;
const slicesToCheckpoint = 8;
const filteredInSlice = 50_000;
/** Look-ups in a large index, from which on a filter pays. */
const manyLookups = 10_000;
/** The lowest key is that of a digest of ones. */
const belowAllKeys = -(2 ** 48) - 1;

/** Whether a record with this key is found here. Keys of numbered records are not negative and lie close together in an index of their own. */
export function isNamed(recordKey: number): boolean {
  return recordKey < 0;
}

export class NamedRecords {
  readonly #store: Database;
  readonly #statements: ReturnType<typeof prepareStatements>;
  /** Undefined until they are read from the store. */
  #pending: PendingFacts | undefined;
  #merging: Promise<void> | undefined;
  /** Of the keys in the index. */
  #filter: PresenceFilter | undefined;
  /** One that is not filled yet, and up to which key it is. */
  #unfilled: { readonly filter: PresenceFilter; filledTo: number } | undefined;
  #lookupCount = 0;
  /** Of the store, as far as it was told. */
  #lastFactId = 0;

  constructor(store: Database) {
    this.#store = store;
    this.#statements = prepareStatements(store);
  }

  /** False only where the store has no fact with this key. */
  mayHave(recordKey: number): boolean {
    if (this.#loaded().has(recordKey)) return true;
    return this.#filter?.mayHave(recordKey) ?? true;
  }

  /** Where the facts with this key lie. */
  placesOf(recordKey: number): FactPlace[] {
    const places = this.#loaded().placesOf(recordKey);
    if (this.#filter?.mayHave(recordKey) === false) return places;
    this.#lookupCount += 1;
    // While a merge is on its way, a fact is in both.
    for (const [conceptId, factId] of this.#statements.placesOf.all(recordKey) as [number, number][])
      if (!places.some((place) => place.factId === factId)) places.push({ conceptId, factId });
    return places;
  }

  add(recordKey: number, conceptId: number, factId: number): void {
    this.#loaded().add(recordKey, conceptId, factId);
  }

  /** For a fact that is deleted; the store's own index follows by itself. */
  remove(recordKey: number, factId: number): void {
    this.#loaded().remove(recordKey, factId);
  }

  /** Up to this fact nothing waits. @param lastFactId of the store */
  mark(lastFactId: number): number {
    this.#lastFactId = lastFactId;
    const first = this.#loaded().firstFactId;
    return first === null ? lastFactId : first - 1;
  }

  /** To be called when a transaction was rolled back: what was added or removed in it is not so. */
  forget(): void {
    this.#pending = undefined;
  }

  /** Belongs between two transactions of an import: what is due is done, in slices. */
  async keepUp(): Promise<void> {
    if (this.#lookupCount >= manyLookups && this.#filter === undefined)
      this.#unfilled ??= { filter: new PresenceFilter(), filledTo: belowAllKeys };
    if (this.#unfilled !== undefined) this.#fillOn(this.#unfilled);
    const { count, firstFactId } = this.#loaded();
    const isFarBehind = firstFactId !== null && this.#lastFactId - firstFactId >= farthestBehind;
    if (count >= mostPending || isFarBehind) await this.merge();
  }

  /** Belongs at the end of an import. */
  async settle(): Promise<void> {
    if (this.#loaded().count > mostLeftWaiting) await this.merge();
  }

  /** Brings what waits when it is called into the index. */
  async merge(): Promise<void> {
    // One that is on its way may have begun before the last of it came.
    while (this.#merging !== undefined) await this.#merging.catch(() => undefined);
    this.#merging = this.#merge().finally(() => {
      this.#merging = undefined;
    });
    return this.#merging;
  }

  async #merge(): Promise<void> {
    const pending = this.#loaded();
    const { count } = pending;
    if (count === 0) return;
    const order = pending.inKeyOrder(count);
    for (let first = 0, slice = 1; first < count; first += mergedInSlice, slice += 1) {
      const numbers = order.subarray(first, first + mergedInSlice);
      this.#store.transaction(() => this.#mergeSlice(pending, numbers), 'with-the-next');
      if (slice % slicesToCheckpoint === 0) this.#store.checkpoint();
      await setImmediate();
      // A transaction was rolled back in between: what waits is read again.
      if (this.#pending !== pending) return this.#merge();
    }
    const left = pending.after(count);
    this.#pending = left;
    this.#store.transaction(() => {
      this.#statements.setMark.run(left.firstFactId === null ? null : left.firstFactId - 1);
    }, 'with-the-next');
  }

  #mergeSlice(pending: PendingFacts, numbers: Uint32Array): void {
    let values: number[] = [];
    for (const number of numbers) {
      const entry = pending.at(number);
      if (entry === undefined) continue;
      values.push(...entry);
      this.#filter?.add(entry[0]);
      this.#unfilled?.filter.add(entry[0]);
      if (values.length < rowsInStatement * 3) continue;
      this.#statements.insertMany.run(...values);
      values = [];
    }
    for (let at = 0; at < values.length; at += 3) this.#statements.insertOne.run(...values.slice(at, at + 3));
  }

  #loaded(): PendingFacts {
    if (this.#pending !== undefined) return this.#pending;
    const pending = new PendingFacts();
    for (const row of this.#statements.waiting.iterate()) pending.add(...(row as [number, number, number]));
    this.#pending = pending;
    // An index that is empty needs no reading for its filter.
    if (this.#filter === undefined && this.#statements.isEmpty.get() === 1)
      this.#filter = new PresenceFilter();
    return pending;
  }

  /** Reads the next slice of keys into it. */
  #fillOn(unfilled: { readonly filter: PresenceFilter; filledTo: number }): void {
    const keys = this.#statements.keysAfter.all(unfilled.filledTo, filteredInSlice) as number[];
    for (const key of keys) unfilled.filter.add(key);
    unfilled.filledTo = keys.at(-1) ?? unfilled.filledTo;
    if (keys.length === filteredInSlice) return;
    this.#filter = unfilled.filter;
    this.#unfilled = undefined;
  }
}

function prepareStatements(store: Database) {
  const insert = (count: number): string =>
    `INSERT OR IGNORE INTO named_record (record_key, concept_id, fact_id) VALUES ${Array.from({ length: count }, () => '(?, ?, ?)').join(', ')}`;
  return {
    placesOf: store.prepareRows('SELECT concept_id, fact_id FROM named_record WHERE record_key = ?'),
    insertMany: store.prepare(insert(rowsInStatement)),
    insertOne: store.prepare(insert(1)),
    setMark: store.prepare('UPDATE fact_sequence SET merged_fact_id = coalesce(?, last_fact_id)'),
    // One range of each concept.
    waiting: store.prepareRows(
      `SELECT record_key, fact.concept_id, fact_id FROM fact_sequence CROSS JOIN concept CROSS JOIN fact
      ON fact.concept_id = concept.concept_id AND fact_id > merged_fact_id
      WHERE record_key < 0 ORDER BY fact_id`,
    ),
    isEmpty: store.prepareColumn('SELECT NOT EXISTS (SELECT 1 FROM named_record)'),
    keysAfter: store.prepareColumn(
      'SELECT DISTINCT record_key FROM named_record WHERE record_key > ? ORDER BY record_key LIMIT ?',
    ),
  };
}

// The facts of one code as columns: no query per subject, no object per fact. Arranged, they lie subject by subject, each one's in an
// order that depends on what they say and never on when they were imported.
import type { CodeReference } from '#federation/records/data-elements.ts';
import type { Store } from '#site/store/index.ts';
import { FactColumns } from './fact-columns.ts';

/** A coded value or a unit. */
export interface Word {
  readonly kind: string;
  readonly system: string;
  readonly code: string;
}

export type FactCode = Pick<CodeReference, 'system' | 'code'>;

/** Words of the store by their numbers, each looked up once. */
export function openWords(store: Store): (wordId: number) => Word | undefined {
  const words = new Map<number, Word>();
  return (wordId) => {
    if (wordId === 0) return undefined;
    const known = words.get(wordId);
    if (known !== undefined) return known;
    const { query } = store;
    const found = store.get(query.selectFrom('concept').selectAll().where('concept_id', '=', wordId));
    if (found !== undefined) words.set(wordId, found);
    return found;
  };
}

/** Numbers of facts, most of them of other codes in a large store: no more rows than these at once. */
const idsInChunk = 65_536;
/** Days in the lower bits, from a year long ago on, so that none is negative: one column less for each fact. */
const dayBits = 2 ** 23;
const firstDay = -(2 ** 22);

type StoredRow = readonly [subjectAndDay: number, number: number | null, valueId: number | null];

/**
 * Reads every fact of a code as it is stored, whoever's it is, into columns that hold until the next one is read. In chunks: a step of
 * an iterator takes half as long again as a row of many.
 */
export function openFactReader(
  store: Pick<Store, 'prepareColumn' | 'prepareRows'>,
): (code: FactCode) => FactColumns {
  const conceptsOf = store.prepareColumn(
    `SELECT concept_id FROM concept WHERE system = ? AND code = ? AND kind NOT IN ('answer', 'unit')`,
  );
  const idsOf = store.prepareRows('SELECT min(fact_id), max(fact_id) FROM fact WHERE concept_id = ?');
  const factsOf = store.prepareRows(
    `SELECT subject_no * ${dayBits} + day - ${firstDay}, number, value_id FROM fact
    WHERE concept_id = ? AND fact_id BETWEEN ? AND ?`,
  );
  const columns = new FactColumns();
  return ({ system, code }) => {
    columns.count = 0;
    for (const conceptId of conceptsOf.all(system, code) as number[]) {
      const [lowest, highest] = idsOf.get(conceptId) as [number | null, number | null];
      if (lowest === null || highest === null) continue;
      for (let first = lowest; first <= highest; first += idsInChunk) {
        const rows = factsOf.all(conceptId, first, first + idsInChunk - 1) as StoredRow[];
        columns.reserve(rows.length);
        for (const row of rows) {
          // By place: taking the row apart would ask its iterator three times.
          const subjectNo = Math.floor(row[0] / dayBits);
          const at = columns.count;
          columns.subjectNos[at] = subjectNo;
          columns.days[at] = row[0] - subjectNo * dayBits + firstDay;
          columns.numbers[at] = row[1] ?? Number.NaN;
          columns.wordIds[at] = row[2] ?? 0;
          columns.count = at + 1;
        }
      }
    }
    return columns;
  };
}

// The split that the site draws itself: by subject, with its share of holdout in each stratum. Whoever was in a frozen cohort keeps its
// part, so that nobody who was trained on is tested with when data is added; who is new is drawn by the site's key.
import type { SplitSpecification } from '#federation/records/data-elements.ts';
import { derivePseudonym } from '#site/deidentify/index.ts';
import type { Store } from '#site/store/index.ts';
import { joinParts, type Part } from './coded-split.ts';
import type { CohortSubjects } from './cohort-subjects.ts';
import type { Selection } from './selection.ts';
import type { SubjectTable } from './subject-table.ts';

type KeyedSplit = Extract<SplitSpecification, { kind: 'keyed' }>;

/** By subject_no, of those that stand: the part that an earlier cohort of the research study gave it. */
function loadSplit(store: Store, subjects: CohortSubjects, researchStudyId: string): Map<number, Part> {
  const parts = new Map<number, Part>();
  const { query } = store;
  const rows = query
    .selectFrom('split_part')
    .select(['subject_no', 'part'])
    .where('research_study_id', '=', researchStudyId);
  for (const { subject_no: subjectNo, part } of store.all(rows)) {
    // Two who became one may have been in both parts.
    const standingNo = subjects.standingNos[subjectNo] ?? subjectNo;
    parts.set(standingNo, joinParts(parts.get(standingNo), part));
  }
  return parts;
}

export function saveSplit(
  store: Store,
  researchStudyId: string,
  { table, selection: { rows, parts } }: { readonly table: SubjectTable; readonly selection: Selection },
): void {
  const insert = store.prepare(
    'INSERT INTO split_part (research_study_id, subject_no, part) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  );
  for (const row of rows) insert.run(researchStudyId, table.subjectNos[row], parts[row]);
}

export interface SplitCandidate {
  readonly subjectNo: number;
  readonly subjectId: string;
  readonly label: number;
}

export interface SplitOptions {
  readonly split: KeyedSplit;
  readonly subjects: CohortSubjects;
  readonly researchStudyId: string;
  /** 32 bytes; of this research study. */
  readonly key: Uint8Array;
}

/** Gives each candidate its part, by subject_no. */
export function openSplit(
  store: Store,
  { split, subjects, researchStudyId, key }: SplitOptions,
): (candidates: readonly SplitCandidate[]) => ReadonlyMap<number, Part> {
  const known = loadSplit(store, subjects, researchStudyId);
  return (candidates) => {
    const parts = new Map<number, Part>();
    const strata = Map.groupBy(candidates, ({ label }) => (split.stratifyBy === 'label' ? label : 0));
    for (const stratum of strata.values()) drawStratum(stratum, { split, known, key, parts });
    return parts;
  };
}

interface StratumDraw {
  readonly split: KeyedSplit;
  readonly known: ReadonlyMap<number, Part>;
  readonly key: Uint8Array;
  readonly parts: Map<number, Part>;
}

function drawStratum(stratum: readonly SplitCandidate[], { split, known, key, parts }: StratumDraw): void {
  const fresh: { readonly subjectNo: number; readonly draw: string }[] = [];
  let holdoutCount = 0;
  for (const { subjectNo, subjectId } of stratum) {
    const part = known.get(subjectNo);
    if (part === undefined) {
      fresh.push({ subjectNo, draw: derivePseudonym(key, ['consilium-split', subjectId]) });
      continue;
    }
    parts.set(subjectNo, part);
    if (part === 'holdout') holdoutCount += 1;
  }
  fresh.sort((left, right) => (left.draw < right.draw ? -1 : 1));
  const wanted = Math.round((stratum.length * split.holdoutPercent) / 100) - holdoutCount;
  for (const [place, { subjectNo }] of fresh.entries())
    parts.set(subjectNo, place < wanted ? 'holdout' : 'training');
}

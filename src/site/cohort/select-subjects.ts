// Who is in a cohort now, read in one state of the store, which nothing of it changes: for a preview, a report on the data, or a freeze.
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import type { ConsentDecisions, Consents } from '#site/consent/index.ts';
import type { SubjectAges } from '#site/deidentify/index.ts';
import type { Store } from '#site/store/index.ts';
import { highestSubjectNo } from './cohort-subjects.ts';
import { FactThreads, type StoreDoor } from './fact-threads.ts';
import { openSplit } from './keyed-split.ts';
import { type Selection, selectRows } from './selection.ts';
import {
  createSelectionReport,
  describeFeatures,
  type FeatureQuality,
  type SelectionReport,
} from './selection-report.ts';
import { codesOf, readSubjectTable, type SubjectTable } from './subject-table.ts';

export interface SelectionSource {
  readonly store: Store;
  readonly consents: Pick<Consents, 'decisions'>;
  readonly ages: SubjectAges;
  /** 32 bytes; keys the pseudonyms of one research study. */
  readonly pseudonymKey: (researchStudyId: string) => Uint8Array;
  /** How other threads open the store, for a large one; undefined: one thread reads it. */
  readonly door?: StoreDoor | undefined;
  /** Whether `store` is open to be read only, beside the site that writes it. */
  readonly isReader?: boolean;
}

export interface SelectedSubjects {
  readonly table: SubjectTable;
  readonly decisions: ConsentDecisions;
  readonly selection: Selection;
}

export interface CohortPreview {
  readonly researchStudyId: string;
  /** Whether the training part reaches the plan's minimum. */
  readonly meetsMinimum: boolean;
  readonly selection: SelectionReport;
  readonly features: FeatureQuality[];
}

export interface Candidates {
  readonly table: SubjectTable;
  readonly decisions: ConsentDecisions;
  /** Rows of the table. */
  readonly rows: Int32Array;
}

/** Counts with small cells withheld. */
export function readPreview(source: SelectionSource, plan: ResearchStudyPlan): CohortPreview {
  const { researchStudyId, minimumCohort } = plan;
  const { table, selection } = selectSubjects(source, plan);
  return {
    researchStudyId,
    meetsMinimum: selection.trainingCount >= minimumCohort.training,
    selection: createSelectionReport(selection),
    features: describeFeatures(plan.dataElements.features, table, selection.candidateRows),
  };
}

/** Those whom the preview's quality table is about, for a report on their data; call it inside a transaction. */
export function readCandidates(source: SelectionSource, plan: ResearchStudyPlan): Candidates {
  const { table, decisions, selection } = selectSubjects(source, plan);
  return { table, decisions, rows: selection.candidateRows };
}

export function selectSubjects(source: SelectionSource, plan: ResearchStudyPlan): SelectedSubjects {
  const { store, door, isReader = false, pseudonymKey } = source;
  // Made before the transaction: the key has to be durable before anything is derived from it.
  const key = pseudonymKey(plan.researchStudyId);
  // A reader that has its state already cannot have others see the same one.
  const isLate = isReader && store.inTransaction;
  const threads = new FactThreads({
    store,
    door: isLate ? undefined : door,
    codes: codesOf(plan.dataElements),
    subjectCount: highestSubjectNo(store),
    waits: isReader,
  });
  const work = () => selectWith(source, plan, { threads, key });
  try {
    // One transaction: no import or withdrawal comes between the facts and the consents.
    return isReader && !isLate ? threads.readOneState(work) : store.transaction(work);
  } finally {
    threads.close();
  }
}

interface SelectionMeans {
  readonly threads: FactThreads;
  readonly key: Uint8Array;
}

function selectWith(
  { store, consents, ages }: SelectionSource,
  plan: ResearchStudyPlan,
  { threads, key }: SelectionMeans,
): SelectedSubjects {
  const { researchStudyId, dataElements } = plan;
  const { split } = dataElements;
  // Other threads are at work while consents and subjects are read here.
  const decisions = consents.decisions(researchStudyId);
  const table = readSubjectTable({ store, ages, decisions }, plan, threads);
  const drawParts =
    split.kind === 'keyed'
      ? openSplit(store, { split, subjects: table.subjects, researchStudyId, key })
      : undefined;
  return { table, decisions, selection: selectRows({ table, decisions, drawParts }) };
}

// Cohorts of a research study: previewed, frozen with digests, and evaluated again before an update is sealed (C9, C13, C14).
import { toHex } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import type { RoundKind } from '#federation/records/round.ts';
import type { Actor, AuditLog } from '#site/audit/index.ts';
import type { ConsentDecision, Consents } from '#site/consent/index.ts';
import type { SubjectAges } from '#site/deidentify/index.ts';
import type { Store } from '#site/store/index.ts';
import { CohortError } from './cohort-error.ts';
import {
  type CohortDigests,
  digestMembers,
  redigestMembers,
  type SelectedMembers,
  saveMembers,
} from './cohort-members.ts';
import { highestSubjectNo } from './cohort-subjects.ts';
import { FactThreads, type StoreDoor } from './fact-threads.ts';
import { type CohortMatrix, countMissing, readMatrix } from './feature-matrix.ts';
import { openSplit, saveSplit } from './keyed-split.ts';
import { orderMembers, type Selection, selectRows } from './selection.ts';
import {
  createSelectionReport,
  describeFeatures,
  type FeatureQuality,
  type SelectionReport,
} from './selection-report.ts';
import { codesOf, readSubjectTable, type SubjectTable } from './subject-table.ts';
import { suppressCount } from './suppression.ts';

export interface CohortPreview {
  readonly researchStudyId: string;
  /** Whether the training part reaches the plan's minimum. */
  readonly meetsMinimum: boolean;
  readonly selection: SelectionReport;
  readonly features: FeatureQuality[];
}

export interface FrozenCohort {
  readonly cohortId: string;
  /** sha256 of the sorted pseudonyms, one per line. */
  readonly cohortDigest: string;
  readonly consentSnapshotDigest: string;
  /** ISO time; consent was evaluated at this moment. */
  readonly frozenAt: string;
  readonly selection: SelectionReport;
  /** Raw rows of a part, by pseudonym. */
  matrix(part: 'training' | 'holdout'): CohortMatrix;
  /** For each feature, subjects with consent, of either part or left out as incomplete, without a value. */
  missingCounts(): number[];
}

export interface FreezeOptions {
  readonly plan: ResearchStudyPlan;
  readonly round: number;
  readonly kind: RoundKind;
  readonly actor: Actor;
}

export interface Cohorts {
  /** Counts with small cells withheld. Nothing is stored but the audit event. */
  preview(plan: ResearchStudyPlan, actor: Actor): CohortPreview;
  /** Stores the list with its digests. @throws CohortError COHORT_TOO_SMALL, OPT_OUT_LIST_STALE, as an audit event too. */
  freeze(options: FreezeOptions): FrozenCohort;
  /** Digests of a frozen cohort by the consents of this moment; equal to the frozen ones as long as nothing changed (C9). */
  recheck(cohortId: string): CohortDigests;
  /** Rows of whoever is selected now, for an evaluation that stays here. @throws CohortError COHORT_TOO_SMALL. */
  evaluationRows(plan: ResearchStudyPlan): Pick<FrozenCohort, 'matrix'>;
  /** Those whom the preview's quality table is about, for a report on their data; call it inside a transaction. */
  candidates(plan: ResearchStudyPlan): Candidates;
}

export interface Candidates {
  readonly table: SubjectTable;
  readonly decisions: ReadonlyMap<string, ConsentDecision>;
  /** Rows of the table. */
  readonly rows: Int32Array;
}

export interface CohortOptions {
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly consents: Consents;
  readonly ages: SubjectAges;
  /** 32 bytes; keys the pseudonyms of one research study. */
  readonly pseudonymKey: (researchStudyId: string) => Uint8Array;
  /** How other threads open the store, for a large one; undefined: one thread reads it. */
  readonly door?: StoreDoor | undefined;
}

export function openCohorts(options: CohortOptions): Cohorts {
  return {
    preview: (plan, actor) => preview(options, plan, actor),
    freeze: (freezing) => freeze(options, freezing),
    recheck: (cohortId) => recheck(options, cohortId),
    evaluationRows: (plan) => {
      const { table, selection } = select(options, plan);
      refuseTooSmall(selection, { plan, kind: 'evaluation' });
      const members = orderMembers(table, selection, options.pseudonymKey(plan.researchStudyId));
      return { matrix: (part) => readMatrix({ table, selection, members }, part) };
    },
    candidates: (plan) => {
      const { table, decisions, selection } = select(options, plan);
      return { table, decisions, rows: selection.candidateRows };
    },
  };
}

interface Selected {
  readonly table: SubjectTable;
  readonly decisions: ReadonlyMap<string, ConsentDecision>;
  readonly selection: Selection;
}

function select(options: CohortOptions, plan: ResearchStudyPlan): Selected {
  const { store, consents, ages, pseudonymKey, door } = options;
  const { researchStudyId, dataElements } = plan;
  const { split } = dataElements;
  const key = pseudonymKey(researchStudyId);
  // One transaction: no import or withdrawal comes between the facts and the consents.
  return store.transaction(() => {
    // Other threads are at work while consents and subjects are read here.
    const threads = new FactThreads({
      store,
      door,
      codes: codesOf(dataElements),
      subjectCount: highestSubjectNo(store),
    });
    try {
      const decisions = consents.decisions(researchStudyId);
      const table = readSubjectTable({ store, ages, decisions }, plan, threads);
      const drawParts =
        split.kind === 'keyed'
          ? openSplit(store, { split, subjects: table.subjects, researchStudyId, key })
          : undefined;
      return { table, decisions, selection: selectRows({ table, decisions, drawParts }) };
    } finally {
      threads.close();
    }
  });
}

function preview(options: CohortOptions, plan: ResearchStudyPlan, actor: Actor): CohortPreview {
  const { store, auditLog } = options;
  const { researchStudyId, minimumCohort } = plan;
  // Made before the transaction: the key has to be durable before anything is derived from it.
  options.pseudonymKey(researchStudyId);
  return store.transaction(() => {
    const { table, selection } = select(options, plan);
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action: 'cohort-previewed',
      researchStudyId,
      outcome: 'success',
    });
    return {
      researchStudyId,
      meetsMinimum: selection.trainingCount >= minimumCohort.training,
      selection: createSelectionReport(selection),
      features: describeFeatures(plan.dataElements.features, table, selection.candidateRows),
    };
  });
}

function freeze(options: CohortOptions, { plan, round, kind, actor }: FreezeOptions): FrozenCohort {
  const { store, auditLog } = options;
  const { researchStudyId } = plan;
  const event = { actor: actor.name, role: actor.role, researchStudyId, round } as const;
  const key = options.pseudonymKey(researchStudyId);
  try {
    return store.transaction(() => {
      refuseStaleOptOuts(options, plan);
      const selected = select(options, plan);
      const { table, selection } = selected;
      refuseTooSmall(selection, { plan, kind });
      const members = orderMembers(table, selection, key);
      const frozen = storeCohort(store, { ...selected, members, researchStudyId, round });
      if (plan.dataElements.split.kind === 'keyed') saveSplit(store, researchStudyId, selected);
      const { cohortId, cohortDigest, consentSnapshotDigest } = frozen;
      const detail = { cohortDigest, consentSnapshotDigest, kind };
      auditLog.append({
        ...event,
        action: 'cohort-frozen',
        object: `cohort:${cohortId}`,
        outcome: 'success',
        detail,
      });
      return {
        ...frozen,
        matrix: (part) => readMatrix({ table, selection, members }, part),
        missingCounts: () => countMissing(table, selection),
      };
    });
  } catch (error) {
    if (error instanceof CohortError) {
      const { code: reason } = error;
      store.transaction(() =>
        auditLog.append({ ...event, action: 'cohort-refused', outcome: 'refused', reason }),
      );
    }
    throw error;
  }
}

/** Stops a cohort of people who may have objected since the last list came (C6). */
function refuseStaleOptOuts({ consents }: CohortOptions, { optOutLists }: ResearchStudyPlan): void {
  const stale = consents.staleOptOutLists(optOutLists);
  if (stale.length === 0) return;
  throw new CohortError(
    'OPT_OUT_LIST_STALE',
    'An opt-out list that the plan asks for is missing or too old.',
    {
      details: { found: stale.length },
    },
  );
}

/** Stops training on, and numbers about, so few patients that one of them shows (C14, R8). */
function refuseTooSmall(selection: Selection, { plan, kind }: Pick<FreezeOptions, 'plan' | 'kind'>): void {
  const { training, evaluation } = plan.minimumCohort;
  const isEvaluation = kind === 'evaluation';
  const [expected, found] = isEvaluation
    ? [evaluation, selection.holdoutCount]
    : [training, selection.trainingCount];
  if (found >= expected && found > 0) return;
  throw new CohortError('COHORT_TOO_SMALL', 'The cohort has fewer subjects than the plan asks for.', {
    details: { part: isEvaluation ? 'holdout' : 'training', expected, found: suppressCount(found) },
  });
}

interface CohortToStore extends SelectedMembers {
  readonly researchStudyId: string;
  readonly round: number;
}

function storeCohort(store: Store, cohort: CohortToStore): Omit<FrozenCohort, 'matrix' | 'missingCounts'> {
  const selection = createSelectionReport(cohort.selection);
  const cohortId = toHex(systemRandom(16));
  const digests = digestMembers(cohort);
  const frozenAt = isoTime(store.clock.nowMs());
  store.run(
    store.query.insertInto('cohort').values({
      cohort_id: cohortId,
      research_study_id: cohort.researchStudyId,
      round: cohort.round,
      cohort_digest: digests.cohortDigest,
      consent_snapshot_digest: digests.consentSnapshotDigest,
      selection: JSON.stringify(selection),
      frozen_at: frozenAt,
    }),
  );
  saveMembers(store, cohortId, cohort);
  return { cohortId, ...digests, frozenAt, selection };
}

function recheck({ store, consents }: CohortOptions, cohortId: string): CohortDigests {
  return store.transaction(() => {
    const query = store.query.selectFrom('cohort').select('research_study_id');
    const cohort = store.get(query.where('cohort_id', '=', cohortId));
    if (cohort === undefined) throw new CohortError('COHORT_NOT_FOUND', 'There is no such cohort.');
    return redigestMembers(store, cohortId, consents.decisions(cohort.research_study_id));
  });
}

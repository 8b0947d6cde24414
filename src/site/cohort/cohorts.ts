// Cohorts of a research study: frozen with digests, and evaluated again before an update is sealed (C9, C13, C14).
import { toHex } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import type { RoundKind } from '#federation/records/round.ts';
import type { Actor, AuditLog } from '#site/audit/index.ts';
import type { Consents } from '#site/consent/index.ts';
import type { Store } from '#site/store/index.ts';
import { CohortError } from './cohort-error.ts';
import {
  type CohortDigests,
  digestMembers,
  redigestMembers,
  type SelectedMembers,
  saveMembers,
} from './cohort-members.ts';
import { type CohortMatrix, countMissing, type MatrixSource, readMatrix } from './feature-matrix.ts';
import { saveSplit } from './keyed-split.ts';
import { type MemberImages, readMemberImages } from './member-images.ts';
import { orderMembers } from './ordered-members.ts';
import { type SelectionSource, selectSubjects } from './select-subjects.ts';
import type { Selection } from './selection.ts';
import { createSelectionReport, type SelectionReport } from './selection-report.ts';
import { suppressCount } from './suppression.ts';

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
  /** Imaging series of a part's members, by pseudonym; of a plan without images, none. */
  images(part: 'training' | 'holdout'): MemberImages[];
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
  /** Stores the list with its digests. @throws CohortError COHORT_TOO_SMALL, OPT_OUT_LIST_STALE, as an audit event too. */
  freeze(options: FreezeOptions): FrozenCohort;
  /** Digests of a frozen cohort by the consents of this moment; equal to the frozen ones as long as nothing changed (C9). */
  recheck(cohortId: string): CohortDigests;
  /** Rows of whoever is selected now, for an evaluation that stays here. @throws CohortError COHORT_TOO_SMALL. */
  evaluationRows(plan: ResearchStudyPlan): Pick<FrozenCohort, 'matrix' | 'images'>;
}

export interface CohortOptions extends Omit<SelectionSource, 'isReader'> {
  readonly auditLog: AuditLog;
  readonly consents: Pick<Consents, 'decisions' | 'staleOptOutLists'>;
}

export function openCohorts(options: CohortOptions): Cohorts {
  return {
    freeze: (freezing) => freeze(options, freezing),
    recheck: (cohortId) => recheck(options, cohortId),
    evaluationRows: (plan) => {
      const { table, selection } = selectSubjects(options, plan);
      refuseTooSmall(selection, { plan, kind: 'evaluation' });
      const members = orderMembers(table, selection, options.pseudonymKey(plan.researchStudyId));
      return readersOf({ table, selection, members });
    },
  };
}

function freeze(options: CohortOptions, { plan, round, kind, actor }: FreezeOptions): FrozenCohort {
  const { store, auditLog } = options;
  const { researchStudyId } = plan;
  const event = { actor: actor.name, role: actor.role, researchStudyId, round } as const;
  const key = options.pseudonymKey(researchStudyId);
  try {
    return store.transaction(() => {
      refuseStaleOptOuts(options, plan);
      const selected = selectSubjects(options, plan);
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
        ...readersOf({ table, selection, members }),
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

function readersOf(source: MatrixSource): Pick<FrozenCohort, 'matrix' | 'images'> {
  return {
    matrix: (part) => readMatrix(source, part),
    images: (part) => readMemberImages(source, part),
  };
}

interface CohortToStore extends SelectedMembers {
  readonly researchStudyId: string;
  readonly round: number;
}

function storeCohort(
  store: Store,
  cohort: CohortToStore,
): Omit<FrozenCohort, 'matrix' | 'images' | 'missingCounts'> {
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

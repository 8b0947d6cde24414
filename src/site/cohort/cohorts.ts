// Cohorts of a research study: previewed, frozen with digests, and evaluated again before an update is sealed (C9, C13, C14).
import { toHex, utf8 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import type { RoundKind } from '#federation/records/round.ts';
import type { Actor, AuditLog } from '#site/audit/index.ts';
import { type Consents, createConsentSnapshot, noConsent } from '#site/consent/index.ts';
import type { SubjectAges } from '#site/deidentify/index.ts';
import type { Store } from '#site/store/index.ts';
import { CohortError } from './cohort-error.ts';
import { type CohortMatrix, readMatrix } from './feature-matrix.ts';
import { openSplit, saveSplit } from './keyed-split.ts';
import { type Member, type Selection, selectMembers, snapshotEntries } from './selection.ts';
import {
  createSelectionReport,
  describeFeatures,
  type FeatureQuality,
  type SelectionReport,
} from './selection-report.ts';
import { readSubjectTable, type SubjectTable } from './subject-table.ts';
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
}

export interface CohortDigests {
  readonly cohortDigest: string;
  readonly consentSnapshotDigest: string;
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
}

export interface CohortOptions {
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly consents: Consents;
  readonly ages: SubjectAges;
  /** 32 bytes; keys the pseudonyms of one research study. */
  readonly pseudonymKey: (researchStudyId: string) => Uint8Array;
}

export function openCohorts(options: CohortOptions): Cohorts {
  return {
    preview: (plan, actor) => preview(options, plan, actor),
    freeze: (freezing) => freeze(options, freezing),
    recheck: (cohortId) => recheck(options, cohortId),
    evaluationRows: (plan) => {
      const { table, selection } = select(options, plan);
      refuseTooSmall(selection, { plan, kind: 'evaluation' });
      return { matrix: (part) => readMatrix(table, selection.members, part) };
    },
  };
}

function select({ store, consents, ages, pseudonymKey }: CohortOptions, plan: ResearchStudyPlan) {
  const { researchStudyId } = plan;
  const { split } = plan.dataElements;
  const key = pseudonymKey(researchStudyId);
  // One transaction: no import or withdrawal comes between the facts and the consents.
  return store.transaction((): { table: SubjectTable; selection: Selection } => {
    const decisions = consents.decisions(researchStudyId);
    const table = readSubjectTable({ store, ages, decisions }, plan);
    const drawParts =
      split.kind === 'keyed'
        ? openSplit(store, { split, subjects: table.subjects, researchStudyId, key })
        : undefined;
    return { table, selection: selectMembers({ table, decisions, pseudonymKey: key, drawParts }) };
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
  options.pseudonymKey(researchStudyId);
  try {
    return store.transaction(() => {
      refuseStaleOptOuts(options, plan);
      const { table, selection } = select(options, plan);
      refuseTooSmall(selection, { plan, kind });
      const frozen = storeCohort(store, { selection, researchStudyId, round });
      if (plan.dataElements.split.kind === 'keyed') saveSplit(store, researchStudyId, selection.members);
      const { cohortId, cohortDigest, consentSnapshotDigest } = frozen;
      const detail = { cohortDigest, consentSnapshotDigest, kind };
      auditLog.append({
        ...event,
        action: 'cohort-frozen',
        object: `cohort:${cohortId}`,
        outcome: 'success',
        detail,
      });
      return { ...frozen, matrix: (part) => readMatrix(table, selection.members, part) };
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

interface CohortToStore {
  readonly selection: Selection;
  readonly researchStudyId: string;
  readonly round: number;
}

function storeCohort(
  store: Store,
  { selection, researchStudyId, round }: CohortToStore,
): Omit<FrozenCohort, 'matrix'> {
  const { members } = selection;
  const consentOf = new Map(members.map(({ subjectId, consent }) => [subjectId, consent]));
  const snapshot = createConsentSnapshot(
    snapshotEntries(members, (subjectId) => consentOf.get(subjectId) ?? noConsent),
  );
  const report = createSelectionReport(selection);
  const frozen = {
    cohortId: toHex(systemRandom(16)),
    cohortDigest: digestPseudonyms(members),
    consentSnapshotDigest: snapshot.digest,
    frozenAt: isoTime(store.clock.nowMs()),
  };
  const stored: Member[] = members.map(({ subjectId, pseudonym, part, indexDay }) => ({
    subjectId,
    pseudonym,
    part,
    indexDay,
  }));
  store.run(
    store.query.insertInto('cohort').values({
      cohort_id: frozen.cohortId,
      research_study_id: researchStudyId,
      round,
      cohort_digest: frozen.cohortDigest,
      consent_snapshot_digest: snapshot.digest,
      consent_snapshot: snapshot.text,
      members: JSON.stringify(stored),
      selection: JSON.stringify(report),
      frozen_at: frozen.frozenAt,
    }),
  );
  return { ...frozen, selection: report };
}

/** The members come sorted by pseudonym. */
function digestPseudonyms(members: readonly Pick<Member, 'pseudonym'>[]): string {
  return sha256Hex(utf8(members.map(({ pseudonym }) => `${pseudonym}\n`).join('')));
}

function recheck({ store, consents }: CohortOptions, cohortId: string): CohortDigests {
  return store.transaction(() => {
    const row = store.get(store.query.selectFrom('cohort').selectAll().where('cohort_id', '=', cohortId));
    if (row === undefined) throw new CohortError('COHORT_NOT_FOUND', 'There is no such cohort.');
    const members = JSON.parse(row.members) as Member[];
    const decisions = consents.decisions(row.research_study_id);
    const consentOf = (subjectId: string) => decisions.get(subjectId) ?? noConsent;
    const permitted = members.filter(({ subjectId }) => consentOf(subjectId).decision === 'permit');
    return {
      cohortDigest: digestPseudonyms(permitted),
      consentSnapshotDigest: createConsentSnapshot(snapshotEntries(members, consentOf)).digest,
    };
  });
}

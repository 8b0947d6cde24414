// The plans of the research studies this site takes part in: signed by the plan key. The first one that was accepted stays in
// force: a later version waits until a person can agree to it.
import { isoTime } from '#base/clock.ts';
import { findModelContradiction, findUnservedModel } from '#federation/network/plan-contradiction.ts';
import { findPrivacyContradiction } from '#federation/privacy/plan-contradiction.ts';
import { requireSameMeaning } from '#federation/records/plan-successor.ts';
import { type TrustedKeys, verifyRecord } from '#federation/records/record.ts';
import { planRecord, type ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { findStatisticsContradiction } from '#federation/statistics/plan-contradiction.ts';
import type { ResearchStudyTable, Store } from '#site/store/index.ts';
import { AgreementError } from './agreement-error.ts';

export interface AcceptedPlan {
  readonly plan: ResearchStudyPlan;
  /** sha256 of the plan statement's bytes; updates, rounds and models name it. */
  readonly planDigest: string;
}

export interface PlanCheck {
  readonly envelope: Uint8Array;
  readonly trust: TrustedKeys;
  readonly siteId: string;
}

/**
 * Stores a plan in the caller's transaction; false when it is the one that is stored.
 * @throws RecordError; AgreementError NOT_A_PARTICIPANT, PLAN_NOT_SUPPORTED, ROLLBACK, PLAN_CHANGED; PlanError
 * PLAN_INCOMPATIBLE.
 */
export function storePlan(store: Store, check: PlanCheck): AcceptedPlan & { readonly isNew: boolean } {
  const nowMs = store.clock.nowMs();
  const accepted = verifyPlan(check, nowMs);
  const { plan, planDigest } = accepted;
  if (!plan.participants.some(({ siteId }) => siteId === check.siteId)) {
    throw new AgreementError('NOT_A_PARTICIPANT', 'The plan does not name this site as a participant.', {
      details: { expected: check.siteId },
    });
  }
  refuseUnsupported(plan);
  const known = latestRow(store, plan.researchStudyId);
  if (known?.plan_digest === planDigest) return { ...accepted, isNew: false };
  if (known !== undefined) refuseOtherPlan(store, accepted, { known, trust: check.trust });
  const row = {
    research_study_id: plan.researchStudyId,
    plan_version: plan.version,
    plan_digest: planDigest,
    envelope: check.envelope,
    accepted_at: isoTime(nowMs),
  };
  store.run(store.query.insertInto('research_study').values(row));
  return { ...accepted, isNew: true };
}

interface KnownPlan {
  readonly known: ResearchStudyTable;
  readonly trust: TrustedKeys;
}

/** Stops a plan key from lowering the protections that this site took part under, with no person of the hospital involved. */
function refuseOtherPlan(
  store: Store,
  { plan, planDigest }: AcceptedPlan,
  { known, trust }: KnownPlan,
): never {
  const { researchStudyId, version } = plan;
  const details = { researchStudyId, expected: known.plan_version, found: version, planDigest };
  if (version <= known.plan_version) {
    throw new AgreementError('ROLLBACK', 'The plan is not newer than the accepted one.', { details });
  }
  requireSameMeaning(plan, {
    plan: verifyStored(known, trust).plan,
    closedRounds: countClosedRounds(store, researchStudyId),
  });
  throw new AgreementError(
    'PLAN_CHANGED',
    'The consortium changed the plan; nobody at this site has agreed to the change.',
    { details },
  );
}

function countClosedRounds(store: Store, researchStudyId: string): number {
  const rounds = store.query
    .selectFrom('model_in_force')
    .select('round')
    .where('research_study_id', '=', researchStudyId);
  return store.get(rounds.orderBy('round', 'desc').limit(1))?.round ?? 0;
}

function verifyPlan({ envelope, trust }: Omit<PlanCheck, 'siteId'>, atMs: number): AcceptedPlan {
  const { predicate, digest } = verifyRecord(planRecord, envelope, { trust, atMs });
  return { plan: predicate, planDigest: digest };
}

/** Refuses by name what the plan's schema allows but this release would do wrongly. */
function refuseUnsupported(plan: ResearchStudyPlan): void {
  const { features, label } = plan.dataElements;
  // No cohort of this release gives images, so nothing would be trained on them.
  if (plan.imaging !== null) throw unsupported('imaging', null, plan.imaging.modality);
  if (label.kind === 'segmentation')
    throw unsupported('dataElements.label', 'a label from facts', label.kind);
  const contradiction =
    findUnservedModel(plan) ?? findModelContradiction(plan) ?? findPrivacyContradiction(plan);
  if (contradiction !== undefined)
    throw unsupported(contradiction.field, contradiction.expected, contradiction.found);
  if (new Set(features.map(({ name }) => name)).size !== features.length) {
    throw unsupported('dataElements.features', 'different names', 'a repeated name');
  }
  const found = findStatisticsContradiction(plan);
  if (found !== undefined) throw unsupported(found.field, found.expected, found.found);
}

function unsupported(field: string, expected: unknown, found: unknown): AgreementError {
  return new AgreementError('PLAN_NOT_SUPPORTED', 'The plan asks for something this release does not do.', {
    details: { field, expected, found },
  });
}

/** The accepted plan with the highest version. @throws AgreementError PLAN_NOT_ACCEPTED. */
export function loadPlan(store: Store, researchStudyId: string, trust: TrustedKeys): AcceptedPlan {
  const row = latestRow(store, researchStudyId);
  if (row === undefined) {
    throw new AgreementError('PLAN_NOT_ACCEPTED', 'This site has accepted no plan of this research study.', {
      details: { researchStudyId },
    });
  }
  return verifyStored(row, trust);
}

function verifyStored(row: ResearchStudyTable, trust: TrustedKeys): AcceptedPlan {
  return verifyPlan({ envelope: row.envelope, trust }, Date.parse(row.accepted_at));
}

/** Ids of the research studies with an accepted plan, in order. */
export function listPlanIds(store: Store): string[] {
  const query = store.query.selectFrom('research_study').select('research_study_id').distinct();
  return store.all(query.orderBy('research_study_id')).map((row) => row.research_study_id);
}

function latestRow(store: Store, researchStudyId: string): ResearchStudyTable | undefined {
  return store.get(
    store.query
      .selectFrom('research_study')
      .selectAll()
      .where('research_study_id', '=', researchStudyId)
      .orderBy('plan_version', 'desc')
      .limit(1),
  );
}

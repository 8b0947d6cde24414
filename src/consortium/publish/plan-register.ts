// The plans in force: each signed by the plan key, versions without gaps, the first with the model that round 1 starts from.
import { isoTime } from '#base/clock.ts';
import type { SignedTrust } from '#consortium/enrolment/index.ts';
import type { ConsortiumStore, Foundation } from '#consortium/store/index.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { requireSuccessor } from '#federation/records/plan-successor.ts';
import { encodeStatement, signStatement, verifyRecord } from '#federation/records/record.ts';
import { planRecord, type ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { createInitialWeights } from '#federation/tensors/initial-weights.ts';
import { parsePlan } from './check-plan.ts';
import { latestModel, publishModel } from './model-register.ts';
import { PublishError } from './publish-error.ts';

export interface PublishedPlan {
  readonly plan: ResearchStudyPlan;
  /** sha256 of the plan statement's bytes. */
  readonly planDigest: string;
  /** DSSE. */
  readonly envelope: Uint8Array;
}

/** What the operator is told of a publication. */
export interface PlanPublication {
  readonly researchStudyId: string;
  readonly version: number;
  readonly planDigest: string;
  /** The model that the next round starts from. */
  readonly modelDigest: string;
}

/**
 * Signs and publishes a plan, and with its first version the initial model as round 0.
 * @param value the plan as parsed JSON.
 * @throws PublishError NOT_SUPPORTED, BAD_PLAN, PLAN_ROUND_OPEN; PlanError PLAN_VERSION, PLAN_INCOMPATIBLE.
 */
export function publishPlan(foundation: Foundation, trust: SignedTrust, value: unknown): PlanPublication {
  const { store, signers, log } = foundation;
  return store.transaction(() => {
    const publishedAt = isoTime(store.clock.nowMs());
    const plan = parsePlan(value, publishedAt);
    const before = findPlan(store, trust, plan.researchStudyId);
    const model = latestModel(store, plan.researchStudyId);
    refuseWhileRoundIsOpen(store, plan.researchStudyId);
    requireSuccessor(plan, before && { plan: before.plan, closedRounds: model?.round ?? 0 });
    const statement = encodeStatement(planRecord, { predicate: plan });
    const planDigest = sha256Hex(statement);
    const row = {
      research_study_id: plan.researchStudyId,
      plan_version: plan.version,
      plan_digest: planDigest,
      envelope: signStatement(statement, [signers.plan]),
      published_at: publishedAt,
    };
    store.run(store.query.insertInto('research_study').values(row));
    const { researchStudyId, version } = plan;
    const object = `plan:${planDigest}`;
    log.append({
      actor: 'operator',
      action: 'plan-published',
      outcome: 'success',
      object,
      researchStudyId,
      detail: { version },
    });
    const modelDigest = model?.model_digest ?? publishInitialModel(foundation, plan, planDigest);
    return { researchStudyId, version, planDigest, modelDigest };
  });
}

/** A round that is open asks for updates under the plan it was opened with; they could not be counted under another. */
function refuseWhileRoundIsOpen(store: ConsortiumStore, researchStudyId: string): void {
  const rounds = store.query
    .selectFrom('round')
    .select('round')
    .where('research_study_id', '=', researchStudyId);
  const open = store.get(rounds.where('state', '=', 'open'));
  if (open === undefined) return;
  throw new PublishError(
    'PLAN_ROUND_OPEN',
    'A round is open under the plan in force; publish when it is closed.',
    {
      details: { round: open.round },
    },
  );
}

function publishInitialModel(foundation: Foundation, plan: ResearchStudyPlan, planDigest: string): string {
  return publishModel(foundation, {
    researchStudyId: plan.researchStudyId,
    planDigest,
    round: 0,
    attempt: 0,
    remedy: 0,
    kind: 'initial',
    baseModelDigest: null,
    tensors: createInitialWeights(plan.model),
    included: [],
    evaluation: null,
  });
}

/** The plan in force of a research study, verified, or undefined where none was published. */
export function findPlan(
  store: ConsortiumStore,
  trust: SignedTrust,
  researchStudyId: string,
): PublishedPlan | undefined {
  const row = store.get(
    store.query
      .selectFrom('research_study')
      .selectAll()
      .where('research_study_id', '=', researchStudyId)
      .orderBy('plan_version', 'desc')
      .limit(1),
  );
  if (row === undefined) return undefined;
  const { predicate, digest } = verifyRecord(planRecord, row.envelope, {
    trust: trust.keys,
    atMs: Date.parse(row.published_at),
  });
  return { plan: predicate, planDigest: digest, envelope: row.envelope };
}

/** Ids of all research studies, in order. */
export function listResearchStudies(store: ConsortiumStore): string[] {
  const query = store.query.selectFrom('research_study').select('research_study_id').distinct();
  return store.all(query.orderBy('research_study_id')).map((row) => row.research_study_id);
}

/** A version of a plan by its digest, in force or not; undefined where none was published. */
export function findPlanVersion(
  store: ConsortiumStore,
  trust: SignedTrust,
  { researchStudyId, planDigest }: { readonly researchStudyId: string; readonly planDigest: string },
): ResearchStudyPlan | undefined {
  const row = store.get(
    store.query
      .selectFrom('research_study')
      .selectAll()
      .where('research_study_id', '=', researchStudyId)
      .where('plan_digest', '=', planDigest),
  );
  if (row === undefined) return undefined;
  const atMs = Date.parse(row.published_at);
  return verifyRecord(planRecord, row.envelope, { trust: trust.keys, atMs }).predicate;
}

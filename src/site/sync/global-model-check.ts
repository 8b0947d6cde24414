// Verifies a published global model: signature, own digest of the tensors, chain of bases, and what it was made from.
import { sha256Hex } from '#federation/crypto/digest.ts';
import { type GlobalModel, globalModelRecord } from '#federation/records/global-model.ts';
import { type TrustedKeys, type VerifiedRecord, verifyRecord } from '#federation/records/record.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { createInitialWeights } from '#federation/tensors/initial-weights.ts';
import { tensorManifestDigest } from '#federation/tensors/manifest.ts';
import { encodeSafetensors, parseSafetensors } from '#federation/tensors/safetensors.ts';
import type { AcceptedRemedy } from '#site/agreement/index.ts';
import { checkChangedTensors } from './changed-tensors-check.ts';
import { PublishedError } from './published-error.ts';
import { checkPublishedStatistics } from './published-statistics-check.ts';

export interface ModelExpectation {
  readonly researchStudyId: string;
  readonly round: number;
  readonly plan: ResearchStudyPlan;
  /** Digests of the plans this site accepted for the research study, the current one and earlier ones. */
  readonly planDigests: ReadonlySet<string>;
  /** Digest of the model that closed the round before; null for round 0. */
  readonly baseModelDigest: string | null;
  /** All that this site knows. */
  readonly remedies: readonly AcceptedRemedy[];
  /** safetensors of that model; undefined for round 0. */
  readonly base: Uint8Array | undefined;
  /** By attempt of the round, of openings that this site took: the last remedy when it was opened. */
  readonly openedUnder: ReadonlyMap<number, number>;
  readonly siteId: string;
  /** Digest of this site's update statement in each attempt of the round that it sealed. */
  readonly ownUpdates: ReadonlyMap<number, OwnUpdate>;
  /** Whether the consortium names this round as its latest: only that one must not have expired. */
  readonly isLatest: boolean;
  readonly trust: TrustedKeys;
  readonly nowMs: number;
}

export interface OwnUpdate {
  /** sha256 of the update statement's bytes. */
  readonly updateDigest: string;
  /** Whether the consortium signed that it holds it. */
  readonly isReceived: boolean;
  /** Its tensors; undefined where they are erased. */
  readonly payload: Uint8Array | undefined;
}

/**
 * @throws PublishedError MIXUP, WRONG_PLAN, WRONG_REMEDY, EXPIRED, WRONG_BASE, WRONG_MODEL_DIGEST, INCLUSION_MISMATCH; RecordError for
 * what no trusted model key signed; TensorError BAD_TENSORS.
 */
export function verifyGlobalModel(
  envelope: Uint8Array,
  tensors: Uint8Array,
  expected: ModelExpectation,
): VerifiedRecord<GlobalModel> {
  const { trust, nowMs } = expected;
  const record = verifyRecord(globalModelRecord, envelope, { trust, atMs: nowMs });
  checkPlace(record.predicate, expected);
  checkRemedies(record, expected);
  checkInclusion(record.predicate, expected);
  checkTensors(record, tensors, expected);
  return record;
}

/** Stops a true model of another research study, plan or round from being put in this place (E5, E6, E12). */
function checkPlace(model: GlobalModel, expected: ModelExpectation): void {
  if (model.researchStudyId !== expected.researchStudyId || model.round !== expected.round) {
    throw refusal('MIXUP', 'The model is of another research study or round.', {
      expected: { researchStudyId: expected.researchStudyId, round: expected.round },
      found: { researchStudyId: model.researchStudyId, round: model.round },
    });
  }
  const kind = expected.round === 0 ? 'initial' : expected.plan.rounds[expected.round - 1];
  if (model.kind !== kind || !expected.planDigests.has(model.planDigest)) {
    throw refusal('WRONG_PLAN', 'The model was made under another plan than the accepted one.', {
      expected: kind ?? null,
      found: model.kind,
      planDigest: model.planDigest,
    });
  }
  // Stops a model that a remedy has taken back, with the withdrawn patient's share in it, from being served again.
  const { remedies } = expected;
  const isTakenBack = remedies.some(
    ({ number, fromRound }) => number > model.remedy && fromRound <= model.round,
  );
  // The same under a newer number: what an attempt received belongs to the time that it was opened in.
  const openedUnder = expected.openedUnder.get(model.attempt) ?? model.remedy;
  if (isTakenBack || model.remedy > remedies.length || model.remedy !== openedUnder) {
    throw refusal('WRONG_REMEDY', 'The model is of before or after another remedy.', {
      expected: remedies.length,
      found: model.remedy,
    });
  }
  // Stops the consortium from freezing a site at an old model.
  if (expected.isLatest && Date.parse(model.expires) <= expected.nowMs) {
    throw refusal('EXPIRED', 'The latest model has expired.', { expires: model.expires });
  }
  if (model.baseModelDigest !== expected.baseModelDigest) {
    throw refusal('WRONG_BASE', 'The model does not continue the model of the round before.', {
      expected: expected.baseModelDigest,
      found: model.baseModelDigest,
    });
  }
}

/** Stops one site from being sent back to another model than the others, where the remedy was here before the model. */
function checkRemedies(
  { predicate: model, subjectDigest }: VerifiedRecord<GlobalModel>,
  { remedies }: ModelExpectation,
): void {
  const other = remedies.find(
    ({ number, fromRound, modelDigest }) =>
      number > model.remedy && fromRound === model.round + 1 && modelDigest !== subjectDigest,
  );
  if (other === undefined) return;
  throw refusal('WRONG_BASE', 'A remedy went back to another model of this round.', {
    expected: other.modelDigest,
    found: subjectDigest,
  });
}

function checkTensors(
  record: VerifiedRecord<GlobalModel>,
  bytes: Uint8Array,
  expected: ModelExpectation,
): void {
  const found = sha256Hex(bytes);
  if (found !== record.subjectDigest) throw wrongDigest(record.subjectDigest, found);
  const tensors = parseSafetensors(bytes, { maxBytes: bytes.length });
  const manifest = tensorManifestDigest(tensors);
  if (manifest !== record.predicate.tensorManifestDigest) {
    throw wrongDigest(record.predicate.tensorManifestDigest, manifest);
  }
  const { plan, siteId, ownUpdates, base } = expected;
  checkChangedTensors(record.predicate.kind, tensors, base);
  const ownPayload = ownUpdates.get(record.predicate.attempt)?.payload;
  checkPublishedStatistics(record.predicate, tensors, { plan, siteId, ownPayload });
  // What this site can compute alone, it does: the first model follows from the plan, and evaluation changes nothing.
  if (record.predicate.kind === 'initial') {
    const initial = sha256Hex(encodeSafetensors(createInitialWeights(expected.plan.model)));
    if (initial !== found) throw wrongDigest(initial, found);
  }
  if (record.predicate.kind === 'evaluation' && found !== expected.baseModelDigest) {
    throw wrongDigest(expected.baseModelDigest, found);
  }
}

function wrongDigest(expected: string | null, found: string): PublishedError {
  return refusal('WRONG_MODEL_DIGEST', 'The tensors are not those that the signed model names.', {
    expected,
    found,
  });
}

/** Stops the consortium from leaving out an update it has receipted, exchanging it, or counting one twice (E14). */
function checkInclusion(model: GlobalModel, expected: ModelExpectation): void {
  const siteIds = model.included.map(({ siteId }) => siteId);
  const participants = new Set(expected.plan.participants.map(({ siteId }) => siteId));
  const isOrdered = siteIds.every((siteId, index) => index === 0 || (siteIds[index - 1] ?? '') < siteId);
  if (!isOrdered || siteIds.some((siteId) => !participants.has(siteId))) {
    throw refusal('INCLUSION_MISMATCH', 'The model includes a site twice, or one that takes no part.', {
      found: siteIds,
    });
  }
  if ((model.kind === 'initial') !== (siteIds.length === 0)) {
    throw refusal('INCLUSION_MISMATCH', 'Only the initial model is made from no updates.', {
      found: siteIds.length,
    });
  }
  checkWeights(model);
  checkOwnUpdate(model, expected);
}

function checkOwnUpdate(model: GlobalModel, expected: ModelExpectation): void {
  const listed = model.included.find(({ siteId }) => siteId === expected.siteId);
  const own = expected.ownUpdates.get(model.attempt);
  const isMissing = listed === undefined && own?.isReceived === true;
  const isForeign = listed !== undefined && listed.updateDigest !== own?.updateDigest;
  if (!isMissing && !isForeign) return;
  throw refusal(
    'INCLUSION_MISMATCH',
    "The model lacks this site's update, or lists one that this site did not send.",
    {
      expected: own?.updateDigest ?? null,
      found: listed?.updateDigest ?? null,
    },
  );
}

/** Stops a site's weight from being inflated beside what the plan's rule gives it. */
function checkWeights(model: GlobalModel): void {
  const total = model.included.reduce((sum, { exampleCount }) => sum + exampleCount, 0);
  for (const { siteId, exampleCount, weight } of model.included) {
    const expected = exampleCount / total;
    if (Math.abs(weight - expected) <= 1e-12) continue;
    throw refusal('INCLUSION_MISMATCH', 'A weight is not the share of examples.', {
      siteId,
      expected,
      found: weight,
    });
  }
}

function refusal(
  code:
    | 'EXPIRED'
    | 'INCLUSION_MISMATCH'
    | 'MIXUP'
    | 'WRONG_BASE'
    | 'WRONG_MODEL_DIGEST'
    | 'WRONG_PLAN'
    | 'WRONG_REMEDY',
  message: string,
  details: Readonly<Record<string, unknown>>,
): PublishedError {
  return new PublishedError(code, message, { details });
}

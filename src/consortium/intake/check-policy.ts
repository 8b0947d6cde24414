// Whether an update keeps the plan's limits: kind, minimum cohort, clock, expiry, size, norm, tensors (security.md E16, E17, R1).
import { isoTime } from '#base/clock.ts';
import { aggregateRound } from '#federation/aggregation/aggregate-round.ts';
import type { Approval } from '#federation/records/approval.ts';
import type { ModelUpdate, UpdateKind } from '#federation/records/model-update.ts';
import type { RoundKind } from '#federation/records/round.ts';
import { l2Norm } from '#federation/tensors/delta.ts';
import { tensorManifestDigest } from '#federation/tensors/manifest.ts';
import { parseSafetensors } from '#federation/tensors/safetensors.ts';
import type { OpenPlace } from './check-place.ts';
import { refusal } from './intake-error.ts';

const kindOfRound: Readonly<Record<RoundKind, UpdateKind>> = {
  training: 'delta',
  statistics: 'statistics',
  evaluation: 'evaluation',
};

export interface PolicyCheck extends OpenPlace {
  readonly update: ModelUpdate;
  readonly approvals: readonly Approval[];
  readonly payload: Uint8Array;
  /** safetensors of the round's base model. */
  readonly base: Uint8Array;
  readonly nowMs: number;
}

/** @throws IntakeError OUT_OF_POLICY, BAD_TENSORS; TensorError BAD_TENSORS. */
export function verifyPolicy(check: PolicyCheck): void {
  const { update, opening } = check;
  const expected = kindOfRound[opening.kind];
  if (update.updateKind !== expected) {
    throw refusal('OUT_OF_POLICY', 'updateKind', { expected, found: update.updateKind });
  }
  verifyMinimumCohort(check);
  verifyClock(check);
  verifyTensors(check);
}

/** A sum over few people tells too much about each of them (C14). */
function verifyMinimumCohort({ update, opening, published: { plan } }: PolicyCheck): void {
  const { training, evaluation } = plan.minimumCohort;
  const minimum = opening.kind === 'evaluation' ? evaluation : training;
  for (const field of ['patientCount', 'exampleCount'] as const) {
    if (update[field] < minimum)
      throw refusal('OUT_OF_POLICY', field, { expected: minimum, found: update[field] });
  }
  // Each patient of the cohort has an example at least: more patients than examples hide a cohort that is too small.
  const { patientCount: found, exampleCount: expected } = update;
  if (found > expected) throw refusal('OUT_OF_POLICY', 'patientCount', { expected, found });
}

/** A statement dated outside of its round was not made for it, or its site's clock cannot be relied on. */
function verifyClock({ update, approvals, opening, nowMs, published: { plan } }: PolicyCheck): void {
  const { maxClockSkewMs: skewMs } = plan.limits;
  const earliest = Date.parse(opening.opensAt) - skewMs;
  const latest = nowMs + skewMs;
  const requireBetween = (field: string, time: string, fromMs: number): void => {
    const atMs = Date.parse(time);
    if (atMs >= fromMs && atMs <= latest) return;
    throw refusal('OUT_OF_POLICY', field, {
      expected: [isoTime(Math.max(fromMs, 0)), isoTime(latest)],
      found: time,
    });
  };
  requireBetween('trainedFrom', update.trainedFrom, earliest);
  requireBetween('trainedAt', update.trainedAt, Date.parse(update.trainedFrom));
  // Consent is evaluated when the round's cohort is frozen, not once for all rounds (C9).
  requireBetween('consentEvaluatedAt', update.consentEvaluatedAt, earliest);
  for (const { decidedAt } of approvals)
    requireBetween('approval.decidedAt', decidedAt, Date.parse(update.trainedAt) - skewMs);
  if (Date.parse(update.expires) <= nowMs) {
    throw refusal('OUT_OF_POLICY', 'expires', { expected: isoTime(nowMs), found: update.expires });
  }
}

function verifyTensors({ update, payload, base, opening, published: { plan } }: PolicyCheck): void {
  const { maxUpdateBytes, maxUpdateNorm } = plan.limits;
  if (payload.length > maxUpdateBytes) {
    throw refusal('OUT_OF_POLICY', 'maxUpdateBytes', { expected: maxUpdateBytes, found: payload.length });
  }
  const tensors = parseSafetensors(payload, { maxBytes: maxUpdateBytes });
  const manifestDigest = tensorManifestDigest(tensors);
  if (manifestDigest !== update.tensorManifestDigest) {
    throw refusal('BAD_TENSORS', 'tensorManifestDigest', {
      expected: manifestDigest,
      found: update.tensorManifestDigest,
    });
  }
  // Summed alone against the base: what would make the whole round fail when it closes (other tensors, counts that are not the
  // statement's, sums that no data have) is refused here, in its sender's name.
  const { siteId, exampleCount } = update;
  aggregateRound({
    kind: opening.kind,
    base: parseSafetensors(base, { maxBytes: base.length }),
    updates: [{ siteId, exampleCount, payload: tensors }],
    plan,
  });
  if (opening.kind !== 'training') return;
  // Bounds what one site can do to the model (R1, model poisoning by a scaled update).
  const norm = l2Norm(tensors);
  if (norm > maxUpdateNorm)
    throw refusal('OUT_OF_POLICY', 'maxUpdateNorm', { expected: maxUpdateNorm, found: norm });
}

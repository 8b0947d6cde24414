// What a steward reads before deciding: exactly which bytes would leave, from how many patients, and what does not protect them.
import { fromUtf8 } from '#base/bytes.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { encodeCanonicalJson } from '#federation/records/canonical-json.ts';
import type { ModelUpdate } from '#federation/records/model-update.ts';
import { WARN_ABOVE_EPSILON } from '#federation/records/privacy-plan.ts';
import type { PrivacyStatement } from '#federation/records/privacy-statement.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import type { RoundKind } from '#federation/records/round.ts';
import { largestMagnitude, tensorL2Norm } from '#federation/tensors/delta.ts';
import { sortedNames, type TensorMap } from '#federation/tensors/tensor.ts';
import type { SelectionReport } from '#site/cohort/index.ts';
import type { Payload } from './payload.ts';
import { type ReportedStatistics, reportStatistics } from './reported-statistics.ts';

/** The same shape as `disclosureReport` of the site contract. */
export interface DisclosureReport {
  readonly researchStudyId: string;
  /** The plan that the update was made under; digest of its statement. */
  readonly plan: { readonly version: number; readonly digest: string };
  readonly round: number;
  readonly roundKind: RoundKind;
  readonly siteId: string;
  /** sha256 of the update statement that an approval binds. */
  readonly updateDigest: string;
  readonly payloadDigest: string;
  readonly payloadBytes: number;
  readonly tensors: readonly TensorReport[];
  /** In a statistics round: every number of it that would leave. */
  readonly statistics: ReportedStatistics | null;
  readonly l2Norm: number;
  readonly maxUpdateNorm: number;
  readonly exampleCount: number;
  readonly patientCount: number;
  readonly cohortDigest: string;
  readonly consent: { readonly evaluatedAt: string; readonly snapshotDigest: string };
  readonly selection: SelectionReport;
  readonly metrics: { readonly lossBefore: number | null; readonly lossAfter: number | null };
  readonly notices: readonly Notice[];
  /** What this round and all so far cost each patient; absent where the plan has no differential privacy or nothing was trained. */
  readonly privacy?: PrivacyReport;
  readonly sinceLast: SinceLast | null;
  readonly recipient: { readonly keyId: string; readonly consortium: string };
}

export interface TensorReport {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly l2Norm: number;
  readonly largest: number;
}

/** Epsilon is never told without the three that give it a meaning. */
export interface PrivacyReport
  extends Pick<
    PrivacyStatement,
    'unit' | 'adjacency' | 'delta' | 'accountant' | 'epsilonThisRound' | 'epsilonTotal'
  > {
  readonly epsilonBudget: number;
  /** Above what the plan, or the field, calls a strong promise. */
  readonly isAboveWarning: boolean;
}

/** What protection is not there. */
export type Notice = 'no-differential-privacy' | 'no-secure-aggregation';

/** Against this site's last update of the same kind that the consortium holds. */
export interface SinceLast {
  readonly round: number;
  readonly exampleCountChanged: boolean;
  readonly l2NormRatio: number;
}

export interface ReportSource {
  readonly update: ModelUpdate;
  readonly updateDigest: string;
  readonly plan: ResearchStudyPlan;
  readonly kind: RoundKind;
  readonly payload: Payload;
  readonly selection: SelectionReport;
  readonly previous: DisclosureReport | undefined;
  /** Printed name of the consortium. */
  readonly consortium: string;
}

export function createDisclosureReport(source: ReportSource): DisclosureReport {
  const { update, plan, payload, previous } = source;
  return {
    researchStudyId: update.researchStudyId,
    plan: { version: plan.version, digest: update.planDigest },
    round: update.round,
    roundKind: source.kind,
    siteId: update.siteId,
    updateDigest: source.updateDigest,
    payloadDigest: sha256Hex(payload.bytes),
    payloadBytes: payload.bytes.length,
    tensors: describeTensors(payload.tensors),
    statistics: source.kind === 'statistics' ? reportStatistics(plan, payload.tensors) : null,
    l2Norm: payload.l2Norm,
    maxUpdateNorm: plan.limits.maxUpdateNorm,
    exampleCount: update.exampleCount,
    patientCount: update.patientCount,
    cohortDigest: update.cohortDigest,
    consent: { evaluatedAt: update.consentEvaluatedAt, snapshotDigest: update.consentSnapshotDigest },
    selection: source.selection,
    metrics: { lossBefore: update.metrics.before, lossAfter: update.metrics.after },
    notices: noticesOf(plan),
    ...(update.privacy === null ? {} : { privacy: reportPrivacy(update.privacy, plan) }),
    sinceLast: previous === undefined ? null : compare(update.exampleCount, payload.l2Norm, previous),
    recipient: { keyId: update.recipientKeyId, consortium: source.consortium },
  };
}

/** RFC 8785 JSON and its sha256: what is stored, shown and signed for. */
export function encodeReport(report: DisclosureReport): { readonly text: string; readonly digest: string } {
  const bytes = encodeCanonicalJson(report);
  return { text: fromUtf8(bytes), digest: sha256Hex(bytes) };
}

function describeTensors(tensors: TensorMap): TensorReport[] {
  return sortedNames(tensors).flatMap((name) => {
    const tensor = tensors.get(name);
    if (tensor === undefined) return [];
    const dtype = tensor.data instanceof Float64Array ? 'F64' : 'F32';
    return [
      {
        name,
        dtype,
        shape: [...tensor.shape],
        l2Norm: tensorL2Norm(tensor),
        largest: largestMagnitude(tensor),
      },
    ];
  });
}

function reportPrivacy(stated: PrivacyStatement, { privacy }: ResearchStudyPlan): PrivacyReport {
  const { unit, adjacency, delta, accountant, epsilonThisRound, epsilonTotal } = stated;
  const epsilonBudget = privacy?.epsilonBudget ?? 0;
  const isAboveWarning = epsilonTotal > (privacy?.warnAboveEpsilon ?? WARN_ABOVE_EPSILON);
  return {
    unit,
    adjacency,
    delta,
    accountant,
    epsilonThisRound,
    epsilonTotal,
    epsilonBudget,
    isAboveWarning,
  };
}

function noticesOf(plan: ResearchStudyPlan): Notice[] {
  const notices: Notice[] = [];
  if (plan.privacy === null) notices.push('no-differential-privacy');
  if (plan.secureAggregation === null) notices.push('no-secure-aggregation');
  return notices;
}

function compare(exampleCount: number, norm: number, previous: DisclosureReport): SinceLast {
  return {
    round: previous.round,
    exampleCountChanged: exampleCount !== previous.exampleCount,
    l2NormRatio: previous.l2Norm === 0 ? 0 : norm / previous.l2Norm,
  };
}

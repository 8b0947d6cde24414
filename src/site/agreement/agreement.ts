// What this site agreed to: whose keys it trusts, which plans it takes part in, which round is open. What is refused is logged.
import { CodedError } from '#base/coded-error.ts';
import type { TrustedKeys } from '#federation/records/record.ts';
import type { Remedy } from '#federation/records/remedy.ts';
import type { RoundOpening } from '#federation/records/round.ts';
import type { Actor, AuditAction, AuditEvent, AuditLog, Json } from '#site/audit/index.ts';
import type { Store } from '#site/store/index.ts';
import {
  type ConsortiumSettings,
  loadConsortiumSettings,
  requireConsortiumSettings,
  saveConsortiumSettings,
} from './consortium-settings.ts';
import { type AcceptedPlan, listPlanIds, loadPlan, storePlan } from './plan.ts';
import { type AcceptedRemedy, listRemedies, storeRemedy } from './remedy.ts';
import { loadOpenRound, type RoundCheck, storeRound } from './round.ts';
import { loadLatestTrustList, loadTrustList, storeTrustList } from './trust.ts';

export interface Agreement {
  /** What enrolment fixed, undefined before it. */
  settings(): ConsortiumSettings | undefined;
  /** @throws AgreementError NOT_ENROLLED. */
  requireSettings(): ConsortiumSettings;
  /** Records an enrolment: settings and first trust list in one transaction. @throws as `acceptTrustList`, ALREADY_ENROLLED. */
  recordEnrolment(settings: ConsortiumSettings, trustList: Uint8Array, actor: Actor): void;
  /** Gives whether the list is new. @throws RecordError; AgreementError EXPIRED, NOT_ENROLLED, ROLLBACK. */
  acceptTrustList(envelope: Uint8Array, actor: Actor): boolean;
  /** Gives whether the plan is new. @throws RecordError; AgreementError, PlanError as `storePlan`. */
  acceptPlan(envelope: Uint8Array, actor: Actor): AcceptedPlan & { readonly isNew: boolean };
  /** Gives whether the opening is new. @throws RecordError; AgreementError with one of the codes of a round. */
  acceptRound(envelope: Uint8Array, actor: Actor): { readonly round: RoundOpening; readonly isNew: boolean };
  /** Takes back what a remedy takes back. @throws RecordError; AgreementError as `storeRemedy`. */
  acceptRemedy(envelope: Uint8Array, actor: Actor): Remedy;
  /** All remedies of a research study, in order; their numbers have no gaps. */
  remedies(researchStudyId: string): AcceptedRemedy[];
  /** Keys of the accepted trust list. @throws AgreementError NOT_ENROLLED, EXPIRED. */
  trustedKeys(): TrustedKeys;
  /** @throws AgreementError PLAN_NOT_ACCEPTED, NOT_ENROLLED. */
  currentPlan(researchStudyId: string): AcceptedPlan;
  /** The current plan of every research study, by id. Empty before enrolment. */
  listResearchStudies(): AcceptedPlan[];
  /** The round that asks this site now, checked again, or undefined. Its base model may still have to be fetched. */
  openRound(researchStudyId: string): RoundOpening | undefined;
}

export interface AgreementOptions {
  readonly store: Store;
  readonly auditLog: AuditLog;
}

export function openAgreement(options: AgreementOptions): Agreement {
  const { store } = options;
  const rootKey = (): string => requireConsortiumSettings(store).rootPublicKey;
  const trustedKeys = (): TrustedKeys => loadTrustList(store, rootKey()).trust;
  // An expired list stops every round and every seal, not the reading of what was agreed.
  const currentPlan = (researchStudyId: string): AcceptedPlan =>
    loadPlan(store, researchStudyId, loadLatestTrustList(store, rootKey()).trust);
  const roundCheck = (): Omit<RoundCheck, 'envelope'> => ({
    trust: trustedKeys(),
    siteId: requireConsortiumSettings(store).siteId,
    planOf: currentPlan,
  });
  return {
    settings: () => loadConsortiumSettings(store),
    requireSettings: () => requireConsortiumSettings(store),
    recordEnrolment: (settings, trustList, actor) => recordEnrolment(options, { settings, trustList, actor }),
    acceptTrustList: (envelope, actor) => acceptTrustList(options, envelope, actor),
    acceptPlan: (envelope, actor) => {
      const siteId = requireConsortiumSettings(store).siteId;
      return logged(options, { actor, accepted: 'plan-accepted', refused: 'plan-refused' }, () => {
        const stored = storePlan(store, { envelope, trust: trustedKeys(), siteId });
        const { researchStudyId, version } = stored.plan;
        return {
          result: stored,
          event: { researchStudyId, object: `plan:${stored.planDigest}`, detail: { version } },
        };
      });
    },
    acceptRound: (envelope, actor) =>
      logged(options, { actor, accepted: 'round-received', refused: 'round-refused' }, () => {
        const stored = storeRound(store, { ...roundCheck(), envelope });
        const { researchStudyId, round, attempt, kind } = stored.round;
        return { result: stored, event: { researchStudyId, round, detail: { attempt, kind } } };
      }),
    acceptRemedy: (envelope, actor) =>
      logged(options, { actor, accepted: 'remedy-accepted', refused: 'remedy-refused' }, () => {
        const check = { envelope, trust: trustedKeys(), planOf: currentPlan };
        const remedy = storeRemedy(store, check);
        const { researchStudyId, number, kind, fromRound: round } = remedy;
        return {
          result: { remedy, isNew: true },
          event: { researchStudyId, round, detail: { number, kind } },
        };
      }).remedy,
    remedies: (researchStudyId) => listRemedies(store, researchStudyId),
    trustedKeys,
    currentPlan,
    listResearchStudies: () => listPlanIds(store).map(currentPlan),
    openRound: (researchStudyId) => loadOpenRound(store, researchStudyId, roundCheck()),
  };
}

interface Enrolment {
  readonly settings: ConsortiumSettings;
  readonly trustList: Uint8Array;
  readonly actor: Actor;
}

function recordEnrolment(options: AgreementOptions, { settings, trustList, actor }: Enrolment): void {
  const { store, auditLog } = options;
  const names = { actor, accepted: 'enrolled', refused: 'enrolment-refused' } as const;
  logged(options, names, () => {
    saveConsortiumSettings(store, settings);
    const stored = storeTrustList(store, trustList, settings.rootPublicKey);
    const version = stored?.list.version ?? null;
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action: 'trust-list-accepted',
      outcome: 'success',
      detail: { version },
    });
    const { siteId, certificateDigest, consortium } = settings;
    return {
      result: { isNew: true },
      event: { object: `site:${siteId}`, detail: { consortium, certificateDigest } },
    };
  });
}

function acceptTrustList(options: AgreementOptions, envelope: Uint8Array, actor: Actor): boolean {
  const { rootPublicKey } = requireConsortiumSettings(options.store);
  const names = { actor, accepted: 'trust-list-accepted', refused: 'trust-list-refused' } as const;
  return logged(options, names, () => {
    const stored = storeTrustList(options.store, envelope, rootPublicKey);
    const isNew = stored !== undefined;
    return {
      result: { isNew },
      event: { detail: { version: stored?.list.version ?? null, digest: stored?.digest ?? null } },
    };
  }).isNew;
}

interface Names {
  readonly actor: Actor;
  readonly accepted: AuditAction;
  readonly refused: AuditAction;
}

interface Accepted<Result> {
  readonly result: Result;
  readonly event: Omit<AuditEvent, 'actor' | 'role' | 'action' | 'outcome'>;
}

/** Runs `work` in one transaction with its audit event; a refusal leaves its code in the log and nothing else. */
function logged<Result extends { readonly isNew: boolean }>(
  { store, auditLog }: AgreementOptions,
  { actor, accepted, refused }: Names,
  work: () => Accepted<Result>,
): Result {
  const by = { actor: actor.name, role: actor.role };
  try {
    return store.transaction(() => {
      const { result, event } = work();
      // A record that was here before is no event.
      if (result.isNew) auditLog.append({ ...by, ...event, action: accepted, outcome: 'success' });
      return result;
    });
  } catch (error) {
    if (error instanceof CodedError && error.code !== 'BUG') {
      const { code, details } = error;
      store.transaction(() =>
        auditLog.append({
          ...by,
          action: refused,
          outcome: 'refused',
          reason: code,
          detail: details as Json,
        }),
      );
    }
    throw error;
  }
}

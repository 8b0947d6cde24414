// Accounting of disclosures for one patient (45 CFR 164.528; security.md A9): which updates that were made with the patient's record left
// the hospital, to whom, when and why, and who approved that. Reading it is itself in the audit log.
import { approvalRecord } from '#federation/records/approval.ts';
import { parseEnvelope } from '#federation/records/envelope.ts';
import { modelUpdateRecord } from '#federation/records/model-update.ts';
import { planRecord } from '#federation/records/research-study-plan.ts';
import { parseStatement } from '#federation/records/statement.ts';
import type { Agreement } from '#site/agreement/index.ts';
import type { Actor, AuditLog } from '#site/audit/index.ts';
import { identitiesOf, patientOf } from '#site/deidentify/index.ts';
import type { Store } from '#site/store/index.ts';
import { SiteError } from './site-error.ts';

/** Why an auditor asks for the name; a closed list, so that the log holds no free words about a patient. */
export const nameReasons = ['patient-request', 'complaint', 'incident', 'inspection'] as const;
export type NameReason = (typeof nameReasons)[number];

export interface Disclosure {
  /** ISO time at which it was first offered to the recipient. */
  readonly sentAt: string;
  /** ISO time of the recipient's receipt; null: it may have arrived. */
  readonly receivedAt: string | null;
  readonly recipient: { readonly name: string; readonly address: string; readonly keyId: string };
  readonly update: {
    readonly updateId: string;
    readonly kind: string;
    readonly round: number;
    readonly attempt: number;
    /** To which part of the cohort the patient belonged. */
    readonly part: 'training' | 'holdout';
    readonly exampleCount: number;
    readonly patientCount: number;
  };
  readonly purpose: {
    readonly researchStudyId: string;
    readonly title: string;
    readonly purposes: readonly string[];
    readonly legalBasis: string;
    readonly ethicsNumber: string | null;
    readonly planVersion: number;
    readonly planDigest: string;
  };
  /** 21 CFR 11.50: printed name, time and meaning, wherever the record is shown. */
  readonly approval: {
    readonly person: string;
    readonly decidedAt: string;
    readonly meaning: string;
    readonly reportDigest: string;
  } | null;
  /** Which consent permitted it; null where none did, or where a withdrawal erased which it was. */
  readonly consent: { readonly consentId: string; readonly version: number } | null;
}

export interface DisclosureAccount {
  readonly subjectId: string;
  /** null for callers who may not see names, and for a patient whose name was erased. */
  readonly patient: { readonly name: string | null; readonly identifier: string } | null;
  /** Oldest first. */
  readonly disclosures: Disclosure[];
}

export interface DisclosureStages {
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly agreement: Agreement;
  /** 32 bytes; opens the patient's name for those who may see it. */
  readonly linkageKey: Uint8Array;
}

export interface DisclosureOrder {
  readonly subjectId: string;
  /** An auditor sees the name by a reason that is logged. */
  readonly nameReason: NameReason | null;
}

/** @throws SiteError SUBJECT_UNKNOWN. */
export function accountDisclosures(
  stages: DisclosureStages,
  { subjectId, nameReason }: DisclosureOrder,
  actor: Actor,
): DisclosureAccount {
  const { store, auditLog, linkageKey } = stages;
  return store.transaction(() => {
    const subjectNos = identitiesOf(store, subjectId);
    if (subjectNos.length === 0)
      throw new SiteError('SUBJECT_UNKNOWN', 'There is no such subject at this site.');
    const disclosures = subjectNos
      .flatMap((subjectNo) => sentUpdates(store, subjectNo))
      .map((sent) => describe(stages, sent))
      .toSorted((left, right) => compareTexts(left.sentAt, right.sentAt));
    const found = maySeeName(actor, nameReason) ? patientOf(store, linkageKey, subjectId) : undefined;
    const patient =
      found === undefined || found.identifier === ''
        ? null
        : { name: found.name, identifier: found.identifier };
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action: 'disclosures-shown',
      object: `subject:${subjectId}`,
      outcome: 'success',
      detail: { disclosureCount: disclosures.length, isNameShown: patient !== null, nameReason },
    });
    return { subjectId, patient, disclosures };
  });
}

/** security.md section 0: a data steward, logged; an auditor only by a logged reason. */
function maySeeName({ role }: Actor, nameReason: NameReason | null): boolean {
  return role === 'steward' || (role === 'auditor' && nameReason !== null);
}

interface SentUpdate {
  readonly updateId: string;
  readonly envelope: Uint8Array;
  readonly sealedAt: string | null;
  readonly receivedAt: string | null;
  readonly part: 'training' | 'holdout';
  readonly consentId: string | null;
  readonly consentVersion: number | null;
}

const sentColumns = `update_id AS updateId, model_update.envelope AS envelope, sealed_at AS sealedAt, received_at AS receivedAt`;
const hasLeft = `(attempt_count > 0 OR model_update.state = 'received')`;

/** Updates that left, made of a cohort that the subject is in, or was in until a withdrawal took it out. */
function sentUpdates(store: Store, subjectNo: number): SentUpdate[] {
  const asMember = store.prepare(
    `SELECT ${sentColumns}, part, consent_id AS consentId, consent_version AS consentVersion
    FROM cohort_member JOIN training_run USING (cohort_id) JOIN model_update USING (run_id) LEFT JOIN outbox USING (update_id)
    WHERE subject_no = ? AND ${hasLeft}`,
  );
  const untilErased = store.prepare(
    `SELECT ${sentColumns}, part, NULL AS consentId, NULL AS consentVersion
    FROM erased_member JOIN model_update USING (research_study_id, round) LEFT JOIN outbox USING (update_id)
    WHERE subject_no = ? AND departure <> 'never' AND built_at <= erased_at AND ${hasLeft}`,
  );
  return [asMember, untilErased].flatMap((statement) => statement.all(subjectNo) as SentUpdate[]);
}

function describe({ store, agreement }: DisclosureStages, sent: SentUpdate): Disclosure {
  const update = parseStatement(modelUpdateRecord, parseEnvelope(sent.envelope).payload).predicate;
  const { consortium, url } = agreement.requireSettings();
  const { consentId, consentVersion, part } = sent;
  return {
    sentAt: sentAtOf(store, sent) ?? sent.sealedAt ?? update.trainedAt,
    receivedAt: sent.receivedAt,
    recipient: { name: consortium, address: url, keyId: update.recipientKeyId },
    update: {
      updateId: sent.updateId,
      kind: update.updateKind,
      round: update.round,
      attempt: update.attempt,
      part,
      exampleCount: update.exampleCount,
      patientCount: update.patientCount,
    },
    purpose: purposeOf(store, update),
    approval: approvalOf(store, sent.updateId),
    consent: consentId === null || consentVersion === null ? null : { consentId, version: consentVersion },
  };
}

/** By the audit log, where it stands when the update was first offered. */
function sentAtOf(store: Store, { updateId }: SentUpdate): string | undefined {
  const time = store.prepareColumn(
    `SELECT line ->> '$.time' FROM audit_leaf
    WHERE json_extract(line, '$.action') = 'update-sent' AND line ->> '$.object' = ? ORDER BY seq LIMIT 1`,
  );
  return time.get(`update:${updateId}`) as string | undefined;
}

/** The plan under which it was made, of whichever version. */
function purposeOf(
  store: Store,
  { researchStudyId, planDigest }: { readonly researchStudyId: string; readonly planDigest: string },
): Disclosure['purpose'] {
  const row = store.get(
    store.query.selectFrom('research_study').select('envelope').where('plan_digest', '=', planDigest),
  );
  if (row === undefined)
    throw new SiteError('PLAN_MISSING', 'The plan of an update that left is not in the store.');
  const plan = parseStatement(planRecord, parseEnvelope(row.envelope).payload).predicate;
  const { title, purposes, legalBasis, ethicsNumber, version } = plan;
  return { researchStudyId, title, purposes, legalBasis, ethicsNumber, planVersion: version, planDigest };
}

function approvalOf(store: Store, updateId: string): Disclosure['approval'] {
  const row = store.get(
    store.query.selectFrom('approval').select('envelope').where('update_id', '=', updateId),
  );
  if (row === undefined) return null;
  const { person, decidedAt, meaning, reportDigest } = parseStatement(
    approvalRecord,
    parseEnvelope(row.envelope).payload,
  ).predicate;
  return { person: person.name, decidedAt, meaning, reportDigest };
}

function compareTexts(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}

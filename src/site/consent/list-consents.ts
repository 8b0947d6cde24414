// Every subject with what the rules say about it now, a page at a time. Names are read only for those who may see them.
import type { Actor } from '#site/audit/index.ts';
import { formatDay, patientOf, searchPatients } from '#site/deidentify/index.ts';
import type { Store } from '#site/store/index.ts';
import { type ConsentContext, decideSubject, permitsAnything } from './change-consent.ts';
import { type ConsentDecision, noConsent } from './evaluate-consent.ts';
import { readConsentDecisions } from './read-consents.ts';

export interface ConsentQuery {
  readonly researchStudyId: string | null;
  readonly decision: 'permit' | 'deny' | null;
  /** Part of a patient's name, an identifier or part of a subject id; '' for all. */
  readonly search: string;
  readonly offset: number;
  readonly limit: number;
}

export interface ConsentRow extends Omit<ConsentDecision, 'path' | 'data'> {
  readonly subjectId: string;
  /** null for callers who may not see names, where none is stored, and in the answer to a change. */
  readonly patientName: string | null;
  /** Last day that the deciding version states, as a date; null: open or no consent. Never that of majority, which would tell the birth date. */
  readonly untilDate: string | null;
  readonly source: string | null;
  /** Whether an imported refusal leaves nothing that permits anything, and the subject was not erased: a steward decides (docs/adr/0023). */
  readonly awaitsErasure: boolean;
}

export interface ConsentPage {
  /** Subjects that the query finds. */
  readonly total: number;
  /** Of all subjects, whatever the query. */
  readonly permitted: number;
  readonly denied: number;
  readonly rows: ConsentRow[];
}

export interface ConsentListing extends ConsentContext {
  /** 32 bytes; opens the sealed links between subjects and patients. */
  readonly linkageKey: Uint8Array;
}

/** Who may see names: security.md section 0. */
function maySeeNames(actor: Actor): boolean {
  return actor.role === 'steward';
}

/** A page of subjects in the order of their ids. Names shown are an audit event. */
export function listConsents(context: ConsentListing, query: ConsentQuery, actor: Actor): ConsentPage {
  const { store, days } = context;
  const { researchStudyId } = query;
  const terms = researchStudyId === null ? undefined : context.termsOf?.(researchStudyId);
  const decisions = readConsentDecisions(store, days, {
    researchStudyId,
    terms,
    consortium: context.consortiumName?.(),
    atMs: store.clock.nowMs(),
  });
  const isFound = searchFilter(context, query.search.trim(), actor);
  const found: (readonly [subjectNo: number, subjectId: string])[] = [];
  let permitted = 0;
  const subjects = store
    .prepareRows('SELECT subject_no, subject_id FROM subject WHERE survivor_no IS NULL ORDER BY subject_id')
    .all() as [number, string][];
  for (const subject of subjects) {
    const [subjectNo, subjectId] = subject;
    const decision = decisions.isPermitted(subjectNo) ? 'permit' : 'deny';
    if (decision === 'permit') permitted += 1;
    if ((query.decision === null || query.decision === decision) && isFound(subjectId)) found.push(subject);
  }
  const rows = found.slice(query.offset, query.offset + query.limit).map(([subjectNo, subjectId]) => ({
    ...toRow(context, subjectId, decisions.get(subjectNo) ?? noConsent),
    patientName: nameOf(context, subjectId, actor),
  }));
  recordNamesShown(context, rows, actor);
  return { total: found.length, permitted, denied: subjects.length - permitted, rows };
}

/** The row of one subject, after a change: without a name, which the change does not need and no event would tell of. */
export function consentRow(
  context: ConsentListing,
  subject: { readonly subjectId: string; readonly researchStudyId: string | null },
): ConsentRow {
  return toRow(context, subject.subjectId, decideSubject(context, subject));
}

function searchFilter(
  { store, linkageKey }: ConsentListing,
  text: string,
  actor: Actor,
): (subjectId: string) => boolean {
  if (text === '') return () => true;
  // Without the right to names a search over them would still tell who is here.
  const patients = maySeeNames(actor) ? searchPatients(store, linkageKey, text) : [];
  const named = new Set(patients.map(({ subjectId }) => subjectId));
  const lowered = text.toLowerCase();
  return (subjectId) => named.has(subjectId) || subjectId.includes(lowered);
}

function nameOf({ store, linkageKey }: ConsentListing, subjectId: string, actor: Actor): string | null {
  return maySeeNames(actor) ? (patientOf(store, linkageKey, subjectId)?.name ?? null) : null;
}

function toRow(context: ConsentContext, subjectId: string, decision: ConsentDecision): ConsentRow {
  const { store, days } = context;
  const { consentId, version } = decision;
  const stands = { decision: decision.decision, rule: decision.rule, consentId, version };
  if (consentId === null || version === null) {
    return { ...stands, subjectId, patientName: null, untilDate: null, source: null, awaitsErasure: false };
  }
  const stored = store.get(
    store.query
      .selectFrom('consent')
      .select(['until_day', 'source'])
      .where('consent_id', '=', consentId)
      .where('version', '=', version),
  );
  const untilDay = stored?.until_day ?? null;
  // The offset is a constant of the subject, so shifting day 0 tells it.
  const untilDate = untilDay === null ? null : formatDay(untilDay - days.shiftDay(subjectId, 0));
  const awaitsErasure =
    isRefusal(decision) && !permitsAnything(context, subjectId) && isHere(store, subjectId);
  return {
    ...stands,
    subjectId,
    patientName: null,
    untilDate,
    source: stored?.source ?? null,
    awaitsErasure,
  };
}

/** Somebody said no, or the source took the consent back: not one that has expired, or was never given. */
function isRefusal({ decision, rule }: ConsentDecision): boolean {
  return decision === 'deny' && ['withdrawn', 'denied', 'inactive'].includes(rule);
}

function isHere(store: Store, subjectId: string): boolean {
  const subject = store.query.selectFrom('subject').select('subject_no').where('subject_id', '=', subjectId);
  return store.get(subject.where('erased_at', 'is', null)) !== undefined;
}

function recordNamesShown(
  { store, auditLog }: ConsentListing,
  rows: readonly ConsentRow[],
  actor: Actor,
): void {
  const nameCount = rows.filter(({ patientName }) => patientName !== null).length;
  if (nameCount === 0) return;
  store.transaction(() =>
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action: 'names-shown',
      object: 'consent-list',
      outcome: 'success',
      detail: { nameCount },
    }),
  );
}

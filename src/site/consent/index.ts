// The consent stage: what each subject permits, its snapshot, grant and withdrawal.
import type { Actor } from '#site/audit/index.ts';
import { parseDay } from '#site/deidentify/index.ts';
import { type ConsentContext, grantConsent, permitsAnything, withdrawConsent } from './change-consent.ts';
import type { ConsentDecisions } from './consent-decisions.ts';
import { ConsentError } from './consent-error.ts';
import {
  type ConsentPage,
  type ConsentQuery,
  type ConsentRow,
  consentRow,
  listConsents,
} from './list-consents.ts';
import {
  importOptOuts,
  type OptOutImport,
  type OptOutRequirement,
  type OptOutSummary,
  staleOptOutLists,
} from './opt-outs.ts';
import { readConsentDecisions } from './read-consents.ts';

export { ConsentDecisions } from './consent-decisions.ts';
export { type ConsentCode, ConsentError } from './consent-error.ts';
export { type ConsentSnapshotEntry, digestConsentSnapshot } from './consent-snapshot.ts';
export type { ConsentVersion } from './consent-version.ts';
export {
  type ConsentDecision,
  type ConsentRule,
  type ConsentScope,
  evaluateConsent,
  noConsent,
} from './evaluate-consent.ts';
export { evaluateProvision, type ProvisionDecision } from './evaluate-provision.ts';
export type { ConsentPage, ConsentQuery, ConsentRow } from './list-consents.ts';
export type { ProvisionRequest } from './match-rule.ts';
export type { OptOutImport, OptOutRequirement, OptOutSummary } from './opt-outs.ts';
export { allData, type DataClass, type DayRange, noData, type PermittedData } from './permitted-data.ts';
export {
  type ConsentTerms,
  readConsentDecisions,
  type SubjectDays,
  termsOfPlan,
  usualAgeOfMajority,
} from './read-consents.ts';

export interface ConsentSubject {
  readonly subjectId: string;
  /** null: research in general. */
  readonly researchStudyId: string | null;
}

/** An opt-out list as a person names it. */
export interface OptOutOrder extends Omit<OptOutImport, 'statedDay'> {
  /** `YYYY-MM-DD`: the day up to which it is complete. */
  readonly statedDate: string;
}

export interface Consents {
  list(query: ConsentQuery, actor: Actor): ConsentPage;
  /**
   * The answer says what the rules say now: a deny of another scope still denies after a grant, and `rule` tells why.
   * @throws ConsentError SUBJECT_UNKNOWN, RESEARCH_STUDY_UNKNOWN, CONSENT_UNTIL_PASSED, CONSENT_UNTIL_INVALID.
   */
  grant(subject: ConsentSubject & { readonly untilDate: string | null }, actor: Actor): ConsentRow;
  /** @throws ConsentError SUBJECT_UNKNOWN, RESEARCH_STUDY_UNKNOWN. */
  withdraw(subject: ConsentSubject, actor: Actor): ConsentRow;
  /** Whether anything of the subject may be used for any research study, named in its consents or not. */
  permitsAnything(subjectId: string): boolean;
  /**
   * Takes an opt-out list in place of the authority's last one.
   * @throws ConsentError OPT_OUT_LIST_UNREADABLE, OPT_OUT_COLUMN_UNKNOWN, OPT_OUT_LIST_EMPTY, OPT_OUT_LIST_TOO_LARGE,
   * OPT_OUT_DAY_INVALID.
   */
  importOptOuts(list: OptOutOrder, actor: Actor): Promise<OptOutSummary>;
  /** Authorities of required opt-out lists that are not here, or older than they may be. */
  staleOptOutLists(required: readonly OptOutRequirement[]): string[];
  decisions(researchStudyId: string): ConsentDecisions;
}

export interface ConsentOptions extends ConsentContext {
  /** 32 bytes; opens patients' names for those who may see them. */
  readonly linkageKey: Uint8Array;
}

export function openConsents(options: ConsentOptions): Consents {
  const { store, days } = options;
  return {
    list: (query, actor) => listConsents(options, query, actor),
    grant: ({ untilDate, ...subject }, actor) => {
      const untilDay = untilDate === null ? null : dayOfDate(untilDate);
      grantConsent(options, { ...subject, untilDay, actor });
      return consentRow(options, subject);
    },
    withdraw: (subject, actor) => {
      withdrawConsent(options, { ...subject, actor });
      return consentRow(options, subject);
    },
    permitsAnything: (subjectId) => permitsAnything(options, subjectId),
    importOptOuts: async ({ statedDate, ...list }, actor) => {
      const statedDay = parseDay(statedDate);
      if (statedDay === undefined)
        throw new ConsentError('OPT_OUT_DAY_INVALID', 'The day of the list is no day of the calendar.');
      return importOptOuts(options, { ...list, statedDay }, actor);
    },
    staleOptOutLists: (required) => staleOptOutLists(store, required),
    decisions: (researchStudyId) =>
      readConsentDecisions(store, days, {
        researchStudyId,
        terms: options.termsOf?.(researchStudyId),
        consortium: options.consortiumName?.(),
        atMs: store.clock.nowMs(),
      }),
  };
}

/** @throws ConsentError CONSENT_UNTIL_INVALID for a text that is no day of the calendar (30 February). */
function dayOfDate(date: string): number {
  const day = parseDay(date);
  if (day === undefined)
    throw new ConsentError('CONSENT_UNTIL_INVALID', 'The end is no day of the calendar.');
  return day;
}

// Who is in a cohort and why the others are not: index event, consent, split, complete features, label - in that order.

import { type ConsentDecision, type ConsentSnapshotEntry, noConsent } from '#site/consent/index.ts';
import { derivePseudonym } from '#site/deidentify/index.ts';
import type { SubjectTable } from './subject-table.ts';

/**
 * In the order in which they are asked; a subject is out for the first that applies. `unit-not-convertible`: nothing but the
 * units of values that are there keeps the subject out, so correcting them at the source brings it in.
 */
export const exclusionReasons = [
  'no-index-event',
  'no-consent',
  'opted-out',
  'consent-withdrawn',
  'consent-denied',
  'consent-expired',
  'consent-not-yet-valid',
  'consent-inactive',
  'no-split',
  'ambiguous-split',
  'missing-feature',
  'missing-label',
  'unit-not-convertible',
] as const;
export type ExclusionReason = (typeof exclusionReasons)[number];

/** Reasons for which a subject is out although it has consent and a part: the quality table covers these too. */
export const incompleteReasons: readonly ExclusionReason[] = [
  'missing-feature',
  'missing-label',
  'unit-not-convertible',
];

const reasonOfRule = {
  'no-consent': 'no-consent',
  'opted-out': 'opted-out',
  withdrawn: 'consent-withdrawn',
  denied: 'consent-denied',
  expired: 'consent-expired',
  'not-yet-valid': 'consent-not-yet-valid',
  inactive: 'consent-inactive',
} as const;

export interface Member {
  readonly subjectId: string;
  /** Research-study pseudonym. */
  readonly pseudonym: string;
  readonly part: 'training' | 'holdout';
  /** Shifted. */
  readonly indexDay: number;
}

export interface SelectedMember extends Member {
  /** Row in the subject table. */
  readonly row: number;
  readonly consent: ConsentDecision;
}

export interface Selection {
  /** By pseudonym: the fixed order of every matrix and digest. */
  readonly members: readonly SelectedMember[];
  /** All subjects of the site. */
  readonly subjectCount: number;
  readonly trainingCount: number;
  readonly holdoutCount: number;
  readonly excluded: ReadonlyMap<ExclusionReason, number>;
  /** Rows of subjects with consent and a part: those whose columns the quality report describes. */
  readonly candidateRows: readonly number[];
}

export interface SelectionOptions {
  readonly table: SubjectTable;
  readonly decisions: ReadonlyMap<string, ConsentDecision>;
  /** All subjects of the site, with an index event or without. */
  readonly subjectCount: number;
  /** 32 bytes; keys the pseudonyms of this research study. */
  readonly pseudonymKey: Uint8Array;
}

export function selectMembers({ table, decisions, subjectCount, pseudonymKey }: SelectionOptions): Selection {
  const excluded = new Map<ExclusionReason, number>(exclusionReasons.map((reason) => [reason, 0]));
  excluded.set('no-index-event', subjectCount - table.subjectIds.length);
  const members: SelectedMember[] = [];
  const candidateRows: number[] = [];
  for (const [row, subjectId] of table.subjectIds.entries()) {
    const consent = decisions.get(subjectId) ?? noConsent;
    const part = table.parts[row] ?? 'none';
    const reason = exclusionOf({ table, row, consent });
    if (reason === undefined || incompleteReasons.includes(reason)) candidateRows.push(row);
    if (reason !== undefined) excluded.set(reason, (excluded.get(reason) ?? 0) + 1);
    else if (part === 'training' || part === 'holdout') {
      const indexDay = table.indexDays[row] ?? 0;
      members.push({
        subjectId,
        pseudonym: pseudonymOf(pseudonymKey, subjectId),
        part,
        indexDay,
        row,
        consent,
      });
    }
  }
  members.sort((left, right) => (left.pseudonym < right.pseudonym ? -1 : 1));
  const trainingCount = members.filter(({ part }) => part === 'training').length;
  const holdoutCount = members.length - trainingCount;
  return { members, subjectCount, trainingCount, holdoutCount, excluded, candidateRows };
}

/** Unlinkable between research studies: another study has another key. */
function pseudonymOf(pseudonymKey: Uint8Array, subjectId: string): string {
  return derivePseudonym(pseudonymKey, ['consilium-subject', subjectId]);
}

interface Candidate {
  readonly table: SubjectTable;
  readonly row: number;
  readonly consent: ConsentDecision;
}

function exclusionOf({ table, row, consent }: Candidate): ExclusionReason | undefined {
  if (consent.rule !== 'permit') return reasonOfRule[consent.rule];
  const part = table.parts[row] ?? 'none';
  if (part === 'none') return 'no-split';
  if (part === 'ambiguous') return 'ambiguous-split';
  return incompletenessOf(table, row);
}

function incompletenessOf(table: SubjectTable, row: number): ExclusionReason | undefined {
  const lacking = [...table.features.keys()].filter((column) => isMissing(table.features[column], row));
  if (lacking.some((column) => table.unitRefusals[column]?.[row] !== 1)) return 'missing-feature';
  const lacksLabel = isMissing(table.labels, row);
  if (lacksLabel && table.labelUnitRefusals[row] !== 1) return 'missing-label';
  return lacksLabel || lacking.length > 0 ? 'unit-not-convertible' : undefined;
}

function isMissing(column: Float64Array | undefined, row: number): boolean {
  return Number.isNaN(column?.[row] ?? Number.NaN);
}

/** What the consent snapshot says of these members. */
export function snapshotEntries(
  members: readonly Member[],
  consentOf: (subjectId: string) => ConsentDecision,
): ConsentSnapshotEntry[] {
  return members.map(({ subjectId, pseudonym }) => ({ pseudonym, ...consentOf(subjectId) }));
}

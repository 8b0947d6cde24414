// Who is in a cohort and why the others are not: index event, consent, criteria, split, complete features, label - in that order.

import { type ConsentDecision, type ConsentSnapshotEntry, noConsent } from '#site/consent/index.ts';
import { derivePseudonym } from '#site/deidentify/index.ts';
import type { Part } from './coded-split.ts';
import type { Column } from './feature-column.ts';
import type { SplitCandidate } from './keyed-split.ts';
import { metExclusion, type SubjectTable, unmetInclusion } from './subject-table.ts';

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
  'criterion-not-met',
  'criterion-excludes',
  'no-split',
  'ambiguous-split',
  'missing-image',
  'missing-feature',
  'missing-label',
  'unit-not-convertible',
] as const;
export type ExclusionReason = (typeof exclusionReasons)[number];

/** Reasons for which a subject is out although it has consent and a part: the quality table covers these too. */
export const incompleteReasons: readonly ExclusionReason[] = [
  'missing-image',
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
  readonly subjectNo: number;
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
  /** 32 bytes; keys the pseudonyms of this research study. */
  readonly pseudonymKey: Uint8Array;
  /** Draws the parts of whoever is complete; undefined where facts say them. */
  readonly drawParts: ((candidates: readonly SplitCandidate[]) => ReadonlyMap<number, Part>) | undefined;
}

export function selectMembers({ table, decisions, pseudonymKey, drawParts }: SelectionOptions): Selection {
  const { subjects, subjectNos, index } = table;
  const excluded = new Map<ExclusionReason, number>(exclusionReasons.map((reason) => [reason, 0]));
  const exclude = (reason: ExclusionReason, count = 1) =>
    excluded.set(reason, (excluded.get(reason) ?? 0) + count);
  exclude('no-index-event', subjects.standingCount - subjectNos.length);
  const chosen: Omit<SelectedMember, 'pseudonym' | 'part'>[] = [];
  const candidateRows: number[] = [];
  for (const [row, subjectNo] of subjectNos.entries()) {
    const subjectId = subjects.subjectIds[subjectNo] ?? '';
    const consent = decisions.get(subjectId) ?? noConsent;
    const reason = exclusionOf({ table, row, consent, isDrawn: drawParts !== undefined });
    if (reason === undefined || incompleteReasons.includes(reason)) candidateRows.push(row);
    if (reason !== undefined) exclude(reason);
    else chosen.push({ subjectNo, subjectId, row, consent, indexDay: index.days[row] ?? 0 });
  }
  const drawn = drawParts?.(
    chosen.map(({ subjectNo, subjectId, row }) => ({
      subjectNo,
      subjectId,
      label: table.label.values[row] ?? 0,
    })),
  );
  const members: SelectedMember[] = [];
  for (const one of chosen) {
    const part = drawn === undefined ? table.parts[one.row] : drawn.get(one.subjectNo);
    if (part === 'training' || part === 'holdout')
      members.push({ ...one, part, pseudonym: pseudonymOf(pseudonymKey, one.subjectId) });
    else exclude('ambiguous-split');
  }
  members.sort((left, right) => (left.pseudonym < right.pseudonym ? -1 : 1));
  const trainingCount = members.filter(({ part }) => part === 'training').length;
  const holdoutCount = members.length - trainingCount;
  const subjectCount = subjects.standingCount;
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
  /** Whether the site draws the parts: then no fact has to say one. */
  readonly isDrawn: boolean;
}

function exclusionOf({ table, row, consent, isDrawn }: Candidate): ExclusionReason | undefined {
  if (consent.rule !== 'permit') return reasonOfRule[consent.rule];
  if (table.unmet[row] === unmetInclusion) return 'criterion-not-met';
  if (table.unmet[row] === metExclusion) return 'criterion-excludes';
  const part = table.parts[row] ?? 'none';
  if (!isDrawn && part === 'none') return 'no-split';
  if (part === 'ambiguous') return 'ambiguous-split';
  return incompletenessOf(table, row);
}

function incompletenessOf(table: SubjectTable, row: number): ExclusionReason | undefined {
  const { features, label, series } = table;
  if (series !== undefined && !series.has(row)) return 'missing-image';
  const lacking = features.filter((column) => isMissing(column, row));
  if (lacking.some(({ unitRefusals }) => !unitRefusals.has(row))) return 'missing-feature';
  const lacksLabel = table.hasLabel && isMissing(label, row);
  if (lacksLabel && !label.unitRefusals.has(row)) return 'missing-label';
  return lacksLabel || lacking.length > 0 ? 'unit-not-convertible' : undefined;
}

function isMissing({ values }: Column, row: number): boolean {
  return Number.isNaN(values[row] ?? Number.NaN);
}

/** What the consent snapshot says of these members. */
export function snapshotEntries(
  members: readonly Member[],
  consentOf: (subjectId: string) => ConsentDecision,
): ConsentSnapshotEntry[] {
  return members.map(({ subjectId, pseudonym }) => ({ pseudonym, ...consentOf(subjectId) }));
}

// Who is in a cohort and why the others are not: images that no record links, index event, consent, death, criteria, split, complete features, label - in that order.

import { type ConsentDecision, type ConsentDecisions, noConsent } from '#site/consent/index.ts';
import type { Part } from './coded-split.ts';
import type { Column } from './feature-column.ts';
import type { SplitCandidate } from './keyed-split.ts';
import { hasDied, metExclusion, type SubjectTable, unmetInclusion } from './subject-table.ts';

/**
 * In the order in which they are asked; a subject is out for the first that applies. `unit-not-convertible`: nothing but the
 * units of values that are there keeps the subject out, so correcting them at the source brings it in.
 */
export const exclusionReasons = [
  'unlinked-images',
  'no-index-event',
  'no-consent',
  'opted-out',
  'consent-withdrawn',
  'consent-denied',
  'consent-expired',
  'consent-not-yet-valid',
  'majority-reached',
  'majority-unknown',
  'consent-unverified',
  'consent-inactive',
  'deceased',
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
  'majority-reached': 'majority-reached',
  'majority-unknown': 'majority-unknown',
  unverified: 'consent-unverified',
  inactive: 'consent-inactive',
} as const;

export interface Selection {
  /** Rows of the subject table that are in the cohort, rising. */
  readonly rows: Int32Array;
  /** By row of the table; 'training' or 'holdout' for those of the cohort. */
  readonly parts: readonly Part[];
  /** All subjects of the site. */
  readonly subjectCount: number;
  readonly trainingCount: number;
  readonly holdoutCount: number;
  readonly excluded: ReadonlyMap<ExclusionReason, number>;
  /** Rows of subjects with consent and a part: those whose columns the quality report describes. */
  readonly candidateRows: Int32Array;
}

export interface SelectionOptions {
  readonly table: SubjectTable;
  readonly decisions: ConsentDecisions;
  /** Draws the parts of whoever is complete; undefined where facts say them. */
  readonly drawParts: ((candidates: readonly SplitCandidate[]) => ReadonlyMap<number, Part>) | undefined;
}

export function selectRows({ table, decisions, drawParts }: SelectionOptions): Selection {
  const { subjects, subjectNos } = table;
  const excluded = new Map<ExclusionReason, number>(exclusionReasons.map((reason) => [reason, 0]));
  const exclude = (reason: ExclusionReason, count = 1) =>
    excluded.set(reason, (excluded.get(reason) ?? 0) + count);
  const unlinkedRows = subjectNos.reduce(
    (count, subjectNo) => count + (subjects.unlinked[subjectNo] ?? 0),
    0,
  );
  const linkedCount = subjects.standingCount - subjects.unlinkedCount;
  exclude('unlinked-images', subjects.unlinkedCount);
  exclude('no-index-event', linkedCount - (subjectNos.length - unlinkedRows));
  const complete = new RowList(subjectNos.length);
  const candidates = new RowList(subjectNos.length);
  for (let row = 0; row < subjectNos.length; row += 1) {
    const subjectNo = subjectNos[row] ?? 0;
    if (subjects.unlinked[subjectNo] === 1) continue;
    const { rule } = decisions.get(subjectNo) ?? noConsent;
    const reason = exclusionOf({ table, row, rule, isDrawn: drawParts !== undefined });
    if (reason === undefined || incompleteReasons.includes(reason)) candidates.add(row);
    if (reason === undefined) complete.add(row);
    else exclude(reason);
  }
  const parts = drawParts === undefined ? table.parts : drawnParts(table, complete.rows(), drawParts);
  // A drawn part may be of two who became one, and were in both.
  const rows = complete.rows().filter((row) => parts[row] !== 'ambiguous');
  exclude('ambiguous-split', complete.rows().length - rows.length);
  const trainingCount = rows.reduce((count, row) => count + Number(parts[row] === 'training'), 0);
  return {
    rows,
    parts,
    subjectCount: subjects.standingCount,
    trainingCount,
    holdoutCount: rows.length - trainingCount,
    excluded,
    candidateRows: candidates.rows(),
  };
}

/** Rows as they are found, at most as many as the table has. */
class RowList {
  readonly #rows: Int32Array;
  #count = 0;

  constructor(most: number) {
    this.#rows = new Int32Array(most);
  }

  add(row: number): void {
    this.#rows[this.#count] = row;
    this.#count += 1;
  }

  rows(): Int32Array {
    return this.#rows.subarray(0, this.#count);
  }
}

function drawnParts(
  table: SubjectTable,
  rows: Int32Array,
  draw: NonNullable<SelectionOptions['drawParts']>,
): Part[] {
  const candidates = Array.from(rows, (row) => ({
    subjectNo: table.subjectNos[row] ?? 0,
    subjectId: subjectIdOf(table, row),
    label: table.label.values[row] ?? 0,
  }));
  const drawn = draw(candidates);
  return Array.from(table.subjectNos, (subjectNo) => drawn.get(subjectNo) ?? 'none');
}

export function subjectIdOf({ subjects, subjectNos }: SubjectTable, row: number): string {
  return subjects.subjectIdOf(subjectNos[row] ?? 0) ?? '';
}

interface Candidate {
  readonly table: SubjectTable;
  readonly row: number;
  /** Of the consent. */
  readonly rule: ConsentDecision['rule'];
  /** Whether the site draws the parts: then no fact has to say one. */
  readonly isDrawn: boolean;
}

function exclusionOf({ table, row, rule, isDrawn }: Candidate): ExclusionReason | undefined {
  if (rule !== 'permit') return reasonOfRule[rule];
  if (table.unmet[row] === hasDied) return 'deceased';
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
  let lacksFeature = false;
  for (const column of features) {
    if (!isMissing(column, row)) continue;
    if (!column.unitRefusals.has(row)) return 'missing-feature';
    lacksFeature = true;
  }
  const lacksLabel = table.hasLabel && isMissing(label, row);
  if (lacksLabel && !label.unitRefusals.has(row)) return 'missing-label';
  return lacksLabel || lacksFeature ? 'unit-not-convertible' : undefined;
}

function isMissing({ values }: Column, row: number): boolean {
  return Number.isNaN(values[row] ?? Number.NaN);
}

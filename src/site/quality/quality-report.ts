// What a data-quality report says (docs/data-quality.md). Every count in it has passed the suppression of small cells (C12).
import type { SuppressedCount } from '#site/cohort/index.ts';

/** Closed: each has its words in both languages. */
export const findingCodes = [
  'code-not-found',
  'code-near-miss',
  'code-missing-outside',
  'unit-not-convertible',
  'value-missing',
  'value-flagged',
  'value-negative',
  'value-far-out',
  'column-constant',
  'age-impossible',
  'fact-duplicate',
  'fact-before-birth',
  'fact-in-future',
  'fact-after-death',
  'fact-ends-before-start',
  'image-geometry-missing',
  'image-orientation-mixed',
  'image-size-mixed',
  'image-spacing-mixed',
  'image-slices-missing',
  'image-bits-mixed',
  'image-rescale-missing',
  'segmentation-missing',
] as const;
export type FindingCode = (typeof findingCodes)[number];

/** `problem`: mend it before the round; `warning`: look at it; `note`: good to know. */
export type Severity = 'problem' | 'warning' | 'note';

export interface QualityFinding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** Name of the feature, label or code, or the modality. */
  readonly about: string;
  /** Subjects it concerns. */
  readonly subjectCount: SuppressedCount;
  /** Facts, or imaging series, that it concerns; withheld with the subjects. Null too where it is about values by subject. */
  readonly recordCount: SuppressedCount;
  /** What the sentence names: units, a range, another code. Never a value of one subject. */
  readonly detail: string;
}

/** Subjects by value. Neighbours are merged until each bin has enough. */
export interface HistogramBin {
  /** null: open. */
  readonly from: number | null;
  /** Not included; null: open. */
  readonly until: number | null;
  readonly subjectCount: number;
}

export interface FeatureReport {
  readonly name: string;
  readonly role: 'feature' | 'label';
  /** UCUM; null where it has none. */
  readonly unit: string | null;
  readonly presentCount: SuppressedCount;
  readonly missingCount: SuppressedCount;
  readonly unitNotConvertibleCount: SuppressedCount;
  readonly flaggedCount: SuppressedCount;
  readonly isConstant: boolean;
  /** null: no quantity, or too little to show. */
  readonly histogram: readonly HistogramBin[] | null;
}

export interface UnitReport {
  /** UCUM; `-`: a number without a unit. */
  readonly unit: string;
  readonly subjectCount: SuppressedCount;
  readonly factCount: SuppressedCount;
}

export interface CodeReport {
  readonly system: string;
  readonly code: string;
  readonly display: string;
  readonly subjectCount: SuppressedCount;
  readonly factCount: SuppressedCount;
  readonly units: readonly UnitReport[];
}

export interface ImagingReport {
  /** DICOM modality. */
  readonly modality: string;
  /** DICOM Body Part Examined; null: any. */
  readonly bodyPart: string | null;
  readonly subjectCount: SuppressedCount;
  readonly seriesCount: SuppressedCount;
}

export interface QualityReport {
  readonly researchStudyId: string;
  readonly planVersion: number;
  /** ISO time. */
  readonly madeAt: string;
  /** Subjects with index event, consent and criteria met, complete or not: everything below is about these. */
  readonly subjectCount: SuppressedCount;
  /** The plan's features, then its label. */
  readonly features: readonly FeatureReport[];
  readonly codes: readonly CodeReport[];
  readonly imaging: readonly ImagingReport[];
  /** Worst first. */
  readonly findings: readonly QualityFinding[];
}

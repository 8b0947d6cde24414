// Which facts of a subject a research study reads, and who is asked about: index event, criteria, features, label, split.
// docs/formats/cohort-definition.md says what each part means.
import { z } from 'zod';
import { identifier, plainText } from '#federation/records/fields.ts';

/** A code with its system, as in FHIR Coding. */
export const codeReference = z.strictObject({
  system: z.url().max(200),
  code: plainText(64),
  display: plainText(200),
});
export type CodeReference = z.infer<typeof codeReference>;

const days = z.int().min(-36_500).max(36_500);

/** From `before` days before the index day to `after` days after it, both included. A negative number is the other side of it. */
export const dayWindow = z
  .strictObject({ before: days, after: days })
  .refine(({ before, after }) => before + after >= 0, 'a window ends no earlier than it begins');
export type DayWindow = z.infer<typeof dayWindow>;

/** null: the plan's own window. */
const ownWindow = dayWindow.nullable();

/** What a subject without a value gets; null: it is left out. */
const whenMissing = z.number().nullable();

/** How the values of a subject in the window become one; `slope`: least squares, in units per day. */
export const valueAggregation = z.enum(['last', 'first', 'mean', 'min', 'max', 'slope']);
export type ValueAggregation = z.infer<typeof valueAggregation>;

/** How one column of the feature matrix is read from a subject's facts. */
export const featureSpecification = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('quantity'),
    name: identifier,
    code: codeReference,
    /** UCUM unit that values are converted to. */
    unit: plainText(32),
    aggregation: valueAggregation,
    windowDays: ownWindow,
    whenMissing,
    /** Values of this exact size are kept and counted as suspect in the data-quality report (Swiss cholesterol is 0). */
    flagValue: z.number().nullable(),
  }),
  /** The latest fact's number, 0 or 1. */
  z.strictObject({
    kind: z.literal('boolean'),
    name: identifier,
    code: codeReference,
    windowDays: ownWindow,
    whenMissing,
  }),
  /** 1 where the latest fact's coded value is `equals`, else 0. */
  z.strictObject({
    kind: z.literal('indicator'),
    name: identifier,
    code: codeReference,
    equals: codeReference,
    windowDays: ownWindow,
    whenMissing,
  }),
  /** How many facts of the code there are, or whether there is one (1, else 0), or none (1, else 0). Never missing. */
  z.strictObject({
    kind: z.literal('occurrence'),
    name: identifier,
    code: codeReference,
    aggregation: z.enum(['count', 'present', 'missing']),
    windowDays: ownWindow,
  }),
  /** Years at the index date. */
  z.strictObject({
    kind: z.literal('age'),
    name: identifier,
    code: codeReference,
    unit: z.literal('a'),
    whenMissing,
  }),
  /** 1 for administrative gender `equals`, 0 for the other recorded one. */
  z.strictObject({
    kind: z.literal('sex'),
    name: identifier,
    code: codeReference,
    equals: z.enum(['male', 'female']),
    whenMissing,
  }),
]);
export type FeatureSpecification = z.infer<typeof featureSpecification>;

export const labelSpecification = z.discriminatedUnion('kind', [
  /** 1 where the value is greater than `greaterThan`. */
  z.strictObject({
    kind: z.literal('threshold'),
    name: identifier,
    code: codeReference,
    unit: plainText(32),
    greaterThan: z.number(),
    aggregation: valueAggregation,
    windowDays: ownWindow,
  }),
  /** 1 where a fact of the code lies in the window (the horizon), 0 where none does and the subject was still seen after it. */
  z.strictObject({
    kind: z.literal('occurrence'),
    name: identifier,
    code: codeReference,
    /** A coded value that the fact must have; null: any. */
    equals: codeReference.nullable(),
    windowDays: dayWindow,
    /** A fact of this code on the window's last day or later shows that; null: nothing has to. */
    followUp: codeReference.nullable(),
  }),
  /** The segmentation of the images: every member has one. */
  z.strictObject({ kind: z.literal('segmentation'), name: identifier }),
]);
export type LabelSpecification = z.infer<typeof labelSpecification>;

/** DICOM modalities that a plan can ask for. */
export const planModality = z.enum(['MR', 'CT', 'PT', 'CR', 'DX', 'MG', 'US', 'XA', 'NM', 'OP', 'SM']);

export const criterion = z.discriminatedUnion('kind', [
  /** At least `atLeast` facts of the code in the window, each with the value where one is asked for. */
  z.strictObject({
    kind: z.literal('fact'),
    name: identifier,
    code: codeReference,
    value: z
      .discriminatedUnion('kind', [
        z.strictObject({
          kind: z.literal('range'),
          unit: plainText(32),
          /** Both included; null: open. */
          min: z.number().nullable(),
          max: z.number().nullable(),
        }),
        z.strictObject({ kind: z.literal('coded'), oneOf: z.array(codeReference).min(1).max(1_000) }),
      ])
      .nullable(),
    atLeast: z.int().min(1).max(10_000),
    windowDays: ownWindow,
  }),
  /** Whole years on the index day, both included; an unknown age meets no criterion. */
  z.strictObject({
    kind: z.literal('age'),
    name: identifier,
    min: z.int().min(0).max(150).nullable(),
    max: z.int().min(0).max(150).nullable(),
  }),
  z.strictObject({ kind: z.literal('sex'), name: identifier, equals: z.enum(['male', 'female']) }),
  /** An imaging series of the modality in the window. */
  z.strictObject({
    kind: z.literal('imaging'),
    name: identifier,
    modality: planModality,
    /** DICOM Body Part Examined; null: any, stated or not. */
    bodyPart: plainText(16).nullable(),
    /** Whether a segmentation of it has to be here. */
    isSegmented: z.boolean(),
    windowDays: ownWindow,
  }),
]);
export type Criterion = z.infer<typeof criterion>;
export type FactCriterion = Extract<Criterion, { kind: 'fact' }>;
export type ImagingCriterion = Extract<Criterion, { kind: 'imaging' }>;

export const splitSpecification = z.discriminatedUnion('kind', [
  /** A coded fact says which part a subject is in. */
  z.strictObject({
    kind: z.literal('coded'),
    code: codeReference,
    training: plainText(64),
    holdout: plainText(64),
  }),
  /** Drawn by the site's key, by subject; whoever has a part keeps it when data is added. */
  z.strictObject({
    kind: z.literal('keyed'),
    holdoutPercent: z.int().min(1).max(90),
    /** `label`: each value of the label gets its share of the holdout part. */
    stratifyBy: z.enum(['label', 'nothing']),
  }),
]);
export type SplitSpecification = z.infer<typeof splitSpecification>;

export const dataElements = z.strictObject({
  /** What gives a subject its index day. */
  indexEvent: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('fact'), code: codeReference, which: z.enum(['first', 'last']) }),
    z.strictObject({
      kind: z.literal('imaging-study'),
      modality: planModality,
      which: z.enum(['first', 'last']),
    }),
  ]),
  /** Facts of these days count where a feature, label or criterion has no window of its own. */
  windowDays: dayWindow,
  /** A subject has to meet every one of `include`, and none of `exclude`. */
  criteria: z.strictObject({
    include: z.array(criterion).max(100),
    exclude: z.array(criterion).max(100),
  }),
  /** Whether patients who died are asked about too, as a study of survival needs; absent: they are left out. */
  includesDeceased: z.boolean().optional(),
  split: splitSpecification,
  features: z.array(featureSpecification).max(10_000),
  label: labelSpecification,
});
export type DataElements = z.infer<typeof dataElements>;

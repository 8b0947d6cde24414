// What travels over the site contract about the quality of the data that a research study reads.
import { z } from 'zod';

/** A count of subjects, or of their records; null where it is withheld: small, or one from which a small one could be computed. */
const shownCount = z.int().min(0).nullable();

export const qualityFinding = z.strictObject({
  code: z.string(),
  severity: z.enum(['problem', 'warning', 'note']),
  about: z.string(),
  subjectCount: shownCount,
  recordCount: shownCount,
  detail: z.string(),
});
export type QualityFinding = z.infer<typeof qualityFinding>;

export const qualityFeature = z.strictObject({
  name: z.string(),
  role: z.enum(['feature', 'label']),
  unit: z.string().nullable(),
  presentCount: shownCount,
  missingCount: shownCount,
  unitNotConvertibleCount: shownCount,
  flaggedCount: shownCount,
  isConstant: z.boolean(),
  histogram: z
    .array(
      z.strictObject({
        from: z.number().nullable(),
        until: z.number().nullable(),
        subjectCount: z.int().min(0),
      }),
    )
    .readonly()
    .nullable(),
});
export type QualityFeature = z.infer<typeof qualityFeature>;

export const qualityReport = z.strictObject({
  researchStudyId: z.string(),
  planVersion: z.int(),
  madeAt: z.iso.datetime({ precision: 3 }),
  subjectCount: shownCount,
  features: z.array(qualityFeature).readonly(),
  codes: z
    .array(
      z.strictObject({
        system: z.string(),
        code: z.string(),
        display: z.string(),
        subjectCount: shownCount,
        factCount: shownCount,
        units: z
          .array(z.strictObject({ unit: z.string(), subjectCount: shownCount, factCount: shownCount }))
          .readonly(),
      }),
    )
    .readonly(),
  imaging: z
    .array(
      z.strictObject({
        modality: z.string(),
        bodyPart: z.string().nullable(),
        subjectCount: shownCount,
        seriesCount: shownCount,
      }),
    )
    .readonly(),
  findings: z.array(qualityFinding).readonly(),
});
export type QualityReport = z.infer<typeof qualityReport>;

export const qualityEvent = z.discriminatedUnion('kind', [
  /** Codes of the plan that are looked through, of how many. */
  z.strictObject({ kind: z.literal('progress'), done: z.int().min(0), total: z.int().min(0) }),
  z.strictObject({ kind: z.literal('report'), report: qualityReport }),
]);
export type QualityEvent = z.infer<typeof qualityEvent>;

// Which images of a member a research study reads, and how they become the input of a model.
import { z } from 'zod';
import { planModality } from '#federation/records/data-elements.ts';
import { plainText } from '#federation/records/fields.ts';

export const imagingInput = z.strictObject({
  modality: planModality,
  /** DICOM Body Part Examined; null: any, stated or not. */
  bodyPart: plainText(16).nullable(),
  /** `segmented`: only series that a segmentation here was drawn on. */
  series: z.enum(['all', 'segmented']),
  /** Pixels of the input; images are resampled to them. */
  rows: z.int().min(8).max(1_024),
  columns: z.int().min(8).max(1_024),
  /** Intensities of a patient are divided by this percentile of them. */
  intensityPercentile: z.number().min(50).max(100),
});
export type ImagingInput = z.infer<typeof imagingInput>;

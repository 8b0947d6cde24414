// The statistics stage: data quality of a cohort's columns, and the normalisation of a site by itself.
export { type ColumnQuality, measureColumn } from './column-quality.ts';
export { normalisationOf, type RawMatrix } from './row-normalisation.ts';

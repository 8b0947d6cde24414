// The statistics stage: data quality of a cohort's columns, and the sums that sites share for normalisation.
export { type ColumnQuality, measureColumn } from './column-quality.ts';
export {
  type ColumnSums,
  encodeColumnSums,
  normalisationOf,
  type RawMatrix,
  sumColumns,
} from './column-sums.ts';

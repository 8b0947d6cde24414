// The imaging stage: a frozen cohort's images as examples of a model, streamed from the sealed objects.
export type { LeftOut } from './example-list.ts';
export {
  type ExampleBatch,
  type ExampleSource,
  type ExampleSourceOptions,
  openExampleSource,
} from './example-source.ts';
export { type ImagingCode, ImagingError, type LeftOutReason } from './imaging-error.ts';

// Why a demo stopped.
import { CodedError } from '#base/coded-error.ts';

export type DemoErrorCode =
  | 'RESEARCH_STUDY_NOT_SHIPPED'
  | 'DEMO_STEP_FAILED'
  | 'DEMO_INTERRUPTED'
  | 'DEMO_ROUND_STALLED';

export class DemoError extends CodedError<DemoErrorCode> {}

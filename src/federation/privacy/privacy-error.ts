// Refusals of differential privacy: settings that promise nothing, and budgets that are used up.
import { CodedError } from '#base/coded-error.ts';

export type PrivacyCode = 'BAD_PRIVACY_SETTING' | 'DELTA_TOO_LARGE' | 'NO_NOISE' | 'PRIVACY_BUDGET_SPENT';

export class PrivacyError extends CodedError<PrivacyCode> {}

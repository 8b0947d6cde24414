// One version of a consent, as the evaluation reads it.
import type { ConsentProvision, ConsentReplacement } from '#site/store/index.ts';
import type { PermitOrigin } from './permit-terms.ts';

/** One version of a consent. Days are shifted by the subject's date offset; null is open. */
export interface ConsentVersion extends PermitOrigin {
  readonly consentId: string;
  readonly version: number;
  /** null: research in general. */
  readonly researchStudyId: string | null;
  /** FHIR Consent.status. */
  readonly status: string;
  readonly decision: 'permit' | 'deny';
  readonly statedDay: number | null;
  /** The last day that `statedDay` may mean; null or absent: the same. */
  readonly statedUntilDay?: number | null;
  readonly fromDay: number | null;
  readonly untilDay: number | null;
  /** The rules, where there is more than one permit or deny; null: `decision` is all it says. */
  readonly provision: ConsentProvision | null;
  /** What ties it to other consents of the subject; absent: nothing, and nothing names it. */
  readonly replacement?: ConsentReplacement;
}

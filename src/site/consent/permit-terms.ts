// What keeps a permit from holding beside its own dates: a guardian's ends at majority (C7), and a plan may ask for verification (C1).

/** Where a permit comes from. Days are shifted by the subject's date offset. */
export interface PermitOrigin {
  /** Given by somebody else for the patient. */
  readonly isByGuardian: boolean;
  /** The day on which somebody verified it with the patient; null or absent: nobody says so. */
  readonly verifiedDay?: number | null;
  readonly source: string;
}

export interface PermitTerms {
  /** The day on which it is asked, shifted. */
  readonly day: number;
  /** The day on which the subject comes of age, shifted; null or absent: its birth date is not known. */
  readonly majorityDay?: number | null;
  /** Whether only what was verified permits. */
  readonly requiresVerification?: boolean | undefined;
}

export type UnmetTerm = 'majority-reached' | 'majority-unknown' | 'unverified';

/** Why a permit does not hold on the day, undefined where it does; also for what permits nothing. */
export function unmetTerm(origin: PermitOrigin, terms: PermitTerms): UnmetTerm | undefined {
  return endOfGuardianship(origin, terms) ?? (isUnverified(origin, terms) ? 'unverified' : undefined);
}

export function endOfGuardianship(
  { isByGuardian }: PermitOrigin,
  { day, majorityDay = null }: PermitTerms,
): 'majority-reached' | 'majority-unknown' | undefined {
  if (!isByGuardian) return undefined;
  if (majorityDay === null) return 'majority-unknown';
  return day < majorityDay ? undefined : 'majority-reached';
}

/** What a steward records is verified by that. */
export function isUnverified(
  { verifiedDay = null, source }: PermitOrigin,
  { day, requiresVerification = false }: PermitTerms,
): boolean {
  if (!requiresVerification || source === 'steward') return false;
  return verifiedDay === null || verifiedDay > day;
}

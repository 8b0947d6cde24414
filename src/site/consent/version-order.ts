// Which of two versions is newer, and what a newer one ends of an older (security.md C4): towards refusal where the dates tell nothing.
import type { ConsentVersion } from './consent-version.ts';
import { endOfGuardianship, isUnverified, type PermitTerms } from './permit-terms.ts';

/**
 * A deny is lifted by a newer permit or retraction, never by another deny (denies only add up) and never by a draft. What is dated in
 * the future, permitted by a guardian of somebody of age, or not verified where it has to be lifts nothing towards permission.
 */
export function liftsDeny(other: ConsentVersion, terms: PermitTerms): boolean {
  if (isActiveDeny(other) || unstated.has(other.status)) return false;
  const lastDay = lastStatedDay(other);
  if (lastDay !== null && lastDay > terms.day) return false;
  const wasOfAge = endOfGuardianship(other, { ...terms, day: lastDay ?? terms.day }) !== undefined;
  return !isActive(other) || !(wasOfAge || isUnverified(other, terms));
}

/** A permit is lifted by whatever is newer, but not today by a permit of the future. */
export function liftsPermit(other: ConsentVersion, { day }: PermitTerms): boolean {
  const isFuture = other.statedDay !== null && other.statedDay > day;
  return !(isFuture && other.decision === 'permit' && isActive(other));
}

export function isActive({ status }: ConsentVersion): boolean {
  return status === 'active';
}

export function isActiveDeny(version: ConsentVersion): boolean {
  return version.decision === 'deny' && isActive(version);
}

/**
 * By the day it was stated where both have one. Where the days tell nothing (equal, of one month, or one is not stated), the version tells
 * only what a steward did after what: an import's number says when a file was read, not when the patient spoke. Stops an
 * old export, read again, from bringing back a permit that the patient or the source has ended since.
 */
export function isNewer(left: ConsentVersion, right: ConsentVersion): boolean {
  const [isLeftSteward, isRightSteward] = [isBySteward(left), isBySteward(right)];
  if (isStatedAfter(left, right)) return true;
  if (isStatedAfter(right, left)) return false;
  const [leftCaution, rightCaution] = [cautionOf(left), cautionOf(right)];
  if (isLeftSteward !== isRightSteward) {
    const imported = isLeftSteward ? rightCaution : leftCaution;
    const steward = isLeftSteward ? leftCaution : rightCaution;
    // An import ends a steward's permit only when read after it, and never anything else a steward did.
    if (imported <= steward) return isLeftSteward;
    return left.version > right.version;
  }
  if (isLeftSteward || leftCaution === rightCaution) return left.version > right.version;
  return leftCaution > rightCaution;
}

/** Whatever days their dates mean. */
export function isStatedAfter(left: ConsentVersion, right: ConsentVersion): boolean {
  const lastDay = lastStatedDay(right);
  return left.statedDay !== null && lastDay !== null && left.statedDay > lastDay;
}

function lastStatedDay({ statedDay, statedUntilDay = null }: ConsentVersion): number | null {
  return statedUntilDay ?? statedDay;
}

export function isBySteward({ source }: ConsentVersion): boolean {
  return source === 'steward';
}

export function takesMore(left: ConsentVersion, right: ConsentVersion): boolean {
  return cautionOf(left) > cautionOf(right);
}

/** How much a version takes away: a deny most, then what ends a consent. A draft is no statement and ends no consent's word. */
function cautionOf(version: ConsentVersion): number {
  if (isActiveDeny(version)) return 2;
  return isActive(version) || unstated.has(version.status) ? 0 : 1;
}

/** Whether somebody said it: a draft is no statement. */
export function isStatement({ status }: ConsentVersion): boolean {
  return !unstated.has(status);
}

/** FHIR statuses of a consent that was not given yet. */
const unstated = new Set(['draft', 'proposed']);

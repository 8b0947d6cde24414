// Consents that a newer one of the same subject replaces by naming it (security.md C4): `sourceReference`, or an identifier that both have.
// Pure; a deny that is added never lifts another.
import type { ConsentVersion } from './consent-version.ts';
import type { PermitTerms } from './permit-terms.ts';
import { isActive, isNewer, isStatedAfter, isStatement, liftsDeny, liftsPermit } from './version-order.ts';

export interface Replacements {
  /** Versions whose denies stand no more. */
  readonly denies: ReadonlySet<ConsentVersion>;
  /** Versions that permit no more. */
  readonly permits: ReadonlySet<ConsentVersion>;
}

const nothing: ReadonlySet<ConsentVersion> = new Set();

/**
 * A permit ends with whatever replaces it. A deny ends only with a permit that still stands in its own consent, by the same person: a
 * guardian's deny is not lifted by another's word, nor by one that was withdrawn again.
 */
export function findReplacements(versions: readonly ConsentVersion[], terms: PermitTerms): Replacements {
  if (!versions.some(namesAnother)) return { denies: nothing, permits: nothing };
  const denies = new Set<ConsentVersion>();
  const permits = new Set<ConsentVersion>();
  for (const version of versions) {
    const replacing = versions.filter((other) => replaces(other, version));
    if (replacing.some((other) => isStatement(other) && liftsPermit(other, terms))) permits.add(version);
    const isLifted = replacing.some(
      (other) =>
        isActive(other) &&
        isSamePerson(other, version) &&
        liftsDeny(other, terms) &&
        stands(other, versions, terms),
    );
    if (isLifted) denies.add(version);
  }
  return { denies, permits };
}

/** Most consents name no other, and have no name but their own. */
function namesAnother({ replacement }: ConsentVersion): boolean {
  return replacement !== undefined && (replacement.replaces.length > 0 || replacement.names.length > 1);
}

function replaces(other: ConsentVersion, version: ConsentVersion): boolean {
  if (other.consentId === version.consentId || !isStatedAfter(other, version)) return false;
  const [names = [], otherNames = [], named = []] = [
    version.replacement?.names,
    other.replacement?.names,
    other.replacement?.replaces,
  ];
  return names.some((name) => named.includes(name) || otherNames.includes(name));
}

/** Both are of one patient. Whoever is not named beside the patient is the patient. */
function isSamePerson(left: ConsentVersion, right: ConsentVersion): boolean {
  const [leftPerson = null, rightPerson = null] = [left.replacement?.givenBy, right.replacement?.givenBy];
  return leftPerson === rightPerson && left.isByGuardian === right.isByGuardian;
}

/** Whether no newer version of its own consent has ended what it permits. */
function stands(version: ConsentVersion, versions: readonly ConsentVersion[], terms: PermitTerms): boolean {
  const siblings = versions.filter(({ consentId }) => consentId === version.consentId);
  return !siblings.some((other) => isNewer(other, version) && liftsPermit(other, terms));
}

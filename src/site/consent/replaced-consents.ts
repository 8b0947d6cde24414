// Consents that a newer one of the same subject replaces by naming it (security.md C4): `sourceReference`, or an identifier that both have;
// and one that came under two ways to name its patient.
// Pure; a deny that is added never lifts another.
import type { ConsentVersion } from './consent-version.ts';
import type { PermitTerms } from './permit-terms.ts';
import {
  isActive,
  isBySteward,
  isNewer,
  isStatedAfter,
  isStatement,
  liftsDeny,
  liftsPermit,
  takesMore,
} from './version-order.ts';

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
  const isTied = versions.some(namesAnother) || hasNamesakes(versions);
  if (!isTied) return { denies: nothing, permits: nothing };
  const denies = new Set<ConsentVersion>();
  const permits = new Set<ConsentVersion>();
  const lifting = new Set(
    versions.filter((one) => isActive(one) && liftsDeny(one, terms) && stands(one, versions, terms)),
  );
  for (const version of versions) {
    const replacing = versions.filter(
      (other) => replaces(other, version) && wasSaidAfter(other, version, versions),
    );
    const ending = [...replacing, ...versions.filter((other) => isNewerNamesake(other, version))];
    if (ending.some((other) => isStatement(other) && liftsPermit(other, terms))) permits.add(version);
    if (replacing.some((other) => lifting.has(other) && isSamePerson(other, version))) denies.add(version);
  }
  return { denies, permits };
}

/** Most consents name no other, and have no name but their own. */
function namesAnother({ replacement }: ConsentVersion): boolean {
  return replacement !== undefined && (replacement.replaces.length > 0 || replacement.names.length > 1);
}

/** Their own names being the same is none of it: the records of two patients who turned out to be one may have one id. */
function replaces(other: ConsentVersion, version: ConsentVersion): boolean {
  if (other.consentId === version.consentId) return false;
  const [[own, ...names] = [], [otherOwn, ...otherNames] = [], named = []] = [
    version.replacement?.names,
    other.replacement?.names,
    other.replacement?.replaces,
  ];
  const isNamed = [own, ...names].some((name) => name !== undefined && named.includes(name));
  const isShared = names.some((name) => name === otherOwn || otherNames.includes(name));
  return isNamed || isShared || (own !== undefined && otherNames.includes(own));
}

/** What a steward records replaces what its consent had replaced, and no consent that came later. */
function wasSaidAfter(
  other: ConsentVersion,
  version: ConsentVersion,
  versions: readonly ConsentVersion[],
): boolean {
  if (!isBySteward(other)) return isStatedAfter(other, version);
  const siblings = versions.filter(({ consentId }) => consentId === other.consentId);
  return siblings.some((own) => !isBySteward(own) && isStatedAfter(own, version));
}

/**
 * Whether a source says it under the name of the other, later or, where the days tell nothing, by taking more away: mostly one consent
 * whose patient was named in another way. It ends permits only.
 */
function isNewerNamesake(other: ConsentVersion, version: ConsentVersion): boolean {
  if (!isNamesake(other, version) || isBySteward(other)) return false;
  if (isStatedAfter(other, version)) return true;
  return !isStatedAfter(version, other) && takesMore(other, version);
}

function hasNamesakes(versions: readonly ConsentVersion[]): boolean {
  if (versions.length < 2) return false;
  const consentIds = new Map<string, string>();
  return versions.some(({ consentId, replacement }) => {
    const own = replacement?.names[0] ?? '';
    const known = consentIds.get(own) ?? consentId;
    consentIds.set(own, consentId);
    return own !== '' && known !== consentId;
  });
}

function isNamesake(left: ConsentVersion, right: ConsentVersion): boolean {
  const [own, otherOwn] = [left.replacement?.names[0], right.replacement?.names[0]];
  return left.consentId !== right.consentId && own !== undefined && own === otherOwn;
}

/** Both are of one patient. Whoever is not named beside the patient is the patient. */
function isSamePerson(left: ConsentVersion, right: ConsentVersion): boolean {
  const [leftPerson = null, rightPerson = null] = [left.replacement?.givenBy, right.replacement?.givenBy];
  return leftPerson === rightPerson && left.isByGuardian === right.isByGuardian;
}

/** Whether nothing newer of its own consent, under whichever name of the patient, has ended what it permits. */
function stands(version: ConsentVersion, versions: readonly ConsentVersion[], terms: PermitTerms): boolean {
  return !versions.some((other) => {
    const isSibling = other.consentId === version.consentId && isNewer(other, version);
    const isEnd = isSibling || (isNewerNamesake(other, version) && isStatement(other));
    return isEnd && liftsPermit(other, terms);
  });
}

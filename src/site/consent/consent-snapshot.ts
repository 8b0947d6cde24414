// The consent snapshot of a cohort (security.md C13): sorted, RFC 8785 JSON; the same state gives the same digest again.
import { fromUtf8 } from '#base/bytes.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { encodeCanonicalJson } from '#federation/records/canonical-json.ts';
import type { ConsentDecision } from './evaluate-consent.ts';

export interface ConsentSnapshotEntry extends Omit<ConsentDecision, 'data'> {
  /** Research-study pseudonym; the site's own subject id never enters a digest that leaves. */
  readonly pseudonym: string;
}

export interface ConsentSnapshot {
  /** RFC 8785 JSON: an array of entries sorted by pseudonym. */
  readonly text: string;
  /** sha256 of the text. */
  readonly digest: string;
}

/** The snapshot of these entries, whatever their order. */
export function createConsentSnapshot(entries: readonly ConsentSnapshotEntry[]): ConsentSnapshot {
  const sorted = entries
    .map(({ pseudonym, consentId, version, decision, rule, path }) => ({
      pseudonym,
      consentId,
      version,
      decision,
      rule,
      path,
    }))
    .sort((left, right) => (left.pseudonym < right.pseudonym ? -1 : 1));
  const bytes = encodeCanonicalJson(sorted);
  return { text: fromUtf8(bytes), digest: sha256Hex(bytes) };
}

// The consent snapshot of a cohort (security.md C13): RFC 8785 JSON, an array of entries by pseudonym; the same state gives the same
// digest again.
import { toHex, utf8 } from '#base/bytes.ts';
import { createSha256 } from '#federation/crypto/digest.ts';
import { encodeCanonicalJson } from '#federation/records/canonical-json.ts';
import type { ConsentDecision } from './evaluate-consent.ts';

export interface ConsentSnapshotEntry extends Omit<ConsentDecision, 'data'> {
  /** Research-study pseudonym; the site's own subject id never enters a digest that leaves. */
  readonly pseudonym: string;
}

/**
 * sha256 of the snapshot, which is never whole in memory.
 * @param entries by pseudonym, each once
 */
export function digestConsentSnapshot(entries: Iterable<ConsentSnapshotEntry>): string {
  const digest = createSha256();
  let before = '[';
  for (const { pseudonym, consentId, version, decision, rule, path } of entries) {
    digest.update(utf8(before));
    digest.update(encodeCanonicalJson({ pseudonym, consentId, version, decision, rule, path }));
    before = ',';
  }
  digest.update(utf8(before === '[' ? '[]' : ']'));
  return toHex(digest.digest());
}

// The consent snapshot of a cohort (security.md C13): RFC 8785 JSON, an array of entries by pseudonym; the same state gives the same
// digest again.
import { toHex, utf8 } from '#base/bytes.ts';
import { createSha256 } from '#federation/crypto/digest.ts';
import type { ConsentDecision } from './evaluate-consent.ts';

export interface ConsentSnapshotEntry {
  /** Research-study pseudonym; the site's own subject id never enters a digest that leaves. */
  readonly pseudonym: string;
  readonly decision: ConsentDecision;
}

const entriesInPart = 1_000;

/**
 * sha256 of the snapshot, which is never whole in memory.
 * @param entries by pseudonym, each once
 */
export function digestConsentSnapshot(entries: Iterable<ConsentSnapshotEntry>): string {
  const digest = createSha256();
  let part: string[] = [];
  let before = '[';
  const flush = () => {
    digest.update(utf8(before + part.join(',')));
    before = ',';
    part = [];
  };
  for (const entry of entries) {
    part.push(canonicalEntry(entry));
    if (part.length === entriesInPart) flush();
  }
  if (part.length > 0 || before === '[') flush();
  digest.update(utf8(']'));
  return toHex(digest.digest());
}

/** The members of the object in the order of RFC 8785, whose strings and whole numbers are those of ECMAScript. */
function canonicalEntry({ pseudonym, decision: consent }: ConsentSnapshotEntry): string {
  const { consentId, decision, path, rule, version } = consent;
  return JSON.stringify({ consentId, decision, path, pseudonym, rule, version });
}

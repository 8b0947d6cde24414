// The sealed way back from a subject to a patient: found by a keyed digest of the identifier, opened under the linkage key.
import { fromUtf8, utf8 } from '#base/bytes.ts';
import { hmacSha256Text } from '#federation/crypto/digest.ts';
import { openBytes, sealBytes } from '#federation/crypto/seal.ts';
import { DeidentifyError } from './deidentify-error.ts';
import { joinParts, normaliseIdentifier, type PatientKey } from './subject-id.ts';

/** What a link holds. Never an input of a tensor, a log or an export. */
export interface PatientIdentity extends PatientKey {
  readonly name: string | null;
  /** As the source wrote it: `YYYY-MM-DD`, or a part of it. */
  readonly birthDate: string | null;
}

/** Key under which a link is found: an HMAC, so that a copied table cannot be searched for an identifier. */
export function linkKeyOf(linkageKey: Uint8Array, key: PatientKey): Uint8Array {
  return hmacSha256Text(linkageKey, joinParts(['link', key.authority, normaliseIdentifier(key.identifier)]));
}

/** @param linkKey bound as associated data: a sealed link moved to another patient's row does not open */
export function sealLink(linkageKey: Uint8Array, linkKey: Uint8Array, identity: PatientIdentity): Uint8Array {
  const { authority, identifier, name, birthDate } = identity;
  return sealBytes(linkageKey, utf8(JSON.stringify([authority, identifier, name, birthDate])), linkKey);
}

/** @throws DeidentifyError LINK_UNREADABLE when it was sealed under another key, or changed. */
export function openLink(linkageKey: Uint8Array, linkKey: Uint8Array, sealed: Uint8Array): PatientIdentity {
  let text: string;
  try {
    text = fromUtf8(openBytes(linkageKey, sealed, linkKey));
  } catch (cause) {
    throw new DeidentifyError('LINK_UNREADABLE', 'a sealed patient link does not open', { cause });
  }
  const [authority, identifier, name, birthDate] = JSON.parse(text) as [
    string,
    string,
    string | null,
    string | null,
  ];
  return { authority, identifier, name, birthDate };
}

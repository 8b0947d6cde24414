// Pseudonyms (security.md D10): base32 of an HMAC-SHA-256, cut to 26 characters (130 bits). Without the key they cannot be searched.
import { hmacSha256Text } from '#federation/crypto/digest.ts';
import { DeidentifyError } from './deidentify-error.ts';

/** A patient as one source names them. */
export interface PatientKey {
  /** Who gave the identifier: the URI of an identifier system, or another fixed name of the source. */
  readonly authority: string;
  readonly identifier: string;
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const pseudonymLength = 26;

/** RFC 4648 base32 in lower case, without padding. */
export function encodeBase32(bytes: Uint8Array): string {
  let text = '';
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet[(buffer >> bits) & 31];
    }
  }
  return bits === 0 ? text : text + alphabet[(buffer << (5 - bits)) & 31];
}

/** One spelling for identifiers that differ only in how they were typed. Case and leading zeros count. */
export function normaliseIdentifier(identifier: string): string {
  return identifier.normalize('NFKC').replaceAll(/\s+/g, '');
}

/**
 * Keyed pseudonym of `parts`, joined by NUL.
 * @param key 32 bytes
 * @throws DeidentifyError BAD_IDENTIFIER when a part is empty or holds NUL: two different patients could then share one id.
 */
export function derivePseudonym(key: Uint8Array, parts: readonly string[]): string {
  return encodeBase32(hmacSha256Text(key, joinParts(parts))).slice(0, pseudonymLength);
}

/** The site's id of a patient: `derivePseudonym` over 'pid', authority and normalised identifier. */
export function subjectIdOf(subjectKey: Uint8Array, key: PatientKey): string {
  return derivePseudonym(subjectKey, ['pid', key.authority, normaliseIdentifier(key.identifier)]);
}

/** The parts with one NUL between them. @throws DeidentifyError BAD_IDENTIFIER. */
export function joinParts(parts: readonly string[]): string {
  if (parts.some((part) => part === '' || part.includes('\0'))) {
    throw new DeidentifyError('BAD_IDENTIFIER', 'an identifier is empty or holds a NUL character');
  }
  return parts.join('\0');
}

// An invitation to enrol, as one line of text that a person carries to the site (docs/formats/invitation.md).
import { z } from 'zod';
import { fromBase64 } from '#base/bytes.ts';
import { CodedError } from '#base/coded-error.ts';
import { verifySigningPublicKey } from '#federation/crypto/signing-key.ts';
import { encodeCanonicalJson } from '#federation/records/canonical-json.ts';
import { base64Text, digestHex, identifier, isoTimestamp, plainText } from '#federation/records/fields.ts';
import { parseStrictJson } from '#federation/records/strict-json.ts';

export type InvitationCode = 'BAD_INVITATION';

/** A text that is no invitation. It is not quoted: it holds a secret. */
export class InvitationError extends CodedError<InvitationCode> {}

const PREFIX = 'consilium-invitation:';
const MAX_TEXT_LENGTH = 4000;

export const invitation = z.strictObject({
  /** Where the consortium listens: https, no path, query or user. */
  url: z.string().max(300).refine(isOrigin),
  /** sha256 of the consortium's certificate (DER). */
  certificateDigest: digestHex,
  /** Ed25519 SubjectPublicKeyInfo (DER) of the root key, base64. */
  rootPublicKey: base64Text(400).refine(isSigningKey),
  /** One-time code, base64 of 16 random bytes. */
  code: base64Text(24).refine((text) => fromBase64(text).length === 16),
  siteId: identifier,
  /** The site's name, as the consortium has it. */
  name: plainText(200),
  expires: isoTimestamp,
});
export type Invitation = z.infer<typeof invitation>;

/** `consilium-invitation:` and the base64url (RFC 4648 section 5, no padding) of the RFC 8785 JSON. @throws InvitationError BAD_INVITATION. */
export function encodeInvitation(content: Invitation): string {
  const text = PREFIX + Buffer.from(encodeCanonicalJson(content)).toString('base64url');
  parseInvitation(text);
  return text;
}

/** White space around and line breaks inside are forgiven: mail programs fold long lines. @throws InvitationError BAD_INVITATION. */
export function parseInvitation(text: string): Invitation {
  const compact = text.slice(0, 2 * MAX_TEXT_LENGTH).replace(/\s+/g, '');
  if (!compact.startsWith(PREFIX) || compact.length > MAX_TEXT_LENGTH) throw badInvitation();
  try {
    const bytes = fromBase64Url(compact.slice(PREFIX.length));
    return invitation.parse(parseStrictJson(bytes, { maxBytes: MAX_TEXT_LENGTH }));
  } catch {
    throw badInvitation();
  }
}

function fromBase64Url(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) throw badInvitation();
  return new Uint8Array(bytes);
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && text.startsWith('https://') && new URL(text).origin === text;
}

function isSigningKey(text: string): boolean {
  try {
    verifySigningPublicKey(fromBase64(text));
    return true;
  } catch {
    return false;
  }
}

function badInvitation(): InvitationError {
  return new InvitationError('BAD_INVITATION', 'This text is no invitation of a consortium.');
}

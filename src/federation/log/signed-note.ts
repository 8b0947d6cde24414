// C2SP signed-note with Ed25519: a text and signature lines that any transparency-log tool can check.
import { concatBytes, equalBytes, fromBase64, fromUtf8, toBase64, toHex, utf8 } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { type SigningKey, verifySignature } from '#federation/crypto/signing-key.ts';
import { parseSpki } from '#federation/crypto/spki.ts';
import { LogError } from '#federation/log/log-error.ts';

const ED25519_TYPE = new Uint8Array([1]);
const MAX_NOTE_LENGTH = 100_000;
const MAX_SIGNATURES = 100;
/** Em dash and space start a signature line. */
const SIGNATURE_START = '\u2014 ';

export interface NoteKey {
  /** Name of the signer on its signature line, e.g. the log's origin. No space, no plus sign. */
  readonly name: string;
  /** Ed25519 SubjectPublicKeyInfo (DER). */
  readonly publicKey: Uint8Array;
}

export interface SignedNote {
  /** Ends in a line feed. The signatures are over its UTF-8 bytes. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface NoteSignature {
  readonly name: string;
  /** Key id (4 bytes), then the signature. */
  readonly bytes: Uint8Array;
}

/** First four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ 32-byte Ed25519 key). */
export function noteKeyId(key: NoteKey): Uint8Array {
  return sha256(concatBytes(utf8(`${key.name}\n`), ED25519_TYPE, parseSpki('Ed25519', key.publicKey))).slice(
    0,
    4,
  );
}

/** The key as other tools take it: `name+hex key id+base64(0x01 ‖ key)`. */
export function encodeVerifierKey(key: NoteKey): string {
  const bytes = concatBytes(ED25519_TYPE, parseSpki('Ed25519', key.publicKey));
  return `${key.name}+${toHex(noteKeyId(key))}+${toBase64(bytes)}`;
}

/** Signs `text` (lines, each ended by a line feed) in the name `name`. */
export function signNote(text: string, name: string, signer: SigningKey): string {
  const id = noteKeyId({ name, publicKey: signer.publicKey });
  return `${text}\n${SIGNATURE_START}${name} ${toBase64(concatBytes(id, signer.sign(utf8(text))))}\n`;
}

/** Takes a note apart without checking a signature. @throws LogError BAD_CHECKPOINT on any other shape. */
export function parseNote(note: string): SignedNote {
  if (note.length > MAX_NOTE_LENGTH) throw badNote('too long');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  if (/[\u0000-\u0009\u000b-\u001f\ufffd]/.test(note)) throw badNote('control character');
  const split = note.lastIndexOf('\n\n');
  if (split < 0 || !note.endsWith('\n')) throw badNote('no signature block');
  const lines = note.slice(split + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw badNote('too many signatures');
  return { text: note.slice(0, split + 1), signatures: lines.map(parseSignature) };
}

/**
 * Checks the note's signature by `key`. Signatures by other keys are passed over, as the standard asks.
 * @throws LogError LOG_KEY_NOT_TRUSTED when no line is by this key, BAD_CHECKPOINT when its signature is false.
 */
export function verifyNote(note: SignedNote, key: NoteKey): void {
  const id = noteKeyId(key);
  const own = note.signatures.filter(
    ({ name, bytes }) => name === key.name && equalBytes(bytes.slice(0, 4), id),
  );
  const signature = own[0];
  if (signature === undefined)
    throw new LogError('LOG_KEY_NOT_TRUSTED', 'the checkpoint is not signed by the trusted log key');
  if (own.length > 1) throw badNote('two signatures by one key');
  try {
    verifySignature(key.publicKey, utf8(note.text), signature.bytes.slice(4));
  } catch (cause) {
    throw new LogError('BAD_CHECKPOINT', 'the signature of the checkpoint is false', { cause });
  }
}

function parseSignature(line: string): NoteSignature {
  const match = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/.exec(line);
  if (match?.[1] === undefined || match[2] === undefined) throw badNote('signature line');
  try {
    const bytes = fromBase64(match[2]);
    if (bytes.length < 5) throw badNote('short signature');
    return { name: match[1], bytes };
  } catch (cause) {
    throw new LogError('BAD_CHECKPOINT', 'not a signed note: signature line', { cause });
  }
}

function badNote(why: string): LogError {
  return new LogError('BAD_CHECKPOINT', `not a signed note: ${why}`);
}

/** Text of a file of notes. @throws LogError BAD_CHECKPOINT on malformed UTF-8. */
export function noteText(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch (cause) {
    throw new LogError('BAD_CHECKPOINT', 'not UTF-8', { cause });
  }
}

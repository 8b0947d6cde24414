// A signed statement of a log's size and root (C2SP tlog-checkpoint): from then on nothing below that size can change unseen.
import { fromBase64, toBase64 } from '#base/bytes.ts';
import type { SigningKey } from '#federation/crypto/signing-key.ts';
import { LogError } from '#federation/log/log-error.ts';
import { type NoteKey, parseNote, signNote, verifyNote } from '#federation/log/signed-note.ts';

export interface Checkpoint {
  /** Names the log; a schemaless URL such as `consilium.example/site/cleveland/log`. Also the name its key signs in. */
  readonly origin: string;
  /** Number of leaves. */
  readonly size: number;
  /** 32 bytes. */
  readonly rootHash: Uint8Array;
}

/** The signed note of a checkpoint. */
export function signCheckpoint(checkpoint: Checkpoint, signer: SigningKey): string {
  return signNote(encodeCheckpoint(checkpoint), checkpoint.origin, signer);
}

/** The note's text: origin, decimal size and base64 root, one line each. */
export function encodeCheckpoint(checkpoint: Checkpoint): string {
  return `${checkpoint.origin}\n${checkpoint.size}\n${toBase64(checkpoint.rootHash)}\n`;
}

/** What a note says, unverified. @throws LogError BAD_CHECKPOINT. */
export function parseCheckpoint(note: string): Checkpoint {
  return parseText(parseNote(note).text);
}

/**
 * What the log signed. `key.name` is the origin the caller expects: a checkpoint of another log is refused (mix-up).
 * @throws LogError BAD_CHECKPOINT, LOG_KEY_NOT_TRUSTED.
 */
export function verifyCheckpoint(note: string, key: NoteKey): Checkpoint {
  const parsed = parseNote(note);
  const checkpoint = parseText(parsed.text);
  if (checkpoint.origin !== key.name) {
    throw new LogError('LOG_KEY_NOT_TRUSTED', 'the checkpoint is of another log', {
      details: { expected: key.name, found: checkpoint.origin },
    });
  }
  verifyNote(parsed, key);
  return checkpoint;
}

function parseText(text: string): Checkpoint {
  const [origin, size, root, ...extensions] = text.split('\n');
  if (origin === undefined || !/^[^\s+]+$/.test(origin)) throw badCheckpoint('origin');
  if (size === undefined || !/^(?:0|[1-9][0-9]{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) {
    throw badCheckpoint('size');
  }
  if (root === undefined || !/^[A-Za-z0-9+/]{43}=$/.test(root)) throw badCheckpoint('root hash');
  // Extension lines are opaque and may be there; the text ends in a line feed and none of them is empty.
  if (extensions.pop() !== '' || extensions.includes('')) throw badCheckpoint('lines');
  try {
    return { origin, size: Number(size), rootHash: fromBase64(root) };
  } catch (cause) {
    throw new LogError('BAD_CHECKPOINT', 'not a checkpoint: root hash', { cause });
  }
}

function badCheckpoint(why: string): LogError {
  return new LogError('BAD_CHECKPOINT', `not a checkpoint: ${why}`);
}

// Sizes of a log whose roots are known: from signed checkpoints and from witnesses.
import { isCodedError } from '#base/coded-error.ts';
import { parseCheckpoint, verifyCheckpoint } from '#federation/log/checkpoint.ts';
import type { LogProblem, LogProblemCode, LogTrust } from '#federation/log/log-problem.ts';

export interface Anchor {
  readonly size: number;
  readonly rootHash: Uint8Array;
  readonly isWitness: boolean;
}

interface RefusedCheckpoint {
  /** What the note says; null where it says nothing. */
  readonly size: number | null;
  readonly code: LogProblemCode;
  readonly message: string;
}

/** Anchors by rising size, and a problem for each checkpoint that is none. */
export function readAnchors(
  checkpoints: readonly string[],
  trust: LogTrust,
): { readonly anchors: Anchor[]; readonly problems: LogProblem[] } {
  const anchors: Anchor[] = trust.witnessed.map((witnessed) => ({ ...witnessed, isWitness: true }));
  const refused: RefusedCheckpoint[] = [];
  for (const note of checkpoints) {
    const result = readCheckpoint(note, trust);
    if ('code' in result) refused.push(result);
    else anchors.push(result);
  }
  anchors.sort((left, right) => left.size - right.size);
  return { anchors, problems: refused.map((checkpoint) => problemOf(checkpoint, anchors)) };
}

/** The entries that only this checkpoint would vouch for begin where the good one before it ends. */
function problemOf({ size, code, message }: RefusedCheckpoint, anchors: readonly Anchor[]): LogProblem {
  if (size === null) return { seq: null, code, message };
  return { seq: anchors.findLast((anchor) => anchor.size < size)?.size ?? 0, code, message };
}

function readCheckpoint(note: string, trust: LogTrust): Anchor | RefusedCheckpoint {
  let size: number | null = null;
  try {
    size = parseCheckpoint(note).size;
    for (const publicKey of trust.publicKeys) {
      try {
        return { ...verifyCheckpoint(note, { name: trust.origin, publicKey }), isWitness: false };
      } catch (error) {
        if (!isCodedError(error, 'LOG_KEY_NOT_TRUSTED')) throw error;
      }
    }
    return {
      size,
      code: 'LOG_KEY_REPLACED',
      message: 'a checkpoint is signed by a key that is not trusted for this log',
    };
  } catch (error) {
    if (!isCodedError(error, 'BAD_CHECKPOINT')) throw error;
    return {
      size,
      code: 'CHECKPOINT_MALFORMED',
      message: 'a checkpoint is malformed or its signature is false',
    };
  }
}

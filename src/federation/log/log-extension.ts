// A newer checkpoint with the proof that its log continues what the reader holds (C2SP tlog-witness, body of add-checkpoint).
import { fromBase64, toBase64 } from '#base/bytes.ts';
import { LogError } from '#federation/log/log-error.ts';

export interface LogExtension {
  /** Size of the checkpoint that the reader holds; 0 where it holds none. */
  readonly oldSize: number;
  /** RFC 6962 consistency proof from `oldSize` to the size of the checkpoint. */
  readonly proof: readonly Uint8Array[];
  /** The newer checkpoint: a signed note. */
  readonly note: string;
}

/** More than any tree below 2^53 leaves needs; as in the standard. */
const MAX_HASHES = 63;

/** Lines: `old` and the size, the hashes in base64, an empty one, the note. */
export function encodeLogExtension({ oldSize, proof, note }: LogExtension): string {
  return [`old ${oldSize}`, ...proof.map(toBase64), '', note].join('\n');
}

/** Takes one apart; nothing of it is verified. @throws LogError BAD_CHECKPOINT. */
export function parseLogExtension(text: string): LogExtension {
  const end = text.indexOf('\n\n');
  const [first = '', ...hashes] = text.slice(0, Math.max(end, 0)).split('\n');
  const oldSize = /^old (0|[1-9][0-9]{0,14})$/.exec(first)?.[1];
  const isProof = hashes.length <= MAX_HASHES && hashes.every((hash) => /^[A-Za-z0-9+/]{43}=$/.test(hash));
  if (oldSize === undefined || !isProof) throw badExtension();
  try {
    return { oldSize: Number(oldSize), proof: hashes.map(fromBase64), note: text.slice(end + 2) };
  } catch (cause) {
    throw badExtension(cause);
  }
}

function badExtension(cause?: unknown): LogError {
  return new LogError('BAD_CHECKPOINT', 'not a checkpoint with its proof', { cause });
}

// Proof that one entry stands in a log under a signed checkpoint: how a site knows that what it was sent was also logged.
import { fromBase64, toBase64 } from '#base/bytes.ts';
import { type Checkpoint, parseCheckpoint, verifyCheckpoint } from '#federation/log/checkpoint.ts';
import { type Leaf, parseLeaf } from '#federation/log/leaf.ts';
import { LogError } from '#federation/log/log-error.ts';
import type { TreeNodes } from '#federation/log/log-storage.ts';
import { hashLeafText, inclusionProof, verifyInclusion } from '#federation/log/merkle-tree.ts';
import type { NoteKey } from '#federation/log/signed-note.ts';

/** Travels as JSON. */
export interface LeafProof {
  /** The entry's line. */
  readonly leaf: string;
  /** Its place, from 0. */
  readonly index: number;
  /** RFC 6962 audit path, leaf side first; base64 of 32 bytes each. */
  readonly hashes: readonly string[];
  /** C2SP signed checkpoint. */
  readonly checkpoint: string;
}

/** A path in a tree of 2^53 leaves is no longer. */
const MAX_HASHES = 53;

/** The proof of leaf `index` under the signed checkpoint `note`. */
export function createLeafProof(
  leaf: { readonly line: string; readonly index: number },
  note: string,
  nodes: TreeNodes,
): LeafProof {
  const { size } = parseCheckpoint(note);
  const hashes = inclusionProof(leaf.index, size, nodes).map(toBase64);
  return { leaf: leaf.line, index: leaf.index, hashes, checkpoint: note };
}

/**
 * The proven entry. The caller still compares what the entry says with what it was sent.
 * @throws LogError BAD_LOG_PROOF, BAD_LEAF, BAD_CHECKPOINT, LOG_KEY_NOT_TRUSTED.
 */
export function verifyLeafProof(
  value: unknown,
  key: NoteKey,
): { readonly leaf: Leaf; readonly checkpoint: Checkpoint } {
  const proof = readProof(value);
  const checkpoint = verifyCheckpoint(proof.checkpoint, key);
  const leaf = parseLeaf(proof.leaf);
  if (leaf.seq !== proof.index) throw badProof('place and entry differ');
  verifyInclusion({
    leafHash: hashLeafText(proof.leaf),
    index: proof.index,
    size: checkpoint.size,
    rootHash: checkpoint.rootHash,
    proof: proof.hashes.map(readHash),
  });
  return { leaf, checkpoint };
}

function readProof(value: unknown): LeafProof {
  if (typeof value !== 'object' || value === null) throw badProof('shape');
  const { leaf, index, hashes, checkpoint } = value as Partial<Record<keyof LeafProof, unknown>>;
  if (typeof leaf !== 'string' || typeof checkpoint !== 'string') throw badProof('shape');
  if (typeof index !== 'number' || !Number.isSafeInteger(index) || index < 0) throw badProof('shape');
  if (
    !Array.isArray(hashes) ||
    hashes.length > MAX_HASHES ||
    !hashes.every((hash) => typeof hash === 'string')
  ) {
    throw badProof('shape');
  }
  return { leaf, index, hashes, checkpoint };
}

function readHash(text: string): Uint8Array {
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text)) throw badProof('hash');
  try {
    return fromBase64(text);
  } catch (cause) {
    throw new LogError('BAD_LOG_PROOF', 'the log proof is malformed: hash', { cause });
  }
}

function badProof(why: string): LogError {
  return new LogError('BAD_LOG_PROOF', `the log proof is malformed: ${why}`);
}

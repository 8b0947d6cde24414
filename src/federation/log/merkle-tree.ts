// Merkle tree hashing, inclusion and consistency proofs (RFC 6962 section 2.1; verification as in RFC 9162 section 2.1).
// Positions and sizes are whole numbers up to 2^53 - 1, so no bit operators: those end at 32 bits.
import { equalBytes } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { LogError } from '#federation/log/log-error.ts';
import type { TreeNode, TreeNodes } from '#federation/log/log-storage.ts';

export const HASH_BYTES = 32;
const LEAF_PREFIX = 0;
const NODE_PREFIX = 1;

/** What is hashed is put together here, each time anew: an array for each of a million leaves would take longer than its hash. */
let leafBytes = Buffer.alloc(4096, LEAF_PREFIX);
const nodeBytes = new Uint8Array(1 + 2 * HASH_BYTES).fill(NODE_PREFIX, 0, 1);

/** SHA-256(0x00 ‖ leaf). The prefixes keep a node from passing as a leaf (second-preimage attack). */
export function hashLeaf(leaf: Uint8Array): Uint8Array {
  reserveLeaf(leaf.length);
  leafBytes.set(leaf, 1);
  return sha256(leafBytes.subarray(0, 1 + leaf.length));
}

/** The same of a text's UTF-8 bytes. */
export function hashLeafText(text: string): Uint8Array {
  // A UTF-16 unit takes three bytes at most.
  reserveLeaf(3 * text.length);
  return sha256(leafBytes.subarray(0, 1 + leafBytes.write(text, 1, 'utf8')));
}

function reserveLeaf(byteCount: number): void {
  if (leafBytes.length <= byteCount) leafBytes = Buffer.alloc(2 * (1 + byteCount), LEAF_PREFIX);
}

/** SHA-256(0x01 ‖ left ‖ right). @throws LogError BAD_LOG_PROOF when one is not 32 bytes: other cuts of the same 64 bytes would hash alike. */
export function hashNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length !== HASH_BYTES || right.length !== HASH_BYTES) throw badProof('a hash has 32 bytes');
  nodeBytes.set(left, 1);
  nodeBytes.set(right, 1 + HASH_BYTES);
  return sha256(nodeBytes);
}

/** Nodes of level 1 and up that appending leaf `seq` completes; `leafHash` is its hash, `nodes` the tree before it. */
export function completedNodes(seq: number, leafHash: Uint8Array, nodes: TreeNodes): TreeNode[] {
  const completed: TreeNode[] = [];
  let hash = leafHash;
  let position = seq;
  for (let level = 0; position % 2 === 1; level += 1) {
    hash = hashNode(nodes.node(level, position - 1), hash);
    position = (position - 1) / 2;
    completed.push({ level: level + 1, position, hash });
  }
  return completed;
}

/** Root of the first `size` leaves; O(log size) reads. The root of no leaves is SHA-256 of nothing. */
export function rootHash(size: number, nodes: TreeNodes): Uint8Array {
  return rangeHash(0, size, nodes);
}

/** Audit path of leaf `index` in the tree of `size` leaves, leaf side first. */
export function inclusionProof(index: number, size: number, nodes: TreeNodes): Uint8Array[] {
  if (!(index >= 0 && index < size)) throw badProof('index outside the tree');
  const path: Uint8Array[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + splitPoint(end - start);
    if (index < middle) {
      path.push(rangeHash(middle, end, nodes));
      end = middle;
    } else {
      path.push(rangeHash(start, middle, nodes));
      start = middle;
    }
  }
  return path.reverse();
}

/** Proof that the tree of `oldSize` leaves is a prefix of that of `size` leaves. Empty for equal sizes and for size 0. */
export function consistencyProof(oldSize: number, size: number, nodes: TreeNodes): Uint8Array[] {
  if (!(oldSize >= 0 && oldSize <= size)) throw badProof('sizes out of order');
  const path: Uint8Array[] = [];
  if (oldSize === 0 || oldSize === size) return path;
  let start = 0;
  let end = size;
  let oldIsWhole = true;
  while (oldSize !== end) {
    const middle = start + splitPoint(end - start);
    if (oldSize <= middle) {
      path.push(rangeHash(middle, end, nodes));
      end = middle;
    } else {
      path.push(rangeHash(start, middle, nodes));
      start = middle;
      oldIsWhole = false;
    }
  }
  if (!oldIsWhole) path.push(rangeHash(start, end, nodes));
  return path.reverse();
}

export interface InclusionClaim {
  readonly leafHash: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly rootHash: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** @throws LogError BAD_LOG_PROOF unless the leaf stands at `index` in the tree with that root. */
export function verifyInclusion(claim: InclusionClaim): void {
  if (!(claim.index >= 0 && claim.index < claim.size)) throw badProof('index outside the tree');
  let position = claim.index;
  let last = claim.size - 1;
  let hash = claim.leafHash;
  for (const sibling of claim.proof) {
    if (last === 0) throw badProof('too long');
    if (position % 2 === 1 || position === last) {
      hash = hashNode(sibling, hash);
      while (position % 2 === 0 && position !== 0) {
        position /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      hash = hashNode(hash, sibling);
    }
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  }
  if (last !== 0) throw badProof('too short');
  if (!equalBytes(hash, claim.rootHash)) throw badProof('root differs');
}

export interface ConsistencyClaim {
  readonly oldSize: number;
  readonly oldRootHash: Uint8Array;
  readonly size: number;
  readonly rootHash: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** @throws LogError BAD_LOG_PROOF unless the old tree is a prefix of the new one (rewritten or forked history). */
export function verifyConsistency(claim: ConsistencyClaim): void {
  const { oldSize, size } = claim;
  if (!(oldSize >= 0 && oldSize <= size)) throw badProof('sizes out of order');
  if (oldSize === 0 || oldSize === size) {
    if (claim.proof.length > 0) throw badProof('too long');
    if (oldSize === size && !equalBytes(claim.oldRootHash, claim.rootHash)) throw badProof('root differs');
    return;
  }
  // RFC 9162 section 2.1.4.2: an old tree of a power of two leaves is itself the first hash of the path.
  const path = isPowerOfTwo(oldSize) ? [claim.oldRootHash, ...claim.proof] : [...claim.proof];
  const first = path.shift();
  if (first === undefined) throw badProof('too short');
  let position = oldSize - 1;
  let last = size - 1;
  while (position % 2 === 1) {
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  }
  let oldHash = first;
  let newHash = first;
  for (const hash of path) {
    if (last === 0) throw badProof('too long');
    if (position % 2 === 1 || position === last) {
      oldHash = hashNode(hash, oldHash);
      newHash = hashNode(hash, newHash);
      while (position % 2 === 0 && position !== 0) {
        position /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      newHash = hashNode(newHash, hash);
    }
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  }
  if (last !== 0) throw badProof('too short');
  if (!equalBytes(oldHash, claim.oldRootHash)) throw badProof('old root differs');
  if (!equalBytes(newHash, claim.rootHash)) throw badProof('root differs');
}

/** Root of a tree that is only read from front to back: keeps one hash for each complete subtree on the right edge. */
export interface CompactRange {
  readonly size: number;
  append(leafHash: Uint8Array): void;
  root(): Uint8Array;
}

export function createCompactRange(): CompactRange {
  const edge: (Uint8Array | undefined)[] = [];
  let size = 0;
  return {
    get size() {
      return size;
    },
    append(leafHash) {
      let hash = leafHash;
      let level = 0;
      for (let left = edge[0]; left !== undefined; left = edge[level]) {
        hash = hashNode(left, hash);
        edge[level] = undefined;
        level += 1;
      }
      edge[level] = hash;
      size += 1;
    },
    root() {
      let root: Uint8Array | undefined;
      for (const hash of edge) {
        if (hash !== undefined) root = root === undefined ? hash : hashNode(hash, root);
      }
      return root ?? sha256(new Uint8Array());
    },
  };
}

/** Hash of leaves [start, end), where start is a multiple of the smallest power of two that is not below end - start. */
function rangeHash(start: number, end: number, nodes: TreeNodes): Uint8Array {
  const parts: Uint8Array[] = [];
  let from = start;
  while (from < end) {
    let width = 1;
    let level = 0;
    while (width * 2 <= end - from) {
      width *= 2;
      level += 1;
    }
    parts.push(nodes.node(level, from / width));
    from += width;
  }
  const last = parts.pop();
  if (last === undefined) return sha256(new Uint8Array());
  return parts.reduceRight((right, left) => hashNode(left, right), last);
}

/** The largest power of two below `count` (count > 1). */
function splitPoint(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

function isPowerOfTwo(value: number): boolean {
  let power = 1;
  while (power < value) power *= 2;
  return power === value;
}

function badProof(why: string): LogError {
  return new LogError('BAD_LOG_PROOF', `the log proof does not hold: ${why}`);
}

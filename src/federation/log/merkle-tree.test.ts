import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import {
  consistencyProof,
  createCompactRange,
  hashLeaf,
  hashNode,
  inclusionProof,
  rootHash,
  verifyConsistency,
  verifyInclusion,
} from '#federation/log/merkle-tree.ts';
import { createMemoryNodes } from '#support/memory-log-storage.ts';

const MAX_SIZE = 70;
const leaves = Array.from({ length: MAX_SIZE }, (_, index) => hashLeaf(utf8(`leaf ${index}`)));
const nodes = createMemoryNodes();
for (const leaf of leaves) nodes.append(leaf);

/** RFC 6962 section 2.1, word by word. */
function naiveRoot(hashes: readonly Uint8Array[]): Uint8Array {
  const [only] = hashes;
  if (only === undefined) return sha256(new Uint8Array());
  if (hashes.length === 1) return only;
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return hashNode(naiveRoot(hashes.slice(0, split)), naiveRoot(hashes.slice(split)));
}
const roots = Array.from({ length: MAX_SIZE + 1 }, (_, size) => naiveRoot(leaves.slice(0, size)));
const rootOf = (size: number): Uint8Array => roots[size] ?? new Uint8Array();
const leafAt = (index: number): Uint8Array => leaves[index] ?? new Uint8Array();

/** One change to a list of hashes: a byte, one less, one more, two swapped. */
function broken(proof: readonly Uint8Array[], choice: number): Uint8Array[] {
  const copy = proof.map((hash) => hash.slice());
  const at = choice % Math.max(1, copy.length);
  const target = copy[at];
  if (choice % 3 === 0 || target === undefined) return [...copy, new Uint8Array(32)];
  if (choice % 3 === 1) return copy.toSpliced(at, 1);
  target[choice % 32] = (target[choice % 32] ?? 0) ^ 1;
  return copy;
}

describe('the tree', () => {
  it('has the root of the recursive definition at every size, from nodes and as a compact range', () => {
    const range = createCompactRange();
    for (let size = 0; size <= MAX_SIZE; size += 1) {
      expect(rootHash(size, nodes)).toEqual(rootOf(size));
      expect(range.root()).toEqual(rootOf(size));
      if (size < MAX_SIZE) range.append(leafAt(size));
    }
    expect(range.size).toBe(MAX_SIZE);
  });

  it('proves every leaf at every size, and no other leaf, place or root', () => {
    for (let size = 1; size <= MAX_SIZE; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const claim = {
          leafHash: leafAt(index),
          index,
          size,
          rootHash: rootOf(size),
          proof: inclusionProof(index, size, nodes),
        };
        verifyInclusion(claim);
        const other = (index + 1) % size;
        if (other !== index) {
          expect(() => verifyInclusion({ ...claim, index: other })).toThrow(
            expect.objectContaining({ code: 'BAD_LOG_PROOF' }),
          );
          expect(() => verifyInclusion({ ...claim, leafHash: leafAt(other) })).toThrow();
        }
        expect(() => verifyInclusion({ ...claim, rootHash: rootOf(size - 1) })).toThrow();
      }
    }
  });

  it('proves that every older tree is a prefix of every newer one', () => {
    for (let size = 0; size <= MAX_SIZE; size += 1) {
      for (let oldSize = 0; oldSize <= size; oldSize += 1) {
        const proof = consistencyProof(oldSize, size, nodes);
        const claim = { oldSize, oldRootHash: rootOf(oldSize), size, rootHash: rootOf(size), proof };
        verifyConsistency(claim);
        if (oldSize > 0) {
          expect(() => verifyConsistency({ ...claim, oldRootHash: rootOf(oldSize - 1) })).toThrow(
            expect.objectContaining({ code: 'BAD_LOG_PROOF' }),
          );
        }
      }
    }
  });

  it('refuses changed, cut and lengthened proofs', () => {
    fc.assert(
      fc.property(fc.nat(MAX_SIZE - 1), fc.nat(MAX_SIZE - 1), fc.nat(1000), (first, second, choice) => {
        const size = Math.max(first, second) + 1;
        const index = Math.min(first, second);
        const inclusion = { leafHash: leafAt(index), index, size, rootHash: rootOf(size) };
        expect(() =>
          verifyInclusion({ ...inclusion, proof: broken(inclusionProof(index, size, nodes), choice) }),
        ).toThrow();
        const oldSize = index + 1;
        const consistency = { oldSize, oldRootHash: rootOf(oldSize), size, rootHash: rootOf(size) };
        expect(() =>
          verifyConsistency({
            ...consistency,
            proof: broken(consistencyProof(oldSize, size, nodes), choice),
          }),
        ).toThrow();
      }),
      { numRuns: 300 },
    );
  });

  it('refuses a log that was rewritten below the old size', () => {
    const forked = createMemoryNodes();
    for (const [index, leaf] of leaves.entries())
      forked.append(index === 3 ? hashLeaf(utf8('rewritten')) : leaf);
    for (const oldSize of [4, 5, 8, 13, 64]) {
      const proof = consistencyProof(oldSize, MAX_SIZE, forked);
      const claim = {
        oldSize,
        oldRootHash: rootOf(oldSize),
        size: MAX_SIZE,
        rootHash: rootHash(MAX_SIZE, forked),
        proof,
      };
      expect(() => verifyConsistency(claim)).toThrow(expect.objectContaining({ code: 'BAD_LOG_PROOF' }));
    }
  });

  it.each([
    [-1, 3],
    [3, 3],
    [Number.NaN, 3],
  ])('has no proof for leaf %s of %s', (index, size) => {
    expect(() => inclusionProof(index, size, nodes)).toThrow(
      expect.objectContaining({ code: 'BAD_LOG_PROOF' }),
    );
    expect(() =>
      verifyInclusion({ leafHash: leafAt(0), index, size, rootHash: rootOf(3), proof: [] }),
    ).toThrow(expect.objectContaining({ code: 'BAD_LOG_PROOF' }));
  });

  it('keeps a leaf from passing as a node and a node as a leaf', () => {
    const [left, right] = [leafAt(0), leafAt(1)];
    const asLeaf = hashLeaf(new Uint8Array([...left, ...right]));
    expect(asLeaf).not.toEqual(hashNode(left, right));
  });
});

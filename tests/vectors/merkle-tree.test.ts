// Merkle tree hashing and proofs against the reference tree of Certificate Transparency (merkle-tree.json says from where).
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '#base/bytes.ts';
import {
  consistencyProof,
  createCompactRange,
  hashLeaf,
  inclusionProof,
  rootHash,
  verifyConsistency,
  verifyInclusion,
} from '#federation/log/merkle-tree.ts';
import { createMemoryNodes } from '#support/memory-log-storage.ts';
import vectors from './merkle-tree.json' with { type: 'json' };

const nodes = createMemoryNodes();
for (const leaf of vectors.leaves) nodes.append(hashLeaf(fromHex(leaf)));
const rootOf = (size: number): Uint8Array => fromHex(vectors.roots[size] ?? '');

describe('the reference tree', () => {
  it.each(vectors.roots.map((root, size) => ({ size, root })))(
    'has the published root at size $size',
    ({ size, root }) => {
      expect(toHex(rootHash(size, nodes))).toBe(root);
      const range = createCompactRange();
      for (const leaf of vectors.leaves.slice(0, size)) range.append(hashLeaf(fromHex(leaf)));
      expect(toHex(range.root())).toBe(root);
    },
  );

  it.each(vectors.inclusion)(
    'gives and takes the audit path of leaf $index at size $size',
    ({ index, size, proof }) => {
      expect(inclusionProof(index, size, nodes).map(toHex)).toEqual(proof);
      const leafHash = hashLeaf(fromHex(vectors.leaves[index] ?? ''));
      verifyInclusion({ leafHash, index, size, rootHash: rootOf(size), proof: proof.map(fromHex) });
    },
  );

  it.each(vectors.consistency)(
    'gives and takes the consistency path from $oldSize to $size',
    ({ oldSize, size, proof }) => {
      expect(consistencyProof(oldSize, size, nodes).map(toHex)).toEqual(proof);
      verifyConsistency({
        oldSize,
        oldRootHash: rootOf(oldSize),
        size,
        rootHash: rootOf(size),
        proof: proof.map(fromHex),
      });
    },
  );
});

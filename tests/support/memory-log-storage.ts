// A log's storage in memory, for tests of the log's core.
import { BugError } from '#base/coded-error.ts';
import type {
  LogStorage,
  StoredCheckpoint,
  StoredDetail,
  StoredLeaf,
  TreeNodes,
} from '#federation/log/log-storage.ts';
import { completedNodes } from '#federation/log/merkle-tree.ts';

/** Nodes of a growing tree. */
export function createMemoryNodes(): TreeNodes & { append(leafHash: Uint8Array): void } {
  const hashes = new Map<string, Uint8Array>();
  let size = 0;
  const nodes: TreeNodes = {
    node: (level, position) => {
      const hash = hashes.get(`${level}/${position}`);
      if (hash === undefined)
        throw new BugError('asked for a node that is not complete', { details: { level, position } });
      return hash;
    },
  };
  return {
    ...nodes,
    append: (leafHash) => {
      hashes.set(`0/${size}`, leafHash);
      for (const { level, position, hash } of completedNodes(size, leafHash, nodes))
        hashes.set(`${level}/${position}`, hash);
      size += 1;
    },
  };
}

export interface MemoryLogStorage extends LogStorage {
  readonly leaves: StoredLeaf[];
  readonly details: StoredDetail[];
  readonly checkpoints: StoredCheckpoint[];
}

export function createMemoryLogStorage(): MemoryLogStorage {
  const leaves: StoredLeaf[] = [];
  const details: StoredDetail[] = [];
  const checkpoints: StoredCheckpoint[] = [];
  const hashes = new Map<string, Uint8Array>();
  return {
    leaves,
    details,
    checkpoints,
    node: (level, position) => {
      const hash = level === 0 ? leaves[position]?.leafHash : hashes.get(`${level}/${position}`);
      if (hash === undefined)
        throw new BugError('asked for a node that is not complete', { details: { level, position } });
      return hash;
    },
    lastLeaf: () => leaves.at(-1),
    addLeaf: (leaf) => void leaves.push(leaf),
    addNode: ({ level, position, hash }) => void hashes.set(`${level}/${position}`, hash),
    addDetail: (detail) => void details.push(detail),
    latestCheckpoint: () => checkpoints.at(-1),
    addCheckpoint: (checkpoint) => void checkpoints.push(checkpoint),
  };
}

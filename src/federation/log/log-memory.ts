// What a writer remembers of the right edge of its tree, so that an entry costs no reads of it. Every leaf holds the hash of the one before:
// while the last leaf has the remembered hash, so has every one before it, and the remembered nodes are those of the tree.
import { equalBytes } from '#base/bytes.ts';
import type { Leaf } from '#federation/log/leaf.ts';
import type { LogStorage, StoredLeaf, TreeNode, TreeNodes } from '#federation/log/log-storage.ts';

export interface LogMemory extends TreeNodes {
  /** The last entry taken apart, where it is the remembered one; else everything is forgotten. */
  recall(last: StoredLeaf | undefined): Leaf | undefined;
  /** After an entry was written: itself, and the nodes that it completed. */
  remember(stored: StoredLeaf, leaf: Leaf, completed: readonly TreeNode[]): void;
}

export function createLogMemory(storage: LogStorage): LogMemory {
  let last: { readonly stored: StoredLeaf; readonly leaf: Leaf } | undefined;
  /** The newest complete node of each level. */
  let edge: TreeNode[] = [];
  return {
    node: (level, position) => {
      const known = edge[level];
      return known?.position === position ? known.hash : storage.node(level, position);
    },
    recall: (found) => {
      const isSame =
        found !== undefined &&
        last?.stored.line === found.line &&
        equalBytes(last.stored.leafHash, found.leafHash);
      if (isSame) return last?.leaf;
      last = undefined;
      edge = [];
      return undefined;
    },
    remember: (stored, leaf, completed) => {
      last = { stored, leaf };
      edge[0] = { level: 0, position: stored.seq, hash: stored.leafHash };
      for (const node of completed) edge[node.level] = node;
    },
  };
}

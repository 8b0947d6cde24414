// Where a log keeps its entries: the one thing in which the site's log and the consortium's differ.

/** Hashes of complete subtrees. Level 0 holds the leaf hashes; a node of level l covers 2^l leaves from position * 2^l on. */
export interface TreeNodes {
  /** The 32-byte hash at (level, position). Asked only for subtrees that are complete. */
  node(level: number, position: number): Uint8Array;
}

export interface TreeNode {
  readonly level: number;
  readonly position: number;
  readonly hash: Uint8Array;
}

export interface StoredLeaf {
  /** From 0, no gaps. */
  readonly seq: number;
  /** One line of JSON without the line feed (leaf.ts). */
  readonly line: string;
  /** RFC 6962 leaf hash of the line's UTF-8 bytes. */
  readonly leafHash: Uint8Array;
}

export interface StoredDetail {
  readonly seq: number;
  /** 32 random bytes. */
  readonly salt: Uint8Array;
  /** JSON text; its salted digest stands in the leaf. */
  readonly detail: string;
}

export interface StoredCheckpoint {
  readonly size: number;
  /** C2SP signed note. */
  readonly note: string;
  readonly createdAtMs: number;
}

/**
 * Append-only. Every call runs inside the transaction of the act that is logged, so a rolled-back act leaves no entry;
 * the writer keeps nothing in memory between calls.
 */
export interface LogStorage extends TreeNodes {
  lastLeaf(): StoredLeaf | undefined;
  addLeaf(leaf: StoredLeaf): void;
  /** A node of level 1 or higher that has just become complete. */
  addNode(node: TreeNode): void;
  addDetail(detail: StoredDetail): void;
  latestCheckpoint(): StoredCheckpoint | undefined;
  addCheckpoint(checkpoint: StoredCheckpoint): void;
}

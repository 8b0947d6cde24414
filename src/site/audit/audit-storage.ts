// The site's audit log in its store: tables audit_leaf, audit_node, audit_detail, audit_checkpoint.

import { isoTime } from '#base/clock.ts';
import { BugError } from '#base/coded-error.ts';
import type { LogStorage } from '#federation/log/log-storage.ts';
import type { Store } from '#site/store/index.ts';

export function createAuditStorage(store: Store): LogStorage {
  const leafHash = store.prepare('SELECT leaf_hash AS hash FROM audit_leaf WHERE seq = ?');
  const nodeHash = store.prepare('SELECT hash FROM audit_node WHERE level = ? AND position = ?');
  const lastLeaf = store.prepare('SELECT seq, line, leaf_hash FROM audit_leaf ORDER BY seq DESC LIMIT 1');
  const addLeaf = store.prepare('INSERT INTO audit_leaf (seq, line, leaf_hash) VALUES (?, ?, ?)');
  const addNode = store.prepare('INSERT INTO audit_node (level, position, hash) VALUES (?, ?, ?)');
  const addDetail = store.prepare('INSERT INTO audit_detail (seq, salt, detail) VALUES (?, ?, ?)');
  const latest = store.prepare(
    'SELECT size, note, created_at FROM audit_checkpoint ORDER BY size DESC LIMIT 1',
  );
  const addCheckpoint = store.prepare(
    'INSERT INTO audit_checkpoint (size, note, created_at) VALUES (?, ?, ?)',
  );
  return {
    node: (level, position) => {
      const row = level === 0 ? leafHash.get(position) : nodeHash.get(level, position);
      if (row === undefined) throw new BugError('a node of the audit tree is missing');
      return new Uint8Array((row as { hash: Uint8Array }).hash);
    },
    lastLeaf: () => {
      const row = lastLeaf.get() as { seq: number; line: string; leaf_hash: Uint8Array } | undefined;
      return row && { seq: row.seq, line: row.line, leafHash: new Uint8Array(row.leaf_hash) };
    },
    addLeaf: (leaf) => addLeaf.run(leaf.seq, leaf.line, leaf.leafHash),
    addNode: (node) => addNode.run(node.level, node.position, node.hash),
    addDetail: (detail) => addDetail.run(detail.seq, detail.salt, detail.detail),
    latestCheckpoint: () => {
      const row = latest.get() as { size: number; note: string; created_at: string } | undefined;
      return row && { size: row.size, note: row.note, createdAtMs: Date.parse(row.created_at) };
    },
    addCheckpoint: ({ size, note, createdAtMs }) => addCheckpoint.run(size, note, isoTime(createdAtMs)),
  };
}

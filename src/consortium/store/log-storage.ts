// Where the consortium's log keeps its entries: tables of the store, written inside the caller's transaction.
import { BugError } from '#base/coded-error.ts';
import type { LogStorage, StoredCheckpoint, StoredLeaf } from '#federation/log/log-storage.ts';
import type { ConsortiumStore } from './index.ts';

export function createLogStorage(store: ConsortiumStore): LogStorage {
  const { query } = store;
  return {
    node: (level, position) => loadNode(store, level, position),
    lastLeaf: () => lastLeaf(store),
    addLeaf: ({ seq, line, leafHash }) => {
      store.run(query.insertInto('log_leaf').values({ seq, line, leaf_hash: leafHash }));
    },
    addNode: (node) => {
      store.run(query.insertInto('log_node').values({ ...node }));
    },
    addDetail: (detail) => {
      store.run(query.insertInto('log_detail').values({ ...detail }));
    },
    latestCheckpoint: () => latestCheckpoint(store),
    addCheckpoint: ({ size, note, createdAtMs }) => {
      store.run(query.insertInto('log_checkpoint').values({ size, note, created_at_ms: createdAtMs }));
    },
  };
}

function loadNode(store: ConsortiumStore, level: number, position: number): Uint8Array {
  const { query } = store;
  const hash =
    level === 0
      ? store.get(query.selectFrom('log_leaf').select('leaf_hash').where('seq', '=', position))?.leaf_hash
      : store.get(
          query
            .selectFrom('log_node')
            .select('hash')
            .where('level', '=', level)
            .where('position', '=', position),
        )?.hash;
  if (hash === undefined) throw new BugError('the log misses a node of its tree');
  return hash;
}

function lastLeaf(store: ConsortiumStore): StoredLeaf | undefined {
  const row = store.get(store.query.selectFrom('log_leaf').selectAll().orderBy('seq', 'desc').limit(1));
  return row === undefined ? undefined : { seq: row.seq, line: row.line, leafHash: row.leaf_hash };
}

function latestCheckpoint(store: ConsortiumStore): StoredCheckpoint | undefined {
  const row = store.get(
    store.query.selectFrom('log_checkpoint').selectAll().orderBy('size', 'desc').limit(1),
  );
  return row === undefined ? undefined : { size: row.size, note: row.note, createdAtMs: row.created_at_ms };
}

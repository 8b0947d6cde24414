// Reads the encrypted stores of real profiles with their own keys, as only a test that holds the key files can.
import path from 'node:path';
import { systemClock } from '#base/clock.ts';
import type { DemoFederation, DemoSiteProfile } from '#bench/demo/demo-federation.ts';
import { openConsortiumStore } from '#consortium/store/index.ts';
import { loadConsortiumKeys } from '#consortium/store/key-file.ts';
import { parseLeaf } from '#federation/log/leaf.ts';
import { createFileKeyStore } from '#host/file-key-store.ts';
import { openStore, type Store } from '#site/store/index.ts';

/** Rows of a site's store. A running site may have it open too. */
export function readSiteStore<T>(
  { profile, keyFile }: Pick<DemoSiteProfile, 'profile' | 'keyFile'>,
  read: (store: Store) => T,
): T {
  const keys = createFileKeyStore({ file: keyFile, profile }).load();
  if (keys === undefined) throw new Error('the site has no keys');
  const store = openStore({ file: path.join(profile, 'site.db'), key: keys.storeKey, clock: systemClock });
  try {
    return read(store);
  } finally {
    store.close();
  }
}

export interface LoggedEvent {
  readonly action: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly actor: string;
  readonly object: string | null;
  readonly round: number | null;
}

/** The consortium's log, oldest first, and the sealed files that it holds. */
export function readConsortiumStore({ consortium }: Pick<DemoFederation, 'consortium'>): {
  readonly events: LoggedEvent[];
  readonly sealedFiles: Uint8Array[];
} {
  const [, profile = '', , keyFile = ''] = consortium;
  const { storeKey } = loadConsortiumKeys(keyFile, profile);
  const store = openConsortiumStore({
    file: path.join(profile, 'consortium.db'),
    key: storeKey,
    clock: systemClock,
  });
  try {
    const lines = store.all(store.query.selectFrom('log_leaf').select('line').orderBy('seq'));
    const files = store.all(store.query.selectFrom('received_update').select('sealed_file'));
    return {
      events: lines.map(({ line }) => parseLeaf(line)),
      sealedFiles: files.map(({ sealed_file }) => sealed_file),
    };
  } finally {
    store.close();
  }
}

/** Every cell of the consortium's store, to search in. */
export function consortiumBytes({ consortium }: Pick<DemoFederation, 'consortium'>): Buffer {
  const [, profile = '', , keyFile = ''] = consortium;
  const { storeKey } = loadConsortiumKeys(keyFile, profile);
  const file = path.join(profile, 'consortium.db');
  const store = openConsortiumStore({ file, key: storeKey, clock: systemClock });
  try {
    const tables = store.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).all() as {
      name: string;
    }[];
    const cells = tables.flatMap(({ name }) =>
      (store.prepare(`SELECT * FROM "${name}"`).all() as Record<string, unknown>[]).flatMap((row) =>
        Object.values(row),
      ),
    );
    return Buffer.concat(
      cells.map((cell) =>
        cell instanceof Uint8Array ? Buffer.from(cell) : Buffer.from(`${String(cell)}\n`),
      ),
    );
  } finally {
    store.close();
  }
}

// One process at a time holds a profile. The lock is an exclusive transaction on a small database that stays open: the operating
// system drops it when the process ends in any way, so kill -9 leaves nothing to clean up (a pid file would).
import { join } from 'node:path';
import { type Database, openDatabase } from '#base/sqlite-database.ts';

export interface ProfileLock {
  release(): void;
}

/** The lock database holds no row; its key only satisfies the format. */
const lockKey = new Uint8Array(32);

/** Keeps held locks reachable: a connection that the garbage collector finds is closed, and its lock is gone. */
const heldLocks = new Set<Database>();

/** The lock of the profile, or undefined while another process (or another holder in this one) has it. Never waits. */
export function lockProfile(profile: string): ProfileLock | undefined {
  let database: Database | undefined;
  try {
    database = openDatabase({ file: join(profile, 'lock.db'), key: lockKey, migrations: [] });
    database.prepare('PRAGMA busy_timeout = 0').get();
    database.prepare('BEGIN EXCLUSIVE').run();
  } catch (error) {
    database?.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  const held = database;
  heldLocks.add(held);
  return {
    release: () => {
      heldLocks.delete(held);
      held.close();
    },
  };
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY');
}

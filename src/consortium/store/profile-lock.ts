// One process at a time holds a profile. The lock is an open exclusive transaction on a small database: the operating system
// drops its file locks when the process dies in any way, so kill -9 leaves nothing to clean up (a pid file would).
import { join } from 'node:path';
import { openDatabase } from '#base/sqlite-database.ts';

export interface ProfileLock {
  release(): void;
}

/** The database holds no data, so its page key protects nothing. */
const EMPTY_KEY = new Uint8Array(32);

/** The lock of the profile, or undefined while another process holds it. Never waits. */
export function lockProfile(profile: string): ProfileLock | undefined {
  const database = openDatabase({ file: join(profile, 'lock.db'), key: EMPTY_KEY, migrations: [] });
  try {
    database.prepare('PRAGMA busy_timeout = 0').get();
    database.prepare('BEGIN EXCLUSIVE').run();
  } catch (error) {
    database.close();
    if (error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY') return undefined;
    throw error;
  }
  return { release: () => database.close() };
}

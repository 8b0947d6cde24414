// One process at a time opens a profile. The lock is an exclusive transaction on a small database that stays open: the
// operating system lets go of it when the process ends in any way, so kill -9 leaves nothing that blocks the next start.
import { join } from 'node:path';
import { type Database, openDatabase } from '#base/sqlite-database.ts';
import { SiteError } from './site-error.ts';

export interface ProfileLock {
  release(): void;
}

/** The lock database holds no row; its key only satisfies the format. */
const lockKey = new Uint8Array(32);

/** @throws SiteError PROFILE_IN_USE while another process (or another site in this one) holds it; never waits. */
export function lockProfile(profile: string): ProfileLock {
  let database: Database | undefined;
  try {
    database = openDatabase({ file: join(profile, 'lock.db'), key: lockKey, migrations: [] });
    database.prepare('PRAGMA busy_timeout = 0').get();
    database.prepare('BEGIN EXCLUSIVE').run();
  } catch (error) {
    database?.close();
    if (!isBusy(error)) throw error;
    throw new SiteError('PROFILE_IN_USE', 'Another process has this profile open.', { cause: error });
  }
  const held = database;
  return { release: () => held.close() };
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY');
}

// One process at a time does the slow work; the others wait and find it done. Nothing depends on it for correctness:
// what is produced appears by one rename, so two that slip through only do the work twice.
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 200;
const oldestForeignLockMs = 30 * 60_000;

/** Runs `work` while holding the lock file. A lock whose process is gone is taken over. */
export async function withLock<T>(file: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  mkdirSync(path.dirname(file), { recursive: true });
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, `${os.hostname()} ${process.pid}`);
  try {
    let waited = false;
    while (!claim(mine, file)) {
      if (isAbandoned(file)) rmSync(file, { force: true });
      else {
        if (!waited) onWait();
        waited = true;
        await delay(pollMs);
      }
    }
    try {
      return await work();
    } finally {
      rmSync(file, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

/** A hard link appears whole, with its holder's name in it, or not at all. */
function claim(mine: string, file: string): boolean {
  try {
    linkSync(mine, file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function isAbandoned(file: string): boolean {
  try {
    const [host, pid] = readFileSync(file, 'utf8').split(' ');
    if (host !== os.hostname()) return Date.now() - statSync(file).mtimeMs > oldestForeignLockMs;
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

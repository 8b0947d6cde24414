// A small file that nobody but its owner may read, written whole or not at all: temporary file, fsync, rename, fsync of the folder.
import { closeSync, constants, fstatSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { utf8 } from '#base/bytes.ts';
import { ProfileError } from './profile-error.ts';

const MAX_BYTES = 1024 * 1024;
const hasPosixModes = process.platform !== 'win32';

/**
 * Text of the file, or undefined where there is none.
 * @throws ProfileError PRIVATE_FILE_MODE when another account may read or change it, or owns it (a planted file).
 */
export function loadPrivateFile(file: string): string | undefined {
  let descriptor: number;
  try {
    // O_NONBLOCK: opening a pipe put in the file's place does not hang.
    descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new ProfileError('PRIVATE_FILE_UNAVAILABLE', 'A private file of the consortium cannot be opened.', {
      cause: error,
    });
  }
  try {
    // The mode is read from what was opened, not from the name: no swap between check and use.
    const { mode, uid, size } = fstatSync(descriptor);
    if (hasPosixModes && ((mode & 0o077) !== 0 || uid !== process.getuid?.())) {
      throw new ProfileError('PRIVATE_FILE_MODE', 'Other accounts may read or change a private file of the consortium.', {
        details: { expected: '600', found: (mode & 0o777).toString(8) },
      });
    }
    if (size > MAX_BYTES) throw new ProfileError('PRIVATE_FILE_UNAVAILABLE', 'A private file is too large.');
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

/** Replaces the file atomically and durably, mode 0600. Its folder must be there. */
export function savePrivateFile(file: string, text: string): void {
  const folder = dirname(resolve(file));
  const temporary = join(folder, `.${basename(file)}.${process.pid}.tmp`);
  rmSync(temporary, { force: true });
  try {
    const descriptor = openSync(temporary, 'wx', 0o600);
    try {
      const bytes = utf8(text);
      for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  if (hasPosixModes) syncFolder(folder);
}

/** Makes the rename itself survive a power cut. Windows has no handle on folders and needs none. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

// A file that nobody but its owner may read, written whole or not at all: temporary file, fsync, rename, fsync of the folder.
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { CodedError } from '#base/coded-error.ts';

export type PrivateFileCode = 'PRIVATE_FILE_MODE' | 'PRIVATE_FILE_UNFIT' | 'PRIVATE_FILE_UNAVAILABLE';

/** A refusal of a private file or its folder. Carries no path, and no cause that would quote one. */
export class PrivateFileError extends CodedError<PrivateFileCode> {}

const MAX_BYTES = 4 * 1024 * 1024;
const hasPosixModes = process.platform !== 'win32';

/**
 * Bytes of the file, or undefined where there is none.
 * @throws PrivateFileError PRIVATE_FILE_MODE when another account may read or change it, or owns it; PRIVATE_FILE_UNFIT when it
 * is no plain file of at most 4 MiB; PRIVATE_FILE_UNAVAILABLE when it cannot be opened.
 */
export function loadPrivateFile(file: string): Uint8Array | undefined {
  let descriptor: number;
  try {
    // O_NONBLOCK: opening a pipe put in the file's place does not hang.
    descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined;
    throw unavailable(error);
  }
  try {
    // The mode is read from what was opened, not from the name: no swap between check and use.
    const stat = fstatSync(descriptor);
    if (!stat.isFile() || stat.size > MAX_BYTES) {
      throw new PrivateFileError('PRIVATE_FILE_UNFIT', 'A private file is no plain file of a fitting size.');
    }
    refuseMode(stat.mode, stat.uid);
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Replaces the file atomically and durably, mode 0600. Its folder must be there.
 * @throws PrivateFileError PRIVATE_FILE_UNAVAILABLE when it cannot be written.
 */
export function savePrivateFile(file: string, bytes: Uint8Array): void {
  const folder = dirname(resolve(file));
  const temporary = join(folder, `.${basename(file)}.${process.pid}.tmp`);
  try {
    rmSync(temporary, { force: true });
    writeDurably(temporary, bytes);
    renameSync(temporary, file);
    syncFolder(folder);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw unavailable(error);
  }
}

/**
 * Makes the folder of a private file, mode 0700, or takes the one that is there.
 * @throws PrivateFileError PRIVATE_FILE_MODE when other accounts may put their own file in the place of ours (a sticky folder such
 * as /tmp is safe); PRIVATE_FILE_UNAVAILABLE when it cannot be made.
 */
export function makePrivateFolder(folder: string): void {
  let mode: number;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    mode = statSync(folder).mode;
  } catch (error) {
    throw unavailable(error);
  }
  if (!hasPosixModes || (mode & 0o022) === 0 || (mode & 0o1000) !== 0) return;
  throw new PrivateFileError(
    'PRIVATE_FILE_MODE',
    'Other accounts may write into the folder of a private file.',
    {
      details: { expected: '700', found: octal(mode) },
    },
  );
}

/** Stops another account of the machine from reading what is secret, or from having planted its own file. */
function refuseMode(mode: number, uid: number): void {
  if (!hasPosixModes) return;
  if ((mode & 0o077) !== 0) {
    throw new PrivateFileError('PRIVATE_FILE_MODE', 'Other accounts may read or change a private file.', {
      details: { expected: '600', found: octal(mode) },
    });
  }
  if (uid !== process.getuid?.()) {
    throw new PrivateFileError('PRIVATE_FILE_MODE', 'A private file belongs to another account.', {
      details: { expected: 'own file', found: 'file of another account' },
    });
  }
}

function writeDurably(file: string, bytes: Uint8Array): void {
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes the rename itself survive a power cut. Windows has no handle on folders and needs none. */
function syncFolder(folder: string): void {
  if (!hasPosixModes) return;
  const descriptor = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(3, '0');
}

function unavailable(error: unknown): PrivateFileError {
  return new PrivateFileError('PRIVATE_FILE_UNAVAILABLE', 'A private file cannot be opened or written.', {
    details: { found: errno(error) },
  });
}

function errno(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}

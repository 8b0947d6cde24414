// A folder on a medium that somebody carries. Nothing in it leads out of it, nothing is read without a bound, and a file is there
// whole or not at all: temporary name, fsync, rename, fsync of the folder. Names fit FAT32 and exFAT.
import {
  closeSync,
  constants,
  type Dir,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  opendirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { CodedError } from '#base/coded-error.ts';

export type MediaCode = 'BAD_BUNDLE' | 'MEDIA_UNAVAILABLE';

/** What lies on the medium is refused, or the medium itself fails. Carries no path. */
export class MediaError extends CodedError<MediaCode> {}

export interface MediaFolder {
  /** Length of every file by its name (`MANIFEST.dsse`, `trust/list.dsse`); undefined where there is no such folder. @throws MediaError. */
  list(): ReadonlyMap<string, number> | undefined;
  /** A file's bytes in pieces. @throws MediaError BAD_BUNDLE unless it is a plain file of exactly this length. */
  read(name: string, bytes: number): Iterable<Uint8Array>;
  /** Puts a file in its place, durably; one that is there is replaced. @throws MediaError. */
  save(name: string, bytes: Uint8Array): Promise<void>;
  /** Removes a file, durably. */
  remove(name: string): void;
}

/** Files and folders together. */
const MAX_ENTRIES = 10_100;
const PIECE_BYTES = 4 * 1024 * 1024;
/** What FAT32, exFAT and every operating system take; no dot, space or dash at an end. */
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,98}[A-Za-z0-9])?$/;
const hasPosixFolders = process.platform !== 'win32';

export function openMediaFolder(root: string): MediaFolder {
  return {
    list: () => guarded(() => listFolder(root)),
    read: (name, bytes) => readFile(join(root, requireName(name)), bytes),
    save: async (name, bytes) => {
      guarded(() => saveFile(root, join(root, requireName(name)), bytes));
      // Writing to a slow medium takes minutes: others get their turn between files.
      await setImmediate();
    },
    remove: (name) =>
      guarded(() => {
        const file = join(root, requireName(name));
        rmSync(file, { force: true });
        syncFolder(dirname(file));
      }),
  };
}

/** Stops a name from leading out of the folder, also one that we would make ourselves. */
function requireName(name: string): string {
  const steps = name.split('/');
  if (steps.length <= 2 && steps.every((step) => NAME.test(step))) return name;
  throw unfit('a name that a bundle cannot have');
}

function listFolder(root: string): Map<string, number> | undefined {
  const found = lstatSync(root, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  // A link in the folder's place would lead elsewhere.
  if (!found.isDirectory()) throw unfit('a link or file in place of the folder');
  const files = new Map<string, number>();
  const seen = new Set<string>();
  const visit = (folder: string, prefix: string): void => {
    for (const entry of entriesOf(folder)) {
      const name = prefix + entry;
      const key = name.toLowerCase();
      if (!NAME.test(entry)) throw unfit('a name that a bundle cannot have');
      if (seen.has(key)) throw unfit('two names that differ only by case');
      if (seen.size === MAX_ENTRIES) throw unfit('more files than a bundle may have');
      seen.add(key);
      const stat = lstatSync(join(folder, entry));
      if (stat.isFile()) files.set(name, stat.size);
      else if (stat.isDirectory() && prefix === '') visit(join(folder, entry), `${name}/`);
      else throw unfit('a link, device or folder in a folder');
    }
  };
  visit(root, '');
  return files;
}

/** One by one: a folder of a million files is left at the first one too many. */
function* entriesOf(folder: string): Generator<string> {
  const opened: Dir = opendirSync(folder);
  try {
    for (let entry = opened.readSync(); entry !== null; entry = opened.readSync()) yield entry.name;
  } finally {
    opened.closeSync();
  }
}

function* readFile(file: string, bytes: number): Generator<Uint8Array> {
  // O_NOFOLLOW and O_NONBLOCK: neither a link nor a pipe put in the file's place since it was listed is opened.
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const descriptor = guarded(() => openSync(file, flags));
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile() || stat.size !== bytes) throw unfit('a file that is not as long as it should be');
    for (let at = 0; at < bytes; ) {
      const piece = new Uint8Array(Math.min(PIECE_BYTES, bytes - at));
      const length = guarded(() => readSync(descriptor, piece, 0, piece.length, at));
      if (length === 0) throw unfit('a file that is not as long as it should be');
      yield piece.subarray(0, length);
      at += length;
    }
  } finally {
    closeSync(descriptor);
  }
}

function saveFile(root: string, file: string, bytes: Uint8Array): void {
  const folder = dirname(file);
  makeFolder(root);
  if (folder !== root) makeFolder(folder);
  const temporary = `${file}.tmp`;
  rmSync(temporary, { force: true });
  const descriptor = openSync(temporary, 'wx', 0o600);
  try {
    for (let at = 0; at < bytes.length; ) {
      at += writeSync(descriptor, bytes, at, Math.min(PIECE_BYTES, bytes.length - at));
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
  syncFolder(folder);
}

function makeFolder(folder: string): void {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  // Stops a link on the medium from moving what we write to another place.
  if (found !== undefined && !found.isDirectory()) throw unfit('a link or file in place of a folder');
  if (found !== undefined) return;
  mkdirSync(folder, { mode: 0o700 });
  syncFolder(dirname(folder));
}

/** Makes a rename survive a pulled medium. Windows has no handle on folders and needs none. */
function syncFolder(folder: string): void {
  if (!hasPosixFolders) return;
  const descriptor = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof CodedError || !(error instanceof Error) || !('code' in error)) throw error;
    // ELOOP: O_NOFOLLOW met a link.
    if (error.code === 'ELOOP') throw unfit('a link');
    throw new MediaError('MEDIA_UNAVAILABLE', 'The folder cannot be read or written.', {
      details: { found: error.code },
    });
  }
}

function unfit(found: string): MediaError {
  return new MediaError('BAD_BUNDLE', `The folder holds what no bundle holds: ${found}.`, {
    details: { found },
  });
}

// A folder on a medium that somebody carries. Nothing in it leads out of it, nothing is read without a bound, and a file is there
// whole or not at all: temporary name, fsync, rename, fsync of the folder. Names fit FAT32 and exFAT.
import { constants, type Dir, lstatSync, opendirSync } from 'node:fs';
import { lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CodedError } from '#base/coded-error.ts';

export type MediaCode = 'BAD_BUNDLE' | 'MEDIA_UNAVAILABLE';

/** What lies on the medium is refused, or the medium itself fails. Carries no path. */
export class MediaError extends CodedError<MediaCode> {}

export interface MediaFolder {
  /** Length of every file by its name (`MANIFEST.dsse`, `trust/list.dsse`); undefined where there is no such folder. @throws MediaError. */
  list(): ReadonlyMap<string, number> | undefined;
  /** A file's bytes in pieces. @throws MediaError BAD_BUNDLE unless it is a plain file of exactly this length. */
  read(name: string, bytes: number): AsyncIterable<Uint8Array>;
  /** Puts a file in its place, durably; one that is there is replaced. @throws MediaError. */
  save(name: string, bytes: Uint8Array): Promise<void>;
  /** Removes a file, durably. */
  remove(name: string): Promise<void>;
}

/** Files and folders together. */
const MAX_ENTRIES = 10_100;
const PIECE_BYTES = 4 * 1024 * 1024;
/** What FAT32, exFAT and every operating system take; no dot, space or dash at an end. */
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,98}[A-Za-z0-9])?$/;
const hasPosixFolders = process.platform !== 'win32';

/** Listing aside nothing here holds up others: media are slow, and a server has more to do. */
export function openMediaFolder(root: string): MediaFolder {
  return {
    list: () => {
      try {
        return listFolder(root);
      } catch (error) {
        throw refusalOf(error);
      }
    },
    async *read(name, bytes) {
      yield* readFile(join(root, requireName(name)), bytes);
    },
    save: async (name, bytes) => guarded(saveFile(root, join(root, requireName(name)), bytes)),
    remove: async (name) => {
      const file = join(root, requireName(name));
      await guarded(rm(file, { force: true }));
      await guarded(syncFolder(dirname(file)));
    },
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

async function* readFile(file: string, bytes: number): AsyncGenerator<Uint8Array> {
  // O_NOFOLLOW and O_NONBLOCK: neither a link nor a pipe put in the file's place since it was listed is opened.
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const handle = await guarded(open(file, flags));
  try {
    const stat = await guarded(handle.stat());
    if (!stat.isFile() || stat.size !== bytes) throw unfit('a file that is not as long as it should be');
    for (let at = 0; at < bytes; ) {
      const piece = new Uint8Array(Math.min(PIECE_BYTES, bytes - at));
      const { bytesRead } = await guarded(handle.read(piece, 0, piece.length, at));
      if (bytesRead === 0) throw unfit('a file that is not as long as it should be');
      yield piece.subarray(0, bytesRead);
      at += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

async function saveFile(root: string, file: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(file);
  await makeFolder(root);
  if (folder !== root) await makeFolder(folder);
  const temporary = `${file}.tmp`;
  await rm(temporary, { force: true });
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  await syncFolder(folder);
}

async function makeFolder(folder: string): Promise<void> {
  const found = await lstat(folder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  // Stops a link on the medium from moving what we write to another place.
  if (found !== undefined && !found.isDirectory()) throw unfit('a link or file in place of a folder');
  if (found !== undefined) return;
  await mkdir(folder, { mode: 0o700 });
  await syncFolder(dirname(folder));
}

/** Makes a rename survive a pulled medium. Windows has no handle on folders and needs none. */
async function syncFolder(folder: string): Promise<void> {
  if (!hasPosixFolders) return;
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function guarded<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw refusalOf(error);
  });
}

/** What the system says of a medium, in our codes; anything else as it is. */
function refusalOf(error: unknown): unknown {
  if (error instanceof CodedError || !(error instanceof Error) || !('code' in error)) return error;
  // ELOOP: O_NOFOLLOW met a link.
  if (error.code === 'ELOOP') return unfit('a link');
  return new MediaError('MEDIA_UNAVAILABLE', 'The folder cannot be read or written.', {
    details: { found: error.code },
  });
}

function unfit(found: string): MediaError {
  return new MediaError('BAD_BUNDLE', `The folder holds what no bundle holds: ${found}.`, {
    details: { found },
  });
}

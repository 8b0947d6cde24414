// Finds the files below given paths in a fixed order. Links inside a folder are not followed: an export must not make the site
// read a file elsewhere on its disk. Images are counted and found again when their turn comes, so that their number does not matter.
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { recogniseBinary } from './binary-format.ts';
import { headBytes, importRank, recogniseFormat } from './file-format.ts';

const deepestFolder = 32;
/** Enough to tell an image. */
const firstBytes = 4_096;
const filesBetweenPauses = 64;

export interface FoundFile {
  readonly path: string;
  readonly size: number;
  /** Named by the caller, not found in a folder. */
  readonly isGiven: boolean;
  /** Whether it holds files, as a folder does. */
  readonly isArchive: boolean;
  /** Set when it cannot be imported as a file. */
  readonly trouble: 'UNREADABLE' | 'NOT_A_FILE' | null;
}

/** Every file below `paths`, by name, without a look into any. */
export async function listFiles(paths: readonly string[]): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  for await (const file of walk(paths)) found.push(file);
  return found;
}

export interface FileSurvey {
  readonly fileCount: number;
  readonly byteCount: number;
  /** All but images; what must be read first (mappings, concept tables, patients) comes first. */
  readonly records: readonly FoundFile[];
  /** How many images there are. */
  readonly imageCount: number;
  /** The images in order of their paths. */
  images(): AsyncGenerator<FoundFile>;
}

/** Looks at every file below `paths` once, at the first bytes only. Memory: what is no image, and the names of one folder. */
export async function surveyFiles(paths: readonly string[], signal?: AbortSignal): Promise<FileSurvey> {
  const ranked: { readonly file: FoundFile; readonly rank: number }[] = [];
  const head = Buffer.alloc(headBytes);
  let [fileCount, byteCount, imageCount] = [0, 0, 0];
  for await (const file of walk(paths)) {
    if (signal?.aborted === true) break;
    fileCount += 1;
    byteCount += file.size;
    const rank = file.trouble === null ? rankOf(file, head) : lastRank;
    if (rank === 'image') imageCount += 1;
    else ranked.push({ file: { ...file, isArchive: rank === archiveRank }, rank });
  }
  // Sorting keeps the order of paths within a rank.
  const records = ranked.sort((left, right) => left.rank - right.rank).map(({ file }) => file);
  const known = new Set(records.map((file) => file.path));
  return { fileCount, byteCount, records, imageCount, images: () => walkImages(paths, known) };
}

async function* walkImages(paths: readonly string[], known: ReadonlySet<string>): AsyncGenerator<FoundFile> {
  for await (const file of walk(paths)) if (!known.has(file.path) && file.trouble === null) yield file;
}

/** Every file once, by code units: the same order on every machine, whatever its language. */
async function* walk(paths: readonly string[]): AsyncGenerator<FoundFile> {
  let sincePause = 0;
  for (const given of paths) {
    for (const file of walkPath(given)) {
      yield file;
      sincePause += 1;
      if (sincePause < filesBetweenPauses) continue;
      sincePause = 0;
      // The site answers others meanwhile.
      await setImmediate();
    }
  }
}

function* walkPath(given: string): Generator<FoundFile> {
  const stats = attempt(() => statSync(given));
  if (stats?.isDirectory() === true) yield* walkFolder(given, 1);
  else if (stats === undefined) yield trouble(given, 'UNREADABLE', true);
  else if (stats.isFile())
    yield { path: given, size: stats.size, isGiven: true, isArchive: false, trouble: null };
  else yield trouble(given, 'NOT_A_FILE', true);
}

function* walkFolder(folder: string, depth: number): Generator<FoundFile> {
  const names = attempt(() => readdirSync(folder).sort());
  if (names === undefined) yield trouble(folder, 'UNREADABLE', depth === 1);
  for (const name of names ?? []) {
    const child = path.join(folder, name);
    const stats = attempt((): Stats => lstatSync(child));
    if (stats === undefined) yield trouble(child, 'UNREADABLE', false);
    else if (stats.isFile())
      yield { path: child, size: stats.size, isGiven: false, isArchive: false, trouble: null };
    else if (stats.isDirectory() && depth < deepestFolder) yield* walkFolder(child, depth + 1);
    else yield trouble(child, 'NOT_A_FILE', false);
  }
}

function trouble(file: string, code: 'UNREADABLE' | 'NOT_A_FILE', isGiven: boolean): FoundFile {
  return { path: file, size: 0, isGiven, isArchive: false, trouble: code };
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    // Gone or forbidden: the caller names it.
    return undefined;
  }
}

/** After what lies beside it: an archive has its own order. */
const archiveRank = 100;
const lastRank = 101;

/** @param head memory to read into */
function rankOf(file: FoundFile, head: Buffer): number | 'image' {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file.path, openFlags(file.isGiven));
    if (!fstatSync(descriptor).isFile()) return lastRank;
    const few = readSync(descriptor, head, 0, firstBytes, 0);
    const binary = recogniseBinary(head.subarray(0, few));
    if (binary !== null) return binary === 'dicom' ? 'image' : archiveRank;
    const count = few < firstBytes ? few : readSync(descriptor, head, 0, headBytes, 0);
    return importRank(recogniseFormat(head.subarray(0, count)));
  } catch {
    return lastRank;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Opens a plain file for reading. A link or device put in its place since it was found is refused. @throws Error of the system. */
export async function openPlainFile(file: string, isGiven: boolean): Promise<FileHandle> {
  const handle = await open(file, openFlags(isGiven));
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new Error('not a plain file');
}

function openFlags(isGiven: boolean): number {
  return constants.O_RDONLY | (isGiven ? 0 : (constants.O_NOFOLLOW ?? 0)) | (constants.O_NONBLOCK ?? 0);
}

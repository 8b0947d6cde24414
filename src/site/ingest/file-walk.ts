// Finds the files below given paths in a fixed order. Links inside a folder are not followed: an export must not make the site
// read a file elsewhere on its disk.
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { headBytes, importRank, recogniseFormat } from './file-format.ts';

const deepestFolder = 32;

export interface FoundFile {
  readonly path: string;
  readonly size: number;
  /** Set when it cannot be imported as a file. */
  readonly trouble: 'UNREADABLE' | 'NOT_A_FILE' | null;
}

/** Every file below `paths`, by name, without a look into any. */
export async function listFiles(paths: readonly string[]): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  for (const given of paths) await addPath(given, found);
  return found;
}

/** Every file below `paths`, what must be read first (concept tables, mappings, patients) first, then by name. */
export async function findFiles(paths: readonly string[]): Promise<FoundFile[]> {
  const found = await listFiles(paths);
  const ranked: { file: FoundFile; index: number; rank: number }[] = [];
  // One after the other: a folder may hold more files than may be open at once.
  for (const [index, file] of found.entries()) {
    ranked.push({ file, index, rank: file.trouble === null ? await rankOf(file.path) : 9 });
  }
  return ranked
    .sort((left, right) => left.rank - right.rank || left.index - right.index)
    .map(({ file }) => file);
}

async function addPath(given: string, found: FoundFile[]): Promise<void> {
  try {
    const stats = await stat(given);
    if (stats.isDirectory()) await addFolder(given, found, 1);
    else found.push({ path: given, size: stats.size, trouble: stats.isFile() ? null : 'NOT_A_FILE' });
  } catch {
    found.push({ path: given, size: 0, trouble: 'UNREADABLE' });
  }
}

async function addFolder(folder: string, found: FoundFile[], depth: number): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  // By code units: the same order on every machine, whatever its language.
  entries.sort((left, right) => (left.name < right.name ? -1 : 1));
  for (const entry of entries) {
    const child = path.join(folder, entry.name);
    if (entry.isDirectory() && depth < deepestFolder)
      await addFolder(child, found, depth + 1).catch(() => addTrouble(child));
    else if (entry.isFile()) found.push({ path: child, size: (await sizeOf(child)) ?? 0, trouble: null });
    else found.push({ path: child, size: 0, trouble: 'NOT_A_FILE' });
  }
  function addTrouble(child: string): void {
    found.push({ path: child, size: 0, trouble: 'UNREADABLE' });
  }
}

async function sizeOf(file: string): Promise<number | undefined> {
  return stat(file).then(
    ({ size }) => size,
    () => undefined,
  );
}

/** Opens a plain file for reading. A link or device put in its place since it was found is refused. @throws Error of the system. */
export async function openPlainFile(file: string, isGiven: boolean): Promise<FileHandle> {
  const noFollow = isGiven ? 0 : (constants.O_NOFOLLOW ?? 0);
  const handle = await open(file, constants.O_RDONLY | noFollow | (constants.O_NONBLOCK ?? 0));
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new Error('not a plain file');
}

async function rankOf(file: string): Promise<number> {
  let handle: FileHandle | undefined;
  try {
    handle = await openPlainFile(file, true);
    const head = Buffer.alloc(headBytes);
    const { bytesRead } = await handle.read(head, 0, headBytes, 0);
    return importRank(recogniseFormat(head.subarray(0, bytesRead)));
  } catch {
    return 9;
  } finally {
    await handle?.close();
  }
}

// A zip archive (PKWARE APPNOTE 6.3.10), checked whole before any of it is read: number and names of its files, what kind they are,
// and how much they unpack to (security.md X9). Each file is streamed, and refused where size or check sum is another than stated.
import { crc32 } from 'node:zlib';
import type { Entry, RandomAccessReader, ZipFile } from 'yauzl';
import { fromFdPromise, fromRandomAccessReaderPromise } from 'yauzl';
import { ArchiveRefusal } from './archive-error.ts';

export interface ArchiveLimits {
  readonly maxFiles: number;
  readonly maxUnpackedBytes: number;
  /** Unpacked bytes by bytes of the archive; below `freeBytes` it does not count. */
  readonly maxRatio: number;
  readonly freeBytes: number;
}

export const defaultArchiveLimits: ArchiveLimits = {
  maxFiles: 10_000,
  maxUnpackedBytes: 64 * 1_073_741_824,
  maxRatio: 100,
  freeBytes: 1_048_576,
};

export interface ArchivedFile {
  /** Normalised, with forward slashes, below the archive. */
  readonly name: string;
  readonly size: number;
  /** Its bytes. @throws ArchiveRefusal ARCHIVE_DAMAGED. */
  read(): AsyncGenerator<Buffer>;
}

export interface ZipArchive {
  readonly files: readonly ArchivedFile[];
}

export type ArchiveSource =
  /** An open file, which stays the caller's. */
  | { readonly descriptor: number; readonly size: number }
  | { readonly reader: RandomAccessReader; readonly size: number };

/** @throws ArchiveRefusal. */
export async function openZipArchive(
  source: ArchiveSource,
  limits: ArchiveLimits = defaultArchiveLimits,
): Promise<ZipArchive> {
  const zip = await openZip(source);
  try {
    const entries = await readEntries(zip, limits, source.size);
    const files = entries.map((entry) => ({
      name: plainName(entry.fileName),
      size: entry.uncompressedSize,
      read: () => readEntry(zip, entry),
    }));
    return { files };
  } catch (error) {
    throw refusalOf(error);
  }
}

async function openZip(source: ArchiveSource): Promise<ZipFile> {
  const options = { autoClose: false, lazyEntries: true, strictFileNames: true } as const;
  try {
    return 'descriptor' in source
      ? await fromFdPromise(source.descriptor, options)
      : await fromRandomAccessReaderPromise(source.reader, source.size, options);
  } catch (error) {
    throw refusalOf(error);
  }
}

async function readEntries(zip: ZipFile, limits: ArchiveLimits, archiveSize: number): Promise<Entry[]> {
  const entries: Entry[] = [];
  const names = new Set<string>();
  let unpackedBytes = 0;
  // Folders count too: a bomb may be made of them.
  if (zip.entryCount > limits.maxFiles) throw new ArchiveRefusal('ARCHIVE_TOO_MANY_FILES');
  for await (const entry of zip.eachEntry()) {
    checkKind(entry);
    const folded = foldName(plainName(entry.fileName));
    // Attack: two names that one file system takes for one, so that the second takes the first one's place.
    if (names.has(folded)) throw new ArchiveRefusal('ARCHIVE_NAME_COLLISION');
    names.add(folded);
    unpackedBytes += entry.uncompressedSize;
    if (unpackedBytes > limits.maxUnpackedBytes) throw new ArchiveRefusal('ARCHIVE_TOO_LARGE');
    if (!entry.fileName.endsWith('/')) entries.push(entry);
  }
  // Attack: a zip bomb, also one whose files share their compressed bytes: the whole archive's own size is what counts.
  if (unpackedBytes > limits.freeBytes && unpackedBytes > archiveSize * limits.maxRatio) {
    throw new ArchiveRefusal('ARCHIVE_RATIO');
  }
  return entries;
}

/** Attack: a link that leads out of the archive, a device, a pipe. Only Unix archives state the kind (the upper half of the attributes). */
function checkKind(entry: Entry): void {
  if (entry.isEncrypted()) throw new ArchiveRefusal('ARCHIVE_ENCRYPTED');
  const kind = (entry.externalFileAttributes >>> 16) & 0o170000;
  const isPlain = kind === 0 || kind === 0o100000 || (kind === 0o040000 && entry.fileName.endsWith('/'));
  if (!isPlain) throw new ArchiveRefusal('ARCHIVE_SPECIAL_FILE');
}

/** @throws ArchiveRefusal ARCHIVE_UNSAFE_NAME (attack: zip slip by an absolute path, a drive, `..` or a control character). */
function plainName(name: string): string {
  const normal = name.normalize('NFC').replace(/\/$/, '');
  const isUnsafe =
    normal === '' ||
    normal.length > 500 ||
    /[\\:]|^\//.test(normal) ||
    hasControlCharacter(normal) ||
    normal.split('/').some((part) => part === '' || part === '.' || part === '..');
  if (isUnsafe) throw new ArchiveRefusal('ARCHIVE_UNSAFE_NAME');
  return normal;
}

function hasControlCharacter(text: string): boolean {
  return [...text].some((character) => (character.codePointAt(0) ?? 0) < 0x20 || character === '\x7f');
}

/** What names of one file have in common, on file systems that tell neither case nor Unicode forms apart. */
function foldName(name: string): string {
  return name.normalize('NFKC').toLowerCase().toUpperCase();
}

async function* readEntry(zip: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  let sum = 0;
  try {
    // The library ends the stream at the stated size.
    for await (const chunk of await zip.openReadStreamPromise(entry)) {
      const bytes = chunk as Buffer;
      sum = crc32(bytes, sum);
      yield bytes;
    }
  } catch (error) {
    throw refusalOf(error);
  }
  if (sum !== entry.crc32) throw new ArchiveRefusal('ARCHIVE_DAMAGED');
}

/** The library's errors quote names: only what kind of trouble it is goes on. */
function refusalOf(error: unknown): ArchiveRefusal {
  if (error instanceof ArchiveRefusal) return error;
  const message = error instanceof Error ? error.message : '';
  if (/encrypt/i.test(message)) return new ArchiveRefusal('ARCHIVE_ENCRYPTED');
  const isName = /^(absolute path|invalid relative path|invalid characters in fileName)/.test(message);
  return new ArchiveRefusal(isName ? 'ARCHIVE_UNSAFE_NAME' : 'ARCHIVE_DAMAGED');
}

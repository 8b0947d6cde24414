// Reads an asar archive: a size-prefixed JSON header of the tree, then the files' bytes one after another (electron/asar, README "Format").
import { closeSync, copyFileSync, linkSync, mkdirSync, openSync, readSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface ArchivedFile {
  /** From the archive's root, with forward slashes. */
  readonly file: string;
  readonly size: number;
  /** Lies beside the archive, in `<archive>.unpacked`. */
  readonly isUnpacked: boolean;
  /** Within the archive, from the end of its header. */
  readonly offset: number;
  /** SHA-256 of the file as the header states it. */
  readonly hash: string;
}

interface Entry {
  readonly files?: Readonly<Record<string, Entry>>;
  readonly size?: number;
  readonly offset?: string;
  readonly unpacked?: boolean;
  readonly link?: string;
  readonly integrity?: { readonly hash: string };
}

export interface AsarArchive {
  readonly files: readonly ArchivedFile[];
  read(file: ArchivedFile): Buffer;
  /** Writes the whole tree to `folder`; what lies unpacked is linked where both are on one volume, else copied. */
  extract(folder: string): void;
  close(): void;
}

export function openAsar(archive: string): AsarArchive {
  const descriptor = openSync(archive, 'r');
  const readAt = (position: number, length: number) => {
    const bytes = Buffer.alloc(length);
    readSync(descriptor, bytes, 0, length, position);
    return bytes;
  };
  const headerBytes = readAt(4, 4).readUInt32LE();
  const json = readAt(16, readAt(12, 4).readUInt32LE()).toString('utf8');
  const files = [...filesOf(JSON.parse(json) as Entry, '')];
  const read = ({ offset, size }: ArchivedFile) => readAt(8 + headerBytes + offset, size);
  return {
    files,
    read,
    extract: (folder) => {
      for (const entry of files) {
        const target = path.join(folder, entry.file);
        mkdirSync(path.dirname(target), { recursive: true });
        if (entry.isUnpacked) linkOrCopy(path.join(`${archive}.unpacked`, entry.file), target);
        else writeFileSync(target, read(entry));
      }
    },
    close: () => closeSync(descriptor),
  };
}

function linkOrCopy(source: string, target: string): void {
  try {
    linkSync(source, target);
  } catch {
    copyFileSync(source, target);
  }
}

function* filesOf(entry: Entry, name: string): Generator<ArchivedFile> {
  // A link would lead out of what was looked at.
  if (entry.link !== undefined) throw new Error(`the archive holds a link: ${name}`);
  if (entry.files === undefined) {
    const { size = 0, offset = '0', unpacked = false, integrity } = entry;
    yield { file: name, size, isUnpacked: unpacked, offset: Number(offset), hash: integrity?.hash ?? '' };
    return;
  }
  for (const [child, below] of Object.entries(entry.files))
    yield* filesOf(below, name === '' ? child : `${name}/${child}`);
}

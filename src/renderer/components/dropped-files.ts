// The files of a drop, folders walked through, each named by its path inside what was dropped.
import type { ImportFile } from '../import-run.ts';

const countStep = 250;
const byName = new Intl.Collator('en', { numeric: true });

/** In the order of their names, IM2 before IM10: the same each time, whatever order the folder gave. */
export function inOrder(files: readonly ImportFile[]): ImportFile[] {
  return files.toSorted((left, right) => byName.compare(left.name, right.name));
}

function readAll(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const found: FileSystemEntry[] = [];
  return new Promise((resolve, reject) => {
    // A reader gives its entries in parts, and an empty part at the end.
    const next = (): void =>
      reader.readEntries((part) => {
        if (part.length === 0) resolve(found);
        else {
          found.push(...part);
          next();
        }
      }, reject);
    next();
  });
}

async function addFilesOf(entry: FileSystemEntry, files: ImportFile[], onFound: () => void): Promise<void> {
  if (entry.isDirectory) {
    const inside = await readAll(entry as FileSystemDirectoryEntry);
    for (const child of inside) await addFilesOf(child, files, onFound);
    return;
  }
  const file = await new Promise<File>((resolve, reject) =>
    (entry as FileSystemFileEntry).file(resolve, reject),
  );
  const name = entry.fullPath.replace(/^\//, '') || file.name;
  files.push({ name, size: file.size, slice: (start, end) => file.slice(start, end) });
  onFound();
}

/**
 * @param onCount called now and then with how many files were found so far: a folder of a radiology has tens of thousands
 * @returns the dropped files in the order of their names, so that a second drop asks for the same thing */
export async function filesOfDrop(
  transfer: DataTransfer,
  onCount: (count: number) => void,
): Promise<ImportFile[]> {
  const entries = [...transfer.items]
    .map((item) => item.webkitGetAsEntry())
    .filter((entry) => entry !== null);
  const plain = [...transfer.files];
  const files: ImportFile[] = [];
  const tell = (): void => {
    if (files.length % countStep === 0) onCount(files.length);
  };
  for (const entry of entries) await addFilesOf(entry, files, tell);
  const all = entries.length > 0 ? files : plain;
  return inOrder(all);
}

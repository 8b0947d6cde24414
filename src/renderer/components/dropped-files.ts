// The files of a drop, folders walked through, each named by its path inside what was dropped.
import type { ImportFile } from '../import-run.ts';

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

async function filesOfEntry(entry: FileSystemEntry): Promise<ImportFile[]> {
  if (entry instanceof FileSystemDirectoryEntry || entry.isDirectory) {
    const inside = await readAll(entry as FileSystemDirectoryEntry);
    const files: ImportFile[] = [];
    for (const child of inside) files.push(...(await filesOfEntry(child)));
    return files;
  }
  const file = await new Promise<File>((resolve, reject) =>
    (entry as FileSystemFileEntry).file(resolve, reject),
  );
  const name = entry.fullPath.replace(/^\//, '') || file.name;
  return [{ name, size: file.size, slice: (start, end) => file.slice(start, end) }];
}

/** @returns the dropped files in the order of their names, so that a second drop asks for the same thing */
export async function filesOfDrop(transfer: DataTransfer): Promise<ImportFile[]> {
  const entries = [...transfer.items]
    .map((item) => item.webkitGetAsEntry())
    .filter((entry) => entry !== null);
  const plain = [...transfer.files];
  const files: ImportFile[] = [];
  for (const entry of entries) files.push(...(await filesOfEntry(entry)));
  const all = entries.length > 0 ? files : plain;
  return all.sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
}

// Writes a file in parts so that it appears whole or not at all, also after a power cut.
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';

/** Short enough for what it is put together of to be young when it is gone. */
const partLength = 1 << 16;

/** Writes the texts one after the other, with memory for one part; only the owner may read the file. */
export function writeDurably(path: string, parts: Iterable<string>): void {
  const partial = `${path}.partial`;
  const file = openSync(partial, 'w', 0o600);
  try {
    let pending = '';
    for (const part of parts) {
      pending += part;
      if (pending.length < partLength) continue;
      writeWhole(file, pending);
      pending = '';
    }
    writeWhole(file, pending);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(partial, path);
}

function writeWhole(file: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
}

/** Makes renames in a folder durable. */
export function syncFolder(directory: string): void {
  // Windows cannot open a folder for syncing; its rename is journalled.
  if (process.platform === 'win32') return;
  const folder = openSync(directory, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

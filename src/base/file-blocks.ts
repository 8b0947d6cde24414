// Reads a file from front to back with memory for one block of it.
import { closeSync, openSync, readSync } from 'node:fs';

const blockBytes = 1 << 20;

/** The file's bytes in order. Each block is the memory of the one before: who keeps bytes copies them. @throws Error of the system. */
export function* fileBlocks(file: string): Generator<Uint8Array, void, undefined> {
  const handle = openSync(file, 'r');
  try {
    const block = new Uint8Array(blockBytes);
    for (let read = readSync(handle, block); read > 0; read = readSync(handle, block))
      yield block.subarray(0, read);
  } finally {
    closeSync(handle);
  }
}

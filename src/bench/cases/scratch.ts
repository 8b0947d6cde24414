// Folders below a case's scratch folder.
import { mkdirSync } from 'node:fs';
import path from 'node:path';

export function emptyFolder(scratch: string, name: string): string {
  const folder = path.join(scratch, name);
  mkdirSync(folder);
  return folder;
}

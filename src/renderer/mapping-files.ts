// The CSV files that wait for a column mapping: their first bytes, and which of them have the same columns.
import { encodeBase64, type ImportFile } from './import-run.ts';

export const headBytes = 262_144;

/** The first bytes of a file as the site wants to see them, base64. */
export async function readHead(file: ImportFile): Promise<string> {
  return encodeBase64(await firstBytes(file));
}

async function firstBytes(file: ImportFile): Promise<Uint8Array> {
  return new Uint8Array(await file.slice(0, Math.min(headBytes, file.size)).arrayBuffer());
}

async function headerOf(file: ImportFile): Promise<string> {
  const bytes = await firstBytes(file);
  const end = bytes.indexOf(0x0a);
  return new TextDecoder().decode(end === -1 ? bytes : bytes.subarray(0, end)).trim();
}

/** Splits `files` into those with the columns of `like`, which one mapping fits, and the others. */
export async function splitByColumns(
  files: readonly ImportFile[],
  like: ImportFile,
): Promise<{ same: ImportFile[]; others: ImportFile[] }> {
  const header = await headerOf(like);
  const same: ImportFile[] = [];
  const others: ImportFile[] = [];
  for (const file of files) ((await headerOf(file)) === header ? same : others).push(file);
  return { same, others };
}

/** Name of the file that a mapping is saved as: beside the table that it explains. */
export function mappingFileName(table: string): string {
  const name = table.split(/[/\\]/).at(-1) ?? table;
  return `${name.replace(/\.(csv|tsv|txt)$/i, '')}.mapping.json`;
}

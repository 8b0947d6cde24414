// Imports what is in an archive as if it lay in a folder of that name: records in the order in which they must be read, then images.
// An archive that is refused is refused whole, before anything of it is read.

import { isArchive, recogniseBinary } from '../binary-format.ts';
import { headBytes, importRank, recogniseFormat } from '../file-format.ts';
import type { FileImport } from '../file-import.ts';
import type { OfferedImage } from '../imaging/image-import.ts';
import type { ImportBatch } from '../import-batch.ts';
import type { FileRefusalCode } from '../ingest-error.ts';
import type { FileOutcome } from '../ingest-outcome.ts';
import { ArchiveRefusal } from './archive-error.ts';
import { type ArchivedFile, type ArchiveSource, openZipArchive } from './zip-archive.ts';

export interface OfferedArchive {
  /** As the caller named it. */
  readonly name: string;
  readonly source: ArchiveSource;
  readonly signal: AbortSignal;
}

/** Outcomes of the files in it, or the one of an archive that is refused, as they come. */
export async function* importArchive(
  batch: ImportBatch,
  { name, source, signal }: OfferedArchive,
): AsyncGenerator<readonly FileOutcome[]> {
  let sorted: SortedFiles;
  try {
    const { files } = await openZipArchive(source);
    sorted = await sortFiles(files, signal);
  } catch (error) {
    if (!(error instanceof ArchiveRefusal)) throw error;
    yield [batch.openFile(name).breakOff(error.code)];
    return;
  }
  const isEmpty = sorted.refused.length + sorted.records.length + sorted.images.length === 0;
  // What was offered has an outcome, also an archive of nothing but folders.
  if (isEmpty) yield [batch.openFile(name).breakOff(signal.aborted ? 'IMPORT_CANCELLED' : 'EMPTY_FILE')];
  const nameOf = (file: ArchivedFile): string => `${name}/${file.name}`;
  for (const { file, code } of sorted.refused) yield [batch.openFile(nameOf(file)).breakOff(code)];
  for (const file of sorted.records) {
    if (signal.aborted) return;
    yield [await importRecord(batch.openFile(nameOf(file)), file, signal)];
  }
  const refused: FileOutcome[] = [];
  const names = new Set([...sorted.records, ...sorted.images].map((file) => file.name));
  const offered = offerImages(sorted.images, {
    signal,
    maxFileBytes: batch.maxImageBytes,
    nameOf,
    names,
    refuse: (file, code) => refused.push(batch.openFile(nameOf(file)).breakOff(code)),
  });
  for await (const outcomes of batch.images.run(offered)) yield [...refused.splice(0), ...outcomes];
  if (refused.length > 0) yield refused;
}

interface SortedFiles {
  readonly records: readonly ArchivedFile[];
  readonly images: readonly ArchivedFile[];
  readonly refused: readonly { readonly file: ArchivedFile; readonly code: FileRefusalCode }[];
}

async function sortFiles(files: readonly ArchivedFile[], signal: AbortSignal): Promise<SortedFiles> {
  const ranked: { file: ArchivedFile; rank: number }[] = [];
  const images: ArchivedFile[] = [];
  const refused: { file: ArchivedFile; code: FileRefusalCode }[] = [];
  for (const file of files) {
    if (signal.aborted) break;
    try {
      const head = await readHead(file);
      if (recogniseBinary(head) === 'dicom') images.push(file);
      // Attack: archives in archives, each a small bomb for the next.
      else if (isArchive(head)) refused.push({ file, code: 'ARCHIVE_NESTED' });
      else ranked.push({ file, rank: importRank(recogniseFormat(head)) });
    } catch (error) {
      if (!(error instanceof ArchiveRefusal)) throw error;
      refused.push({ file, code: error.code });
    }
  }
  const records = ranked.sort((left, right) => left.rank - right.rank).map(({ file }) => file);
  return { records, images, refused };
}

const firstBytes = 4_096;

/** Enough to tell a format. */
async function readHead(file: ArchivedFile): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of file.read()) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= headBytes) break;
    if (size >= firstBytes && recogniseBinary(Buffer.concat(chunks)) !== null) break;
  }
  return Buffer.concat(chunks).subarray(0, headBytes);
}

async function importRecord(
  running: FileImport,
  file: ArchivedFile,
  signal: AbortSignal,
): Promise<FileOutcome> {
  try {
    for await (const chunk of file.read()) {
      if (signal.aborted) return running.breakOff('IMPORT_CANCELLED');
      await running.writePieces(chunk);
      if (running.isRefused) break;
    }
    return await running.end();
  } catch (error) {
    if (!(error instanceof ArchiveRefusal)) throw error;
    return running.breakOff(error.code);
  }
}

interface ImageOffering {
  readonly signal: AbortSignal;
  readonly maxFileBytes: number;
  readonly nameOf: (file: ArchivedFile) => string;
  readonly names: ReadonlySet<string>;
  readonly refuse: (file: ArchivedFile, code: FileRefusalCode) => void;
}

async function* offerImages(
  files: readonly ArchivedFile[],
  { signal, maxFileBytes, nameOf, names, refuse }: ImageOffering,
): AsyncGenerator<OfferedImage> {
  for (const file of files) {
    if (signal.aborted) return;
    if (file.size > maxFileBytes) {
      refuse(file, 'FILE_TOO_LARGE');
      continue;
    }
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of file.read()) chunks.push(chunk);
    } catch (error) {
      if (!(error instanceof ArchiveRefusal)) throw error;
      refuse(file, error.code);
      continue;
    }
    const folder = file.name.split('/').slice(0, -1);
    yield {
      name: nameOf(file),
      size: file.size,
      job: { file: { kind: 'bytes', bytes: Buffer.concat(chunks) }, waived: [] },
      hasNeighbour: (parts) => names.has([...folder, ...parts].join('/')),
    };
  }
}

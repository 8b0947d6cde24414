// The import of files and folders that the site reads itself: records first, in the order in which they must be read, then images.
import { lstatSync } from 'node:fs';
import path from 'node:path';
import { importArchive } from './archive/archive-import.ts';
import type { FileImport } from './file-import.ts';
import { type FileSurvey, type FoundFile, openPlainFile, surveyFiles } from './file-walk.ts';
import type { OfferedImage } from './imaging/image-import.ts';
import { ImportBatch, type IngestStage } from './import-batch.ts';
import { ImportPace } from './import-pace.ts';
import type { IngestPathsRequest } from './ingest.ts';
import type { FileOutcome, IngestEvent } from './ingest-outcome.ts';
import { keptFiles } from './outcome-tally.ts';
import { minSplitBytes, SplitImport } from './split-import.ts';

const chunkBytes = 1_048_576;

interface PathImport {
  readonly batch: ImportBatch;
  readonly survey: FileSurvey;
  readonly pace: ImportPace;
  readonly signal: AbortSignal;
  /** Files that have their outcome. */
  doneCount: number;
}

/** Progress, the outcomes of files, at last the summary. @throws IngestError BAD_MAPPING; ObjectStoreError. */
export async function* importPaths(
  stage: IngestStage,
  { mapping, actor, signal, paths }: IngestPathsRequest,
): AsyncGenerator<IngestEvent> {
  const survey = await surveyFiles(paths, signal);
  const batch = new ImportBatch(stage, { actor, mapping, fileCount: survey.fileCount });
  const running = { batch, survey, pace: new ImportPace(survey.byteCount), signal, doneCount: 0 };
  let isClosed = false;
  try {
    for (const file of survey.records) {
      if (signal.aborted) break;
      if (file.isArchive) yield* importArchiveFile(running, file);
      else yield* importFile(running, file);
    }
    if (!signal.aborted) yield* importImages(running);
    await batch.settle();
    isClosed = true;
    yield { kind: 'summary', summary: batch.close() };
  } finally {
    // The caller went away: what is in stays in, and the batch has its end.
    if (!isClosed) batch.close();
  }
}

async function* importFile(running: PathImport, file: FoundFile): AsyncGenerator<IngestEvent> {
  const { batch, signal } = running;
  let importing: FileImport | SplitImport | undefined;
  let outcome: FileOutcome | undefined;
  try {
    if (file.trouble === null) {
      for await (const chunk of readChunks(file)) {
        importing ??= openImport(batch, file, chunk);
        if (importing instanceof SplitImport) await importing.write(chunk);
        else await importing.writePieces(chunk);
        yield progress(running, file, importing);
        if (importing.isRefused) break;
        const isMore = importing.bytesRead < file.size;
        if (isMore && signal.aborted) outcome = await importing.breakOff('IMPORT_CANCELLED');
        if (outcome !== undefined) break;
      }
      importing ??= batch.openFile(file.path);
      outcome ??= await importing.end();
      yield progress(running, file, importing);
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    importing ??= batch.openFile(file.path);
    outcome = await importing.breakOff('UNREADABLE');
  } finally {
    importing ??= batch.openFile(file.path);
    outcome ??= await importing.breakOff(file.trouble ?? 'IMPORT_CANCELLED');
    take(running, [outcome], file.size);
  }
  yield { kind: 'file', file: outcome };
}

/** @param head its first chunk */
function openImport(batch: ImportBatch, file: FoundFile, head: Uint8Array): FileImport | SplitImport {
  const split = file.size >= minSplitBytes ? batch.openSplitFile(file.path, head) : undefined;
  return split ?? batch.openFile(file.path);
}

async function* importArchiveFile(running: PathImport, file: FoundFile): AsyncGenerator<IngestEvent> {
  const { batch, signal } = running;
  const place = { path: file.path, bytesRead: 0, size: file.size };
  let handle: Awaited<ReturnType<typeof openPlainFile>>;
  try {
    handle = await openPlainFile(file.path, file.isGiven);
  } catch {
    const outcome = batch.openFile(file.path).breakOff('UNREADABLE');
    take(running, [outcome], file.size);
    yield { kind: 'file', file: outcome };
    return;
  }
  try {
    const source = { descriptor: handle.fd, size: file.size };
    for await (const outcomes of importArchive(batch, { name: file.path, source, signal })) {
      take(running, outcomes, 0);
      yield* tell(running, outcomes);
      yield progress(running, file, { ...place, rowCount: 0 });
    }
    running.pace.finish(file.size, 0);
  } finally {
    await handle.close();
  }
}

async function* importImages(running: PathImport): AsyncGenerator<IngestEvent> {
  const sizes = new Map<string, number>();
  for await (const outcomes of running.batch.images.run(offerImages(running, sizes))) {
    const byteCount = outcomes.reduce((sum, outcome) => sum + (sizes.get(outcome.path) ?? 0), 0);
    for (const outcome of outcomes) sizes.delete(outcome.path);
    take(running, outcomes, byteCount);
    yield* tell(running, outcomes);
    const last = outcomes.at(-1);
    if (last === undefined) continue;
    yield progress(running, { path: last.path, size: 0 }, { bytesRead: 0, rowCount: 0 });
  }
}

async function* offerImages(
  { survey, signal }: PathImport,
  sizes: Map<string, number>,
): AsyncGenerator<OfferedImage> {
  if (survey.imageCount === 0) return;
  for await (const { path: file, size, isGiven } of survey.images()) {
    if (signal.aborted) return;
    sizes.set(file, size);
    yield {
      name: file,
      size,
      job: { file: { kind: 'path', path: file, isGiven }, waived: [] },
      hasNeighbour: (parts) => isPlainFile(path.join(path.dirname(file), ...parts)),
    };
  }
}

function isPlainFile(file: string): boolean {
  try {
    return lstatSync(file).isFile();
  } catch {
    return false;
  }
}

function take(running: PathImport, outcomes: readonly FileOutcome[], byteCount: number): void {
  for (const outcome of outcomes) running.batch.add(outcome);
  running.doneCount += outcomes.length;
  const rows = outcomes.reduce(
    (sum, { rows: of }) => sum + of.accepted + of.duplicate + of.rejected + of.notNeeded,
    0,
  );
  running.pace.finish(byteCount, rows);
}

/** Of very many files only those that a person must look at are told one by one. */
function* tell({ survey }: PathImport, outcomes: readonly FileOutcome[]): Generator<IngestEvent> {
  const isFew = survey.fileCount <= keptFiles;
  for (const file of outcomes) if (isFew || file.code !== null) yield { kind: 'file', file };
}

function progress(
  { survey, pace, doneCount }: PathImport,
  file: { readonly path: string; readonly size: number },
  { bytesRead, rowCount }: { readonly bytesRead: number; readonly rowCount: number },
): IngestEvent {
  const fileCount = Math.max(survey.fileCount, doneCount);
  return {
    kind: 'progress',
    path: file.path,
    fileIndex: Math.min(doneCount, fileCount - 1),
    fileCount,
    bytesRead,
    bytesTotal: file.size,
    rowCount,
    ...pace.at(bytesRead, rowCount),
  };
}

/** The bytes of a file in order, each chunk in the memory of the last one. @throws Error of the system. */
async function* readChunks({ path: file, isGiven }: FoundFile): AsyncGenerator<Uint8Array> {
  const handle = await openPlainFile(file, isGiven);
  try {
    const buffer = new Uint8Array(chunkBytes);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, chunkBytes, null);
      if (bytesRead === 0) break;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && ('syscall' in error || error.message === 'not a plain file');
}

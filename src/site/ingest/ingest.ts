// The ingest stage: files by path (command line) or pushed in chunks (window) become pseudonymous rows and one outcome each.
import { fromBase64 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { type Actor, systemActor } from '#site/audit/index.ts';
import { ArrivalBatch } from './arrival-batch.ts';
import { type MappingPreview, previewMapping } from './ehr/preview-mapping.ts';
import { type MappingSuggestion, suggestMapping } from './ehr/suggest-mapping.ts';
import { headBytes } from './file-format.ts';
import type { FileImport } from './file-import.ts';
import { type FoundFile, findFiles, openPlainFile } from './file-walk.ts';
import { ImportBatch, type IngestOptions } from './import-batch.ts';
import { IngestError } from './ingest-error.ts';
import {
  type FileOutcome,
  type IngestChunk,
  type IngestEvent,
  type IngestOrder,
  type IngestPushed,
  type IngestSummary,
  listOutcomes,
  type RecordCount,
  recordCounts,
  type StoredOutcome,
} from './ingest-outcome.ts';
import { openPushBatch, type PushBatch } from './push-batch.ts';

const chunkBytes = 1_048_576;

export interface IngestPathsRequest {
  readonly paths: readonly string[];
  /** JSON text of a saved CSV mapping. Without it a mapping that lies in a CSV file's folder is taken. */
  readonly mapping: string | null;
  readonly actor: Actor;
  readonly signal: AbortSignal;
}

export interface OpenBatchRequest {
  readonly files: readonly { readonly name: string; readonly size: number }[];
  readonly mapping: string | null;
  readonly actor: Actor;
}

export interface Ingest {
  /** Imports files and folders: progress, one event for each file, at last the summary. @throws IngestError BAD_MAPPING. */
  ingestPaths(request: IngestPathsRequest): AsyncGenerator<IngestEvent>;
  /** Opens a batch whose bytes will be pushed. @throws IngestError BAD_MAPPING. */
  openBatch(request: OpenBatchRequest): IngestOrder;
  /** Takes the next bytes of a file. @throws IngestError BATCH_NOT_OPEN, CHUNK_OUT_OF_ORDER. */
  push(chunk: IngestChunk): IngestPushed;
  /** Ends a batch; a file whose bytes did not all come is TRUNCATED. @throws IngestError BATCH_NOT_OPEN. */
  closeBatch(batchId: string): IngestSummary;
  /** A batch for files that arrive one by one. */
  openArrivals(actor: Actor): ArrivalBatch;
  listOutcomes(page: { readonly offset: number; readonly limit: number }): {
    total: number;
    outcomes: StoredOutcome[];
  };
  recordCounts(): RecordCount[];
  /** What the columns of a CSV may mean. @param head base64 of its first 256 KiB. @throws IngestError NOT_A_TABLE. */
  suggestMapping(head: string): MappingSuggestion;
  /** What a mapping makes of the first rows; nothing is stored. @throws IngestError NOT_A_TABLE, BAD_MAPPING. */
  previewMapping(request: { readonly head: string; readonly mapping: string }): MappingPreview;
}

/** Opens the stage. Batches that were cut off by a crash get their audit event now. */
export function openIngest(options: IngestOptions): Ingest {
  recordInterruptedBatches(options);
  const batches = new Map<string, PushBatch>();
  const find = (batchId: string): PushBatch => {
    const batch = batches.get(batchId);
    if (batch === undefined) throw new IngestError('BATCH_NOT_OPEN', 'this import is not open');
    return batch;
  };
  return {
    ingestPaths: (request) => ingestPaths(options, request),
    openBatch: (request) => {
      const batch = openPushBatch(options, request);
      batches.set(batch.order.batchId, batch);
      return batch.order;
    },
    push: ({ batchId, fileIndex, offset, bytes, isLast }) =>
      find(batchId).push({ fileIndex, offset, bytes: fromBase64(bytes), isLast }),
    closeBatch: (batchId) => {
      const summary = find(batchId).close();
      batches.delete(batchId);
      return summary;
    },
    openArrivals: (actor) => new ArrivalBatch(options, actor),
    listOutcomes: (page) => listOutcomes(options.store, options.keys.linkageKey, page),
    recordCounts: () => recordCounts(options.store),
    suggestMapping: (head) => suggestMapping(...wholeHead(head)),
    previewMapping: ({ head, mapping }) => {
      const [bytes, isWhole] = wholeHead(head);
      return previewMapping({ head: bytes, isWhole, mapping, zone: options.zone });
    },
  };
}

/** The bytes, and whether they are all of the file. */
function wholeHead(head: string): [Uint8Array, boolean] {
  const bytes = fromBase64(head);
  return [bytes, bytes.length < headBytes];
}

async function* ingestPaths(
  options: IngestOptions,
  request: IngestPathsRequest,
): AsyncGenerator<IngestEvent> {
  const { mapping, actor, signal, paths } = request;
  const files = await findFiles(paths);
  const batch = new ImportBatch(options, { actor, mapping, fileCount: files.length });
  let isClosed = false;
  try {
    for (const [fileIndex, file] of files.entries()) {
      if (signal.aborted) break;
      const place = { fileIndex, fileCount: files.length, isGiven: paths.includes(file.path) };
      yield* importFile(batch, file, { ...place, signal });
    }
    isClosed = true;
    yield { kind: 'summary', summary: batch.close() };
  } finally {
    // The caller went away: what is in stays in, and the batch has its end.
    if (!isClosed) batch.close();
  }
}

interface FilePlace {
  readonly fileIndex: number;
  readonly fileCount: number;
  /** Named by the caller, not found in a folder. */
  readonly isGiven: boolean;
  readonly signal: AbortSignal;
}

async function* importFile(
  batch: ImportBatch,
  file: FoundFile,
  place: FilePlace,
): AsyncGenerator<IngestEvent> {
  const running = batch.openFile(file.path);
  let outcome: FileOutcome | undefined;
  try {
    if (file.trouble !== null) {
      outcome = running.breakOff(file.trouble);
    } else {
      for await (const isMore of readChunks(running, file.path, place)) {
        const { fileIndex, fileCount } = place;
        const { bytesRead, rowCount } = running;
        yield {
          kind: 'progress',
          path: file.path,
          fileIndex,
          fileCount,
          bytesRead,
          bytesTotal: file.size,
          rowCount,
        };
        if (isMore && place.signal.aborted) outcome = running.breakOff('IMPORT_CANCELLED');
        if (outcome !== undefined) break;
      }
      outcome ??= running.end();
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    outcome = running.breakOff('UNREADABLE');
  } finally {
    outcome ??= running.breakOff('IMPORT_CANCELLED');
    batch.add(outcome);
  }
  yield { kind: 'file', file: outcome };
}

/** Feeds the file to its import; gives true after each chunk, false at its end. @throws Error of the system. */
async function* readChunks(
  running: FileImport,
  file: string,
  { isGiven }: FilePlace,
): AsyncGenerator<boolean> {
  const handle = await openPlainFile(file, isGiven);
  try {
    const buffer = new Uint8Array(chunkBytes);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, chunkBytes, null);
      if (bytesRead === 0) break;
      running.write(buffer.slice(0, bytesRead));
      if (running.isRefused) break;
      yield true;
    }
  } finally {
    await handle.close();
  }
  yield false;
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && ('syscall' in error || error.message === 'not a plain file');
}

/** Batches that a crash cut off: rows of theirs may be in. Importing the same files again brings the rest. */
function recordInterruptedBatches({ store, auditLog }: IngestOptions): void {
  const { query } = store;
  const open = store.all(
    query.selectFrom('ingest_batch').select('batch_id').where('finished_at', 'is', null),
  );
  for (const { batch_id } of open) {
    store.transaction(() => {
      const finished = { finished_at: isoTime(store.clock.nowMs()) };
      store.run(query.updateTable('ingest_batch').set(finished).where('batch_id', '=', batch_id));
      const { name, role } = systemActor;
      auditLog.append({
        actor: name,
        role,
        action: 'import-interrupted',
        object: `import:${batch_id}`,
        outcome: 'failed',
      });
    });
  }
}

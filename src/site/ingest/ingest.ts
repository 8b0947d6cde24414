// The ingest stage: files by path (command line) or pushed in chunks (window) become pseudonymous rows and one outcome each.
import { rmSync } from 'node:fs';
import { fromBase64 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { limitHeapGrowth } from '#base/heap-growth.ts';
import { type Actor, systemActor } from '#site/audit/index.ts';
import { spoolFolder } from './archive/sealed-spool.ts';
import { ArrivalBatch } from './arrival-batch.ts';
import { type MappingPreview, previewMapping } from './ehr/preview-mapping.ts';
import { type MappingSuggestion, suggestMapping } from './ehr/suggest-mapping.ts';
import { erasePendingFacts } from './erase-records.ts';
import { headBytes } from './file-format.ts';
import { openQuarantine, type Quarantine } from './imaging/quarantine.ts';
import { openWorkerPool } from './imaging/worker-pool.ts';
import { type IngestOptions, type IngestStage, maxImageBytes } from './import-batch.ts';
import { IngestError } from './ingest-error.ts';
import {
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
import { NamedRecords } from './named-records.ts';
import { importPaths } from './path-import.ts';
import { openPushBatch, type PushBatch } from './push-batch.ts';
import { ReadingPool } from './reading-pool.ts';

/** Two cores are busy with two workers and the site's own thread. */
const workerCount = 2;

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
  /**
   * Imports files and folders: progress, one event for each file (of more than 1,000 only for those that are not wholly in), at last
   * the summary. @throws IngestError BAD_MAPPING; ObjectStoreError when the disk is full.
   */
  ingestPaths(request: IngestPathsRequest): AsyncGenerator<IngestEvent>;
  /** Opens a batch whose bytes will be pushed. @throws IngestError BAD_MAPPING. */
  openBatch(request: OpenBatchRequest): IngestOrder;
  /** Takes the next bytes of a file. @throws IngestError BATCH_NOT_OPEN, CHUNK_OUT_OF_ORDER. */
  push(chunk: IngestChunk): Promise<IngestPushed>;
  /** Ends a batch; a file whose bytes did not all come is IMPORT_CANCELLED. @throws IngestError BATCH_NOT_OPEN. */
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
  /** Files that wait for a person. */
  readonly quarantine: Quarantine;
  /**
   * Deletes the facts of the subjects whose erasure is pending when it is called; whoever joins them meanwhile stays pending. Stopped at
   * any moment, it goes on when it is called again.
   * @returns how many were deleted
   */
  erasePendingFacts(): Promise<number>;
  /** Ends the workers. */
  close(): Promise<void>;
}

/** Opens the stage. Batches that were cut off by a crash get their audit event now. */
export function openIngest(options: IngestOptions): Ingest {
  limitHeapGrowth();
  recordInterruptedBatches(options);
  rmSync(spoolFolder(options.objects), { recursive: true, force: true });
  const { keys, objects, zone } = options;
  const pool = openWorkerPool({
    settings: { ...keys, objectFolder: objects.folder, maxFileBytes: maxImageBytes },
    workerCount,
    takeSegment: objects.takeSegment,
    giveBack: objects.giveBack,
  });
  const readers = new ReadingPool({ linkageKey: keys.linkageKey, zone: zone.name });
  const named = new NamedRecords(options.store);
  const stage: IngestStage = { ...options, pool, readers, named };
  const batches = new Map<string, PushBatch>();
  const find = (batchId: string): PushBatch => {
    const batch = batches.get(batchId);
    if (batch === undefined) throw new IngestError('BATCH_NOT_OPEN', 'this import is not open');
    return batch;
  };
  return {
    ingestPaths: (request) => importPaths(stage, request),
    openBatch: (request) => {
      const batch = openPushBatch(stage, request);
      batches.set(batch.order.batchId, batch);
      return batch.order;
    },
    push: async ({ batchId, fileIndex, offset, bytes, isLast }) =>
      find(batchId).push({ fileIndex, offset, bytes: fromBase64(bytes), isLast }),
    closeBatch: (batchId) => {
      const summary = find(batchId).close();
      batches.delete(batchId);
      return summary;
    },
    openArrivals: (actor) => new ArrivalBatch(stage, actor),
    listOutcomes: (page) => listOutcomes(options.store, options.keys.linkageKey, page),
    recordCounts: () => recordCounts(options.store),
    suggestMapping: (head) => suggestMapping(...wholeHead(head)),
    previewMapping: ({ head, mapping }) => {
      const [bytes, isWhole] = wholeHead(head);
      return previewMapping({ head: bytes, isWhole, mapping, zone: options.zone });
    },
    quarantine: openQuarantine(stage),
    erasePendingFacts: () => erasePendingFacts(options.store, named),
    close: async () => {
      readers.close();
      await pool.close();
      // What cannot be written now is read again at the next start: no reason not to close.
      await named.merge().catch(() => options.logger.warn('record keys were left to the next start', {}));
    },
  };
}

/** The bytes, and whether they are all of the file. */
function wholeHead(head: string): [Uint8Array, boolean] {
  const bytes = fromBase64(head);
  return [bytes, bytes.length < headBytes];
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

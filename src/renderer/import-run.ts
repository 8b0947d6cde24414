// One import from this window: sends the chosen files in the order and in chunks the site asks for, keeps each file's outcome, and
// counts so that the outcomes add up to what was offered.
import type { IngestSummary } from '#ipc/schema.ts';
import { createExternalStore, type ExternalStore } from './external-store.ts';
import { noPace, type Pace } from './import-pace.ts';
import { createImportReading, type FileProgress, type ImportReading } from './import-reading.ts';
import { type ImportTotals, noTotals, sumOf } from './import-totals.ts';
import { type Problem, readProblem } from './problem.ts';
import type { SiteClient } from './site-client.ts';

export const chunkBytes = 1_048_576;
/** The site takes so many files at once; more go in as one batch after the other. */
export const batchFiles = 10_000;
/** Whole files that are on their way at the same time: the site works on several images at once. */
const filesTogether = 48;
const progressDelayMs = 80;
/** Base64 is made in pieces: a call may not have a million arguments. */
const encodePieceBytes = 24_576;

/** What this file needs of a browser's File. */
export interface ImportFile {
  readonly name: string;
  readonly size: number;
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

export interface ImportSnapshot {
  readonly state: 'idle' | 'running' | 'stopping' | 'stopped' | 'done' | 'failed';
  /** In the order they were offered, then what was found inside them; changes in place, and each snapshot tells that it may have. */
  readonly files: readonly FileProgress[];
  readonly currentIndex: number | null;
  readonly bytesTotal: number;
  readonly totals: ImportTotals;
  readonly pace: Pace;
  /** Of all batches together; null until the last one is closed. */
  readonly summary: Pick<IngestSummary, 'rows'> | null;
  readonly problem: Problem | null;
}

export interface ImportRun {
  readonly store: ExternalStore<ImportSnapshot>;
  /** @param mapping JSON text of a saved CSV mapping, or null */
  start(files: readonly ImportFile[], mapping: string | null): Promise<void>;
  /** The files that were offered at these places, to offer some of them again. */
  filesOf(indexes: readonly number[]): ImportFile[];
  /** Ends after the chunk under way; what went in stays in. */
  stop(): void;
  clear(): void;
}

const idle: ImportSnapshot = {
  state: 'idle',
  files: [],
  currentIndex: null,
  bytesTotal: 0,
  totals: noTotals,
  pace: noPace,
  summary: null,
  problem: null,
};

/** @param bytes at most a chunk */
export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  for (let start = 0; start < bytes.length; start += encodePieceBytes) {
    text += btoa(String.fromCharCode(...bytes.subarray(start, start + encodePieceBytes)));
  }
  return text;
}

/** What has to be read in the order that the site asks for, as far as a name can tell. */
const documentName = /\.(csv|tsv|json|ndjson|jsonl|xml|hl7|txt)$/i;

/**
 * Indexes of `files` in batches of at most `batchFiles`. Tables and documents come before what has the look of an image or an archive:
 * tables refer to each other and must be in one batch, images do not.
 */
export function batchesOf(files: readonly { readonly name: string }[], limit = batchFiles): number[][] {
  const isDocument = (index: number): boolean => documentName.test(files[index]?.name ?? '');
  const indexes = files.map((_, index) => index);
  const inOrder =
    files.length <= limit
      ? indexes
      : [...indexes.filter(isDocument), ...indexes.filter((index) => !isDocument(index))];
  const batches: number[][] = [];
  for (let start = 0; start < inOrder.length; start += limit)
    batches.push(inOrder.slice(start, start + limit));
  return batches;
}

export function createImportRun(client: SiteClient, nowMs = () => performance.now()): ImportRun {
  const store = createExternalStore(idle);
  let handles: readonly ImportFile[] = [];
  const isStopping = (): boolean => store.get().state === 'stopping';
  const patch = (change: Partial<ImportSnapshot>, delayMs?: number): void =>
    store.set({ ...store.get(), ...change }, delayMs);

  const send = async (batchId: string, place: { index: number; inBatch: number }, reading: ImportReading) => {
    const file = handles[place.index];
    if (file === undefined) return;
    const read = async (offset: number): Promise<string> =>
      encodeBase64(
        new Uint8Array(await file.slice(offset, Math.min(offset + chunkBytes, file.size)).arrayBuffer()),
      );
    let next = read(0);
    for (let offset = 0; offset === 0 || offset < file.size; offset += chunkBytes) {
      if (isStopping()) return;
      const bytes = await next;
      const end = Math.min(offset + chunkBytes, file.size);
      const isLast = end === file.size;
      const pushing = client.ingest.push({ batchId, fileIndex: place.inBatch, offset, bytes, isLast });
      // The next chunk is read while the site works on this one.
      if (!isLast) {
        next = read(end);
        next.catch(() => undefined);
      }
      const answer = await pushing;
      // Refused as a whole before its end: the rest is not sent.
      const bytesRead = answer.file === null ? end : file.size;
      const rowCount = answer.file === null ? answer.rowCount : sumOf(answer.file.rows);
      reading.update(place.index, { bytesRead, rowCount, outcome: answer.file });
      patch({ totals: reading.totals(), pace: reading.pace() }, progressDelayMs);
      if (answer.file !== null) return;
    }
  };

  const runBatch = async (indexes: readonly number[], mapping: string | null, reading: ImportReading) => {
    const offered = indexes.map((index) => {
      const file = handles[index];
      return { name: file?.name ?? '', size: file?.size ?? 0 };
    });
    const { batchId, order } = await client.ingest.open({ files: offered, mapping });
    const onTheirWay = new Set<Promise<void>>();
    for (const inBatch of order) {
      const index = indexes[inBatch];
      const file = index === undefined ? undefined : handles[index];
      if (index === undefined || file === undefined || isStopping()) continue;
      patch({ currentIndex: index }, progressDelayMs);
      const isAlone = file.size > chunkBytes || documentName.test(file.name);
      if (isAlone) await Promise.all(onTheirWay);
      else if (onTheirWay.size >= filesTogether) await Promise.race(onTheirWay);
      const sending = send(batchId, { index, inBatch }, reading);
      onTheirWay.add(sending);
      sending.then(
        () => onTheirWay.delete(sending),
        // Told where it is waited for.
        () => undefined,
      );
      if (isAlone) await sending;
    }
    await Promise.all(onTheirWay);
    const summary = await client.ingest.close({ batchId });
    reading.settle(indexes, summary);
    patch({ totals: reading.totals() }, progressDelayMs);
    return summary.rows;
  };

  return {
    store,
    async start(offered, mapping) {
      handles = offered;
      const reading = createImportReading(offered, nowMs);
      const { files, bytesTotal } = reading;
      store.set({ ...idle, state: 'running', files, bytesTotal, totals: reading.totals() });
      const rows: Record<string, number> = {};
      try {
        for (const batch of batchesOf(offered)) {
          if (isStopping()) break;
          const added = await runBatch(batch, mapping, reading);
          for (const [kind, count] of Object.entries(added)) rows[kind] = (rows[kind] ?? 0) + count;
        }
        reading.finish();
        const state = isStopping() ? 'stopped' : 'done';
        patch({ state, currentIndex: null, summary: { rows } });
      } catch (error) {
        patch({ state: 'failed', currentIndex: null, problem: readProblem(error) });
      }
    },
    filesOf: (indexes) =>
      indexes.map((index) => handles[index]).filter((file): file is ImportFile => file !== undefined),
    stop() {
      if (store.get().state === 'running') patch({ state: 'stopping' });
    },
    clear() {
      if (store.get().state === 'running' || store.get().state === 'stopping') return;
      handles = [];
      store.set(idle);
    },
  };
}

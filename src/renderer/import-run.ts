// One import from this window: sends the chosen files in the order and in chunks the site asks for, and keeps each file's outcome.
import type { FileOutcome, IngestSummary } from '#ipc/schema.ts';
import { createExternalStore, type ExternalStore } from './external-store.ts';
import { type Problem, readProblem } from './problem.ts';
import type { SiteClient } from './site-client.ts';

export const chunkBytes = 1_048_576;
const progressDelayMs = 80;
/** Base64 is made in pieces: a call may not have a million arguments. */
const encodePieceBytes = 24_576;

/** What this file needs of a browser's File. */
export interface ImportFile {
  readonly name: string;
  readonly size: number;
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

export interface FileProgress {
  readonly name: string;
  readonly size: number;
  readonly bytesRead: number;
  readonly rowCount: number;
  /** null while it is waiting or being read. */
  readonly outcome: FileOutcome | null;
}

export interface ImportSnapshot {
  readonly state: 'idle' | 'running' | 'stopping' | 'stopped' | 'done' | 'failed';
  readonly files: readonly FileProgress[];
  readonly currentIndex: number | null;
  readonly bytesRead: number;
  readonly bytesTotal: number;
  readonly summary: IngestSummary | null;
  readonly problem: Problem | null;
}

export interface ImportRun {
  readonly store: ExternalStore<ImportSnapshot>;
  /** @param mapping JSON text of a saved CSV mapping, or null */
  start(files: readonly ImportFile[], mapping: string | null): Promise<void>;
  /** Ends after the chunk under way; what went in stays in. */
  stop(): void;
  clear(): void;
}

const idle: ImportSnapshot = {
  state: 'idle',
  files: [],
  currentIndex: null,
  bytesRead: 0,
  bytesTotal: 0,
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

export function createImportRun(client: SiteClient): ImportRun {
  const store = createExternalStore(idle);
  const isStopping = (): boolean => store.get().state === 'stopping';
  const patch = (change: Partial<ImportSnapshot>, delayMs?: number): void =>
    store.set({ ...store.get(), ...change }, delayMs);

  const patchFile = (index: number, change: Partial<FileProgress>): void => {
    const files = store.get().files.slice();
    const file = files[index];
    if (file === undefined) return;
    files[index] = { ...file, ...change };
    const bytesRead = store.get().bytesRead + (change.bytesRead ?? file.bytesRead) - file.bytesRead;
    patch({ files, bytesRead }, progressDelayMs);
  };

  const send = async (batchId: string, fileIndex: number, file: ImportFile): Promise<void> => {
    for (let offset = 0; offset === 0 || offset < file.size; offset += chunkBytes) {
      if (isStopping()) return;
      const end = Math.min(offset + chunkBytes, file.size);
      const bytes = encodeBase64(new Uint8Array(await file.slice(offset, end).arrayBuffer()));
      const isLast = end === file.size;
      const answer = await client.ingest.push({ batchId, fileIndex, offset, bytes, isLast });
      patchFile(fileIndex, { bytesRead: end, rowCount: answer.rowCount, outcome: answer.file });
      if (answer.file !== null) {
        // Refused as a whole before its end: the rest is not sent.
        patchFile(fileIndex, { bytesRead: file.size });
        return;
      }
    }
  };

  return {
    store,
    async start(files, mapping) {
      const described = files.map(({ name, size }) => ({ name, size }));
      const waiting = described.map((file) => ({ ...file, bytesRead: 0, rowCount: 0, outcome: null }));
      const bytesTotal = described.reduce((sum, file) => sum + file.size, 0);
      store.set({ ...idle, state: 'running', files: waiting, bytesTotal });
      try {
        const { batchId, order } = await client.ingest.open({ files: described, mapping });
        for (const index of order) {
          const file = files[index];
          if (file === undefined || isStopping()) continue;
          patch({ currentIndex: index });
          await send(batchId, index, file);
        }
        const summary = await client.ingest.close({ batchId });
        patch({ state: isStopping() ? 'stopped' : 'done', currentIndex: null, summary });
      } catch (error) {
        patch({ state: 'failed', currentIndex: null, problem: readProblem(error) });
      }
    },
    stop() {
      if (store.get().state === 'running') patch({ state: 'stopping' });
    },
    clear() {
      if (store.get().state !== 'running' && store.get().state !== 'stopping') store.set(idle);
    },
  };
}

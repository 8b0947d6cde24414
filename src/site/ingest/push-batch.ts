// A batch whose bytes come in chunks from a window: each file in order, one at a time.
import type { Actor } from '#site/audit/index.ts';
import type { FileImport } from './file-import.ts';
import { ImportBatch, type IngestOptions } from './import-batch.ts';
import { IngestError } from './ingest-error.ts';
import type { FileOutcome, IngestOrder, IngestPushed, IngestSummary } from './ingest-outcome.ts';

export interface PushedBytes {
  readonly fileIndex: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

export interface PushBatch {
  readonly order: IngestOrder;
  /** @throws IngestError CHUNK_OUT_OF_ORDER. */
  push(chunk: PushedBytes): IngestPushed;
  close(): IngestSummary;
}

interface PushRequest {
  readonly files: readonly { readonly name: string; readonly size: number }[];
  readonly mapping: string | null;
  readonly actor: Actor;
}

/** @throws IngestError BAD_MAPPING. */
export function openPushBatch(options: IngestOptions, { files, mapping, actor }: PushRequest): PushBatch {
  const batch = new ImportBatch(options, { actor, mapping, fileCount: files.length });
  const done = new Map<number, FileOutcome>();
  let current: { readonly fileIndex: number; readonly file: FileImport } | undefined;

  const finish = (fileIndex: number, outcome: FileOutcome): FileOutcome => {
    current = undefined;
    done.set(fileIndex, outcome);
    batch.add(outcome);
    return outcome;
  };
  const open = (fileIndex: number, offset: number): FileImport => {
    const name = files[fileIndex]?.name;
    // A file that began and was left is broken off: bytes of two files must not run together.
    if (current !== undefined && current.fileIndex !== fileIndex)
      finish(current.fileIndex, current.file.breakOff('TRUNCATED'));
    if (current === undefined && name !== undefined && offset === 0 && !done.has(fileIndex)) {
      current = { fileIndex, file: batch.openFile(name) };
    }
    if (current === undefined || current.file.bytesRead !== offset) {
      throw new IngestError('CHUNK_OUT_OF_ORDER', 'a chunk does not follow the last one', {
        details: { expected: current?.file.bytesRead ?? 0, found: offset },
      });
    }
    return current.file;
  };

  return {
    order: { batchId: batch.batchId, order: orderByName(files.map(({ name }) => name)) },
    push({ fileIndex, offset, bytes, isLast }) {
      const file = open(fileIndex, offset);
      file.write(bytes);
      const isOver = isLast || file.isRefused;
      return {
        bytesRead: file.bytesRead,
        rowCount: file.rowCount,
        file: isOver ? finish(fileIndex, file.end()) : null,
      };
    },
    close() {
      if (current !== undefined) finish(current.fileIndex, current.file.breakOff('TRUNCATED'));
      return batch.close();
    },
  };
}

/** Only names are known yet: they decide the order, the content decides the format. A wrong guess is refused by name. */
function orderByName(names: readonly string[]): number[] {
  const first = [
    /\.json$/i,
    /(^|\W)concept\.csv$/i,
    /(^|\W)person\.csv$/i,
    /(^|\W)patient/i,
    /(^|\W)medication\W/i,
  ];
  const rank = (name: string): number => {
    const at = first.findIndex((pattern) => pattern.test(name));
    return at === -1 ? first.length : at;
  };
  return names
    .map((name, index) => ({ name, index, rank: rank(name) }))
    .sort(
      (left, right) =>
        left.rank - right.rank || (left.name < right.name ? -1 : left.name > right.name ? 1 : 0),
    )
    .map(({ index }) => index);
}

// A batch whose bytes come in chunks from a window: each file in order, one at a time.
import type { Actor } from '#site/audit/index.ts';
import { ImportBatch, type IngestStage } from './import-batch.ts';
import { IngestError } from './ingest-error.ts';
import type { FileOutcome, IngestOrder, IngestPushed, IngestSummary } from './ingest-outcome.ts';
import { PushedFile, type PushedOutcome } from './pushed-file.ts';

export interface PushedBytes {
  readonly fileIndex: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

export interface PushBatch {
  readonly order: IngestOrder;
  /** @throws IngestError CHUNK_OUT_OF_ORDER; ObjectStoreError. */
  push(chunk: PushedBytes): Promise<IngestPushed>;
  close(): IngestSummary;
}

interface PushRequest {
  readonly files: readonly { readonly name: string; readonly size: number }[];
  readonly mapping: string | null;
  readonly actor: Actor;
}

/** @throws IngestError BAD_MAPPING. */
export function openPushBatch(options: IngestStage, { files, mapping, actor }: PushRequest): PushBatch {
  const batch = new ImportBatch(options, { actor, mapping, fileCount: files.length });
  const done = new Set<number>();
  const names = new Set(files.map(({ name }) => name));
  let current: { readonly fileIndex: number; readonly file: PushedFile } | undefined;

  const finish = ({ file, counted }: PushedOutcome): FileOutcome => {
    for (const outcome of counted) batch.add(outcome);
    return file;
  };
  const leave = (): PushedFile | undefined => {
    const left = current?.file;
    if (current !== undefined) done.add(current.fileIndex);
    current = undefined;
    return left;
  };
  const breakOff = (code: 'TRUNCATED' | 'IMPORT_CANCELLED'): void => {
    const left = leave();
    if (left !== undefined) finish(left.breakOff(code));
  };
  const open = (fileIndex: number, offset: number): PushedFile => {
    const name = files[fileIndex]?.name;
    // A file that began and was left is broken off: bytes of two files must not run together.
    if (current !== undefined && current.fileIndex !== fileIndex) breakOff('TRUNCATED');
    if (current === undefined && name !== undefined && offset === 0 && !done.has(fileIndex)) {
      current = { fileIndex, file: new PushedFile(batch, name, names) };
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
    async push({ fileIndex, offset, bytes, isLast }) {
      const file = open(fileIndex, offset);
      file.write(bytes);
      const isOver = isLast || file.isRefused;
      const { bytesRead, rowCount } = file;
      if (!isOver) {
        await file.pause();
        return { bytesRead, rowCount, file: null };
      }
      // Let go of first: it takes no more bytes while its outcome is awaited.
      leave();
      const outcome = finish(await file.end());
      return { bytesRead, rowCount: file.rowCount, file: outcome };
    },
    close() {
      // Whoever ends the batch inside a file has stopped it.
      breakOff('IMPORT_CANCELLED');
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

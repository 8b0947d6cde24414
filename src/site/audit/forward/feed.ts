// A way to a repository: takes a batch of entries and says how many of them have arrived for good.
import type { EntrySource, ExportedEntry } from '../formats/exported-entry.ts';

/** Entries in order, at least one. */
export interface Batch {
  readonly entries: readonly ExportedEntry[];
  readonly source: EntrySource;
  readonly signal: AbortSignal;
}

export interface Feed {
  /** Entries of a batch at most. */
  readonly batchSize: number;
  /**
   * How many entries from the first one on the receiver has acknowledged; all of them unless it refused one.
   * @throws ForwardingError REPOSITORY_UNAVAILABLE, REPOSITORY_REFUSED where it acknowledged none.
   */
  send(batch: Batch): Promise<number>;
  close(): Promise<void>;
}

/** One deadline for connection, request and answer. */
export const feedTimeoutMs = 30_000;

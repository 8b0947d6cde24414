// Files that arrive one by one from a source, each imported to its outcome: one batch of the ordinary import.
import type { Actor } from '#site/audit/index.ts';
import { ImportBatch, type IngestOptions } from './import-batch.ts';
import type { FileOutcome, IngestSummary } from './ingest-outcome.ts';

export class ArrivalBatch {
  readonly #batch: ImportBatch;
  #count = 0;

  constructor(options: IngestOptions, actor: Actor) {
    this.#batch = new ImportBatch(options, { actor, mapping: null, fileCount: 0 });
  }

  /** Files that have their outcome. */
  get count(): number {
    return this.#count;
  }

  /** Imports a file; its outcome is committed when this returns. @param name as the source calls it */
  async importFile(name: string, bytes: AsyncIterable<Uint8Array>): Promise<FileOutcome> {
    const running = this.#batch.openFile(name);
    let outcome: FileOutcome | undefined;
    try {
      for await (const part of bytes) running.write(part);
      outcome = running.end();
    } finally {
      outcome ??= running.breakOff('TRUNCATED');
      this.#batch.add(outcome);
      this.#count += 1;
    }
    return outcome;
  }

  close(): IngestSummary {
    return this.#batch.close();
  }
}

// Files that arrive one by one from a source, each imported to its outcome: one batch of the ordinary import.
import type { Actor } from '#site/audit/index.ts';
import { recogniseBinary } from './binary-format.ts';
import type { OfferedImage } from './imaging/image-import.ts';
import { ImportBatch, type IngestStage } from './import-batch.ts';
import type { FileOutcome, IngestSummary } from './ingest-outcome.ts';
import { PushedFile, type PushedOutcome } from './pushed-file.ts';

/** What arrives alone has no folder. */
const noNeighbours: ReadonlySet<string> = new Set();

export interface ArrivedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export class ArrivalBatch {
  readonly #batch: ImportBatch;
  #count = 0;

  constructor(options: IngestStage, actor: Actor) {
    this.#batch = new ImportBatch(options, { actor, mapping: null, fileCount: 0 });
  }

  /** Files that have their outcome. */
  get count(): number {
    return this.#count;
  }

  /** Imports a file; its outcome is committed when this returns. @param name as the source calls it */
  async importFile(name: string, bytes: AsyncIterable<Uint8Array>): Promise<FileOutcome> {
    const file = new PushedFile(this.#batch, name, noNeighbours);
    try {
      for await (const part of bytes) {
        file.write(part);
        await file.pause();
      }
    } catch (error) {
      this.#add(file.breakOff('TRUNCATED'));
      throw error;
    }
    // A full disk while it is sealed is no outcome of the file: it is given again.
    return this.#add(await file.end());
  }

  /** Imports images that do not depend on each other, in one transaction where they fit; their outcomes in the same order. */
  async importTogether(files: readonly ArrivedFile[]): Promise<readonly FileOutcome[]> {
    const outcomes: FileOutcome[] = [];
    if (files.every(({ bytes }) => recogniseBinary(bytes) === 'dicom')) {
      for await (const some of this.#batch.images.run(offered(files))) {
        for (const file of some) outcomes.push(this.#add({ file, counted: [file] }));
      }
      return outcomes;
    }
    for (const { name, bytes } of files) outcomes.push(await this.importFile(name, inOnePiece(bytes)));
    return outcomes;
  }

  #add({ file, counted }: PushedOutcome): FileOutcome {
    for (const outcome of counted) this.#batch.add(outcome);
    this.#count += 1;
    return file;
  }

  /** A file that was promised and did not come: refused by name, to be asked for again. */
  missFile(name: string): FileOutcome {
    const outcome = this.#batch.openFile(name).breakOff('UNREADABLE');
    this.#batch.add(outcome);
    this.#count += 1;
    return outcome;
  }

  close(): IngestSummary {
    return this.#batch.close();
  }
}

async function* offered(files: readonly ArrivedFile[]): AsyncGenerator<OfferedImage> {
  for (const { name, bytes } of files)
    yield {
      name,
      size: bytes.length,
      job: { file: { kind: 'bytes', bytes }, waived: [] },
      hasNeighbour: () => false,
    };
}

async function* inOnePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

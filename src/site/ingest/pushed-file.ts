// One file whose bytes come in chunks: what it is shows after its first bytes, and decides whether it is read as it comes (records), held
// until it is whole (an image) or laid down sealed (an archive).
import { importArchive } from './archive/archive-import.ts';
import { summariseArchive } from './archive/archive-outcome.ts';
import type { SealedSpool } from './archive/sealed-spool.ts';
import { recogniseBinary } from './binary-format.ts';
import type { FileImport } from './file-import.ts';
import type { ImportBatch } from './import-batch.ts';
import type { FileRefusalCode } from './ingest-error.ts';
import type { FileOutcome } from './ingest-outcome.ts';

/** Enough to tell images and archives from text. */
const tellingBytes = 4_096;

export interface PushedOutcome {
  /** Of the file that was pushed. */
  readonly file: FileOutcome;
  /** What it adds to the batch: itself, or the files of an archive. */
  readonly counted: readonly FileOutcome[];
}

type Sink =
  | { readonly kind: 'record'; readonly file: FileImport }
  | { readonly kind: 'image'; readonly chunks: Uint8Array[] }
  | { readonly kind: 'archive'; readonly spool: SealedSpool };

export class PushedFile {
  bytesRead = 0;
  readonly #batch: ImportBatch;
  readonly #name: string;
  readonly #neighbours: ReadonlySet<string>;
  #first: Uint8Array[] = [];
  #sink: Sink | undefined;
  #refusal: FileRefusalCode | undefined;

  /** @param neighbours names of all files of the batch */
  constructor(batch: ImportBatch, name: string, neighbours: ReadonlySet<string>) {
    this.#batch = batch;
    this.#name = name;
    this.#neighbours = neighbours;
  }

  get rowCount(): number {
    return this.#sink?.kind === 'record' ? this.#sink.file.rowCount : 0;
  }

  get isRefused(): boolean {
    return this.#refusal !== undefined || (this.#sink?.kind === 'record' && this.#sink.file.isRefused);
  }

  write(bytes: Uint8Array): void {
    this.bytesRead += bytes.length;
    if (this.#sink !== undefined) {
      this.#pass(bytes);
      return;
    }
    this.#first.push(bytes);
    if (this.bytesRead >= tellingBytes) this.#open();
  }

  /** Belongs between two calls of `write`. */
  async pause(): Promise<void> {
    if (this.#sink?.kind === 'record') await this.#sink.file.pause();
  }

  /** @throws ObjectStoreError when the disk is full. */
  async end(): Promise<PushedOutcome> {
    if (this.#sink === undefined) this.#open();
    const sink = this.#sink as Sink;
    if (this.#refusal !== undefined) return this.breakOff(this.#refusal);
    if (sink.kind === 'record') return counted(await sink.file.end());
    return sink.kind === 'image' ? counted(await this.#endImage(sink.chunks)) : this.#endArchive(sink.spool);
  }

  /** Ends a file whose bytes did not all come. */
  breakOff(code: FileRefusalCode): PushedOutcome {
    if (this.#sink?.kind === 'archive') this.#sink.spool.close();
    const file = this.#sink?.kind === 'record' ? this.#sink.file : this.#batch.openFile(this.#name);
    return counted(file.breakOff(code));
  }

  #open(): void {
    const first = Buffer.concat(this.#first);
    this.#first = [];
    const format = recogniseBinary(first);
    if (format === 'dicom') this.#sink = { kind: 'image', chunks: [] };
    else if (format === 'zip') this.#sink = { kind: 'archive', spool: this.#batch.openSpool() };
    else this.#sink = { kind: 'record', file: this.#batch.openFile(this.#name) };
    this.#pass(first);
  }

  #pass(bytes: Uint8Array): void {
    const sink = this.#sink;
    if (this.#refusal !== undefined) return;
    if (sink?.kind === 'record') sink.file.write(bytes);
    else if (sink?.kind === 'archive') sink.spool.write(bytes);
    else if (this.bytesRead > this.#batch.maxImageBytes) this.#refusal = 'FILE_TOO_LARGE';
    else sink?.chunks.push(bytes);
  }

  #endImage(chunks: readonly Uint8Array[]): Promise<FileOutcome> {
    const bytes = Buffer.concat(chunks);
    const folder = this.#name.split('/').slice(0, -1);
    return this.#batch.images.importOne({
      name: this.#name,
      size: bytes.length,
      job: { file: { kind: 'bytes', bytes }, waived: [] },
      hasNeighbour: (parts) => this.#neighbours.has([...folder, ...parts].join('/')),
    });
  }

  async #endArchive(spool: SealedSpool): Promise<PushedOutcome> {
    const files: FileOutcome[] = [];
    try {
      const source = { reader: spool.reader(), size: spool.size };
      const { signal } = new AbortController();
      for await (const outcomes of importArchive(this.#batch, { name: this.#name, source, signal }))
        files.push(...outcomes);
    } finally {
      spool.close();
    }
    return { file: summariseArchive(this.#name, files), counted: files };
  }
}

function counted(file: FileOutcome): PushedOutcome {
  return { file, counted: [file] };
}

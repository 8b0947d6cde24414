// The import of one file on the site's own thread: bytes in order in, one outcome out.
import { toHex } from '#base/bytes.ts';
import { createSha256 } from '#federation/crypto/digest.ts';
import { headBytes, openReader, type ReaderContext, recogniseFormat } from './file-format.ts';
import { type FileImportContext, FileWriter, type PlacedBatch } from './file-writer.ts';
import type { FileRefusalCode } from './ingest-error.ts';
import type { FileOutcome } from './ingest-outcome.ts';
import type { RecordBatch } from './record-batch.ts';
import { createPacker, SectionReader } from './section-reader.ts';

const pieceBytes = 16_384;

export interface ImportedFile {
  /** As the caller named it. */
  readonly path: string;
  readonly reading: ReaderContext;
}

export class FileImport {
  bytesRead = 0;
  readonly #writer: FileWriter;
  readonly #context: FileImportContext;
  readonly #reading: ReaderContext;
  readonly #digest = createSha256();
  #head: Uint8Array[] = [];
  #headSize = 0;
  /** The head, when its format is told and its rows are not read yet. */
  #backlog: Uint8Array = new Uint8Array();
  #section: SectionReader | undefined;
  #format: string | null = null;

  constructor(context: FileImportContext, { path, reading }: ImportedFile) {
    this.#writer = new FileWriter(context, path);
    this.#context = context;
    this.#reading = reading;
  }

  get rowCount(): number {
    return this.#section?.rowCount ?? 0;
  }

  /** Whether the file is refused as a whole; further bytes change nothing. */
  get isRefused(): boolean {
    return this.#writer.isRefused;
  }

  write(bytes: Uint8Array): void {
    this.#accept(bytes);
    if (this.#section !== undefined) this.#takeBacklog(this.#section);
  }

  /** Belongs between two calls of `write`: others get the thread, and what is due of the store is done. */
  async pause(): Promise<void> {
    await this.#writer.pause();
  }

  /** As `write`, by pieces whose rows are written at once; between two the thread is free for others. */
  async writePieces(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && !this.isRefused; at += pieceBytes) {
      // What is not split keeps what it is given.
      this.#accept(bytes.slice(at, at + pieceBytes));
      await this.#writer.pause();
      await this.#writeBacklog();
    }
  }

  /** What had to wait until the format was told, as pieces too. */
  async #writeBacklog(): Promise<void> {
    while (this.#section !== undefined && this.#backlog.length > 0) {
      const piece = this.#backlog.subarray(0, pieceBytes);
      this.#backlog = this.#backlog.subarray(piece.length);
      this.#take(this.#section, piece);
      await this.#writer.pause();
    }
  }

  #accept(bytes: Uint8Array): void {
    if (this.isRefused) return;
    this.#digest.update(bytes);
    this.bytesRead += bytes.length;
    if (this.#section !== undefined) {
      this.#take(this.#section, bytes);
      return;
    }
    // The caller may use its buffer again.
    this.#head.push(bytes.slice());
    this.#headSize += bytes.length;
    if (this.#headSize >= headBytes) this.#open();
  }

  /** Ends the file and gives its outcome. What is read only when it is whole is written piece by piece, the thread free between. */
  async end(): Promise<FileOutcome> {
    if (this.#section === undefined && !this.isRefused) this.#open();
    await this.#writeBacklog();
    if (this.isRefused) return this.#finishRefused();
    const section = this.#section;
    let last: RecordBatch | undefined;
    for (const batch of section?.end() ?? []) {
      if (last !== undefined) {
        this.#writer.write([placed(last)]);
        await this.#writer.pause();
      }
      last = batch;
    }
    if (section?.refusal !== undefined) this.#writer.refuse(section.refusal);
    return this.#writer.finish({
      digest: toHex(this.#digest.digest()),
      format: this.#format,
      last: last === undefined ? [] : [placed(last)],
    });
  }

  /** Ends a file whose bytes did not all come. Rows that were read before stay. */
  breakOff(code: FileRefusalCode): FileOutcome {
    this.#writer.refuse({ code, field: null });
    return this.#finishRefused();
  }

  #open(): void {
    const head = Buffer.concat(this.#head);
    this.#head = [];
    const format = recogniseFormat(head.subarray(0, headBytes));
    this.#format = format.kind === 'refused' ? null : format.kind;
    const opened = openReader(format, this.#reading);
    if ('code' in opened) {
      this.#writer.refuse(opened);
      return;
    }
    this.#section = new SectionReader(opened, {
      packer: createPacker(this.#context.linkageKey),
      authorities: this.#context.authorities,
    });
    this.#backlog = head;
  }

  #takeBacklog(section: SectionReader): void {
    if (this.#backlog.length === 0) return;
    const bytes = this.#backlog;
    this.#backlog = new Uint8Array();
    this.#take(section, bytes);
  }

  #take(section: SectionReader, bytes: Uint8Array): void {
    for (const batch of section.write(bytes)) this.#writer.write([placed(batch)]);
    if (section.refusal !== undefined) this.#writer.refuse(section.refusal);
  }

  /** With the rows that were whole before it was refused. */
  #finishRefused(): FileOutcome {
    const last = [...(this.#section?.end(false) ?? [])].map(placed);
    return this.#writer.finish({ digest: null, format: this.#format, last });
  }
}

function placed(batch: RecordBatch): PlacedBatch {
  return { batch, rowOffset: 0 };
}

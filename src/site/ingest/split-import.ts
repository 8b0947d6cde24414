// The import of one large file whose rows do not depend on each other: blocks of it are read by workers at once, and written on the
// site's thread in the order of the file. What cannot be cut into blocks is read on from there as any file is.
import { toHex } from '#base/bytes.ts';
import { createSha256 } from '#federation/crypto/digest.ts';
import { BlockSplitter } from './block-splitter.ts';
import {
  type FileFormat,
  headBytes,
  openReader,
  type ReaderContext,
  recogniseFormat,
} from './file-format.ts';
import type { ImportedFile } from './file-import.ts';
import { type FileImportContext, FileWriter, type PlacedBatch } from './file-writer.ts';
import type { FileRefusalCode } from './ingest-error.ts';
import type { FileOutcome } from './ingest-outcome.ts';
import type { ReadingAnswer } from './reading-message.ts';
import type { ReadingPool } from './reading-pool.ts';
import { createPacker, rowsInBatch, SectionReader } from './section-reader.ts';

const newline = 0x0a;
const blockBytes = 2_097_152;
/** A block, the chunk that ended it, and some. */
const memoryBytes = 3_276_800;

/** A patient or consent takes as long to write as so many facts. */
const rowsOfDetails = 4;

/** Files below this are read before a worker has started. */
export const minSplitBytes = 8_388_608;

export interface SplitImportOptions {
  readonly context: FileImportContext;
  readonly file: ImportedFile;
  readonly pool: ReadingPool;
  /** The file's first bytes, at least as many as its format is told by. */
  readonly head: Uint8Array;
}

/** Undefined for a file that is not to be split: its rows depend on each other, or it is refused. */
export function openSplitImport(options: SplitImportOptions): SplitImport | undefined {
  const { head, file } = options;
  const format = recogniseFormat(head.subarray(0, headBytes));
  const maxRowBytes = rowLimit(format);
  if (maxRowBytes === undefined || 'code' in openReader(format, file.reading)) return undefined;
  // The mapping decides: its rows are compared with each other.
  if (format.kind === 'omop-csv' && file.reading.mapping !== null) return undefined;
  return new SplitImport({ ...options, format, maxRowBytes });
}

/** The longest row of a format that may be split. */
function rowLimit(format: FileFormat): number | undefined {
  if (format.kind === 'fhir-ndjson') return format.resourceType === 'Medication' ? undefined : 16_777_216;
  const isTable = format.kind === 'omop-csv' && format.table !== 'concept';
  return isTable ? 1_048_576 : undefined;
}

export class SplitImport {
  bytesRead = 0;
  rowCount = 0;
  readonly #writer: FileWriter;
  readonly #pool: ReadingPool;
  readonly #sessionId: number;
  readonly #reading: ReaderContext;
  readonly #context: FileImportContext;
  readonly #format: FileFormat;
  readonly #header: Uint8Array;
  readonly #splitter: BlockSplitter;
  readonly #digest = createSha256();
  #isFirst = true;
  /** Memory that came back from workers: a large file is read with some blocks of memory, again and again. */
  readonly #memory: ArrayBuffer[] = [];
  /** In the order of the file. */
  readonly #answers: Promise<ReadingAnswer>[] = [];
  #waiting: PlacedBatch[] = [];
  #waitingRows = 0;
  #lineCount = 0;
  /** Reads the rest of a file that cannot be cut further. */
  #rest: { readonly section: SectionReader; readonly rowOffset: number } | undefined;

  constructor(options: SplitImportOptions & { readonly format: FileFormat; readonly maxRowBytes: number }) {
    const { context, file, pool, head, format, maxRowBytes } = options;
    const isTable = format.kind !== 'fhir-ndjson';
    this.#writer = new FileWriter(context, file.path);
    this.#pool = pool;
    this.#reading = file.reading;
    this.#context = context;
    this.#format = format;
    this.#header = isTable ? head.slice(0, head.indexOf(newline) + 1) : new Uint8Array();
    this.#splitter = new BlockSplitter({
      blockBytes,
      maxRowBytes,
      delimiter: 'header' in format ? format.header.delimiter : null,
      allocate: (byteCount) => this.#allocate(byteCount),
    });
    const { mapping, concepts, medications } = file.reading;
    const { authorities } = context;
    this.#sessionId = pool.open({
      format,
      mapping,
      concepts: isTable ? concepts.share() : null,
      medications: medications.shared,
      authorities,
      header: this.#header,
    });
  }

  /** Whether the file is refused as a whole; further bytes change nothing. */
  get isRefused(): boolean {
    return this.#writer.isRefused;
  }

  /** Adds a copy of these bytes. Resolves when there is room for more: memory stays bounded however fast the disk is. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.isRefused) return;
    this.#digest.update(bytes);
    this.bytesRead += bytes.length;
    if (this.#rest !== undefined) {
      await this.#readRest(bytes.slice());
      return;
    }
    const block = this.#splitter.write(bytes);
    if (block === null) {
      if (this.#splitter.isStuck) await this.#readOn(this.#splitter.rest());
    } else if (namesMedications(block)) await this.#readOn(block, this.#splitter.rest());
    else this.#send(block);
    while (this.#answers.length >= this.#pool.capacity) await this.#takeAnswer();
  }

  /** Ends the file and gives its outcome. */
  async end(): Promise<FileOutcome> {
    if (this.#rest === undefined && !this.isRefused) {
      const rest = this.#splitter.rest();
      if (namesMedications(rest)) await this.#readOn(rest);
      else if (rest.length > 0) this.#send(rest);
    }
    await this.#takeAnswers();
    return this.#finish(this.isRefused ? null : toHex(this.#digest.digest()));
  }

  /** Ends a file whose bytes did not all come. Rows that were read before stay. */
  async breakOff(code: FileRefusalCode): Promise<FileOutcome> {
    await this.#takeAnswers();
    this.#writer.refuse({ code, field: null });
    return this.#finish(null);
  }

  #allocate(byteCount: number): Uint8Array {
    if (byteCount > memoryBytes) return new Uint8Array(byteCount);
    return new Uint8Array(this.#memory.pop() ?? new ArrayBuffer(memoryBytes));
  }

  #send(block: Uint8Array): void {
    const answer = this.#pool.read({ sessionId: this.#sessionId, bytes: block, isFirst: this.#isFirst });
    // Its failure is told where its turn comes.
    answer.catch(() => {});
    this.#answers.push(answer);
    this.#isFirst = false;
  }

  async #takeAnswers(): Promise<void> {
    while (this.#answers.length > 0) await this.#takeAnswer();
  }

  /** Writes what the next block says, when it is read. */
  async #takeAnswer(): Promise<void> {
    const answer = await this.#answers.shift()?.catch(() => undefined);
    if (this.isRefused) return;
    if (answer === undefined) {
      this.#writer.refuse({ code: 'READER_STOPPED', field: null });
      return;
    }
    const rowOffset = this.#lineCount - answer.headerLines;
    for (const batch of answer.batches) await this.#addBatch({ batch, rowOffset });
    this.rowCount += answer.rowCount;
    this.#lineCount += answer.lineCount;
    if (answer.refusal !== null) this.#writer.refuse(answer.refusal);
    const { buffer } = answer.memory;
    if (buffer instanceof ArrayBuffer && buffer.byteLength === memoryBytes) this.#memory.push(buffer);
  }

  /** Larger transactions write the pages of an index less often; between two of them the thread is free for others. */
  async #addBatch(placed: PlacedBatch): Promise<void> {
    const { rowCount, details } = placed.batch;
    this.#waiting.push(placed);
    this.#waitingRows += rowCount + details.size * rowsOfDetails;
    if (this.#waitingRows < rowsInBatch) return;
    this.#writeWaiting();
    await this.#writer.pause();
  }

  #writeWaiting(): void {
    this.#writer.write(this.#waiting);
    this.#waiting = [];
    this.#waitingRows = 0;
  }

  /** Goes on without workers: a quote that never closes, a line without end, or resources that later ones refer to. */
  async #readOn(...parts: readonly Uint8Array[]): Promise<void> {
    await this.#takeAnswers();
    if (this.isRefused) return;
    this.#writeWaiting();
    const reader = openReader(this.#format, this.#reading);
    if ('code' in reader) return;
    const section = new SectionReader(reader, {
      packer: createPacker(this.#context.linkageKey),
      authorities: this.#context.authorities,
    });
    const header = this.#isFirst ? new Uint8Array() : this.#header;
    this.#rest = { section, rowOffset: this.#lineCount - (header.length > 0 ? 1 : 0) };
    if (header.length > 0) await this.#readRest(header);
    for (const part of parts) await this.#readRest(part);
  }

  async #readRest(bytes: Uint8Array): Promise<void> {
    if (this.#rest === undefined) return;
    const { section, rowOffset } = this.#rest;
    const before = section.rowCount;
    for (const batch of section.write(bytes)) this.#writer.write([{ batch, rowOffset }]);
    this.rowCount += section.rowCount - before;
    if (section.refusal !== undefined) this.#writer.refuse(section.refusal);
    await this.#writer.pause();
  }

  #finish(digest: string | null): FileOutcome {
    this.#pool.release(this.#sessionId);
    return this.#writer.finish({ digest, format: this.#format.kind, last: this.#last(digest !== null) });
  }

  *#last(isWhole: boolean): Generator<PlacedBatch> {
    yield* this.#waiting;
    if (this.#rest === undefined) return;
    const { section, rowOffset } = this.#rest;
    for (const batch of section.end(isWhole)) yield { batch, rowOffset };
    if (section.refusal !== undefined) this.#writer.refuse(section.refusal);
  }
}

/** Whether a block of NDJSON has a resource that others of the file are read with. */
function namesMedications(block: Uint8Array): boolean {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  for (let at = bytes.indexOf('"Medication"'); at !== -1; at = bytes.indexOf('"Medication"', at + 1)) {
    // References have the word as their type.
    if (/"resourceType"\s*:\s*$/.test(bytes.toString('latin1', Math.max(0, at - 64), at))) return true;
  }
  return false;
}

// A worker that reads: parses, validates, normalises and packs blocks of whole rows. It has no store; a hostile file that exhausts its
// memory or time ends it and not the site.
import os from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { BugError } from '#base/coded-error.ts';
import { FhirMedications } from './ehr/fhir-medications.ts';
import { OmopConcepts } from './ehr/omop-concepts.ts';
import { openReader, type ReaderContext } from './file-format.ts';
import type {
  ReadingAnswer,
  ReadingRequest,
  ReadingSession,
  ReadingTask,
  ReadingWorkerData,
} from './reading-message.ts';
import { batchBuffers } from './record-batch.ts';
import type { RecordPacker } from './record-packer.ts';
import { createPacker, SectionReader } from './section-reader.ts';
import { openTimeZone } from './time-zone.ts';

const newline = 0x0a;

interface OpenSession {
  readonly session: ReadingSession;
  readonly reading: ReaderContext;
}

class ReadingWorker {
  readonly #packer: RecordPacker;
  readonly #zone: ReaderContext['zone'];
  /** Several files may be read at once. */
  readonly #open = new Map<number, OpenSession>();

  constructor({ linkageKey, zone }: ReadingWorkerData) {
    this.#packer = createPacker(linkageKey);
    this.#zone = openTimeZone(zone);
  }

  open(session: ReadingSession): void {
    const concepts =
      session.concepts === null ? new OmopConcepts() : OmopConcepts.fromShared(session.concepts);
    const medications = new FhirMedications(session.medications);
    const reading = {
      zone: this.#zone,
      mapping: session.mapping,
      onMapping: () => {},
      concepts,
      medications,
    };
    this.#open.set(session.sessionId, { session, reading });
  }

  end(sessionId: number): void {
    this.#open.delete(sessionId);
  }

  read({ taskId, sessionId, bytes, isFirst }: ReadingTask): ReadingAnswer {
    const open = this.#open.get(sessionId);
    if (open === undefined) throw new BugError('a block of a file that was not opened');
    const { session, reading } = open;
    const reader = openReader(session.format, reading);
    if ('code' in reader) throw new BugError('a file was opened that cannot be read');
    const section = new SectionReader(reader, { packer: this.#packer, authorities: session.authorities });
    const header = isFirst ? new Uint8Array() : session.header;
    const batches = [
      ...(header.length === 0 ? [] : section.write(header)),
      ...section.write(bytes),
      ...section.end(),
    ];
    return {
      taskId,
      batches,
      rowCount: section.rowCount,
      lineCount: countLines(bytes),
      headerLines: countLines(header),
      refusal: section.refusal ?? null,
      memory: bytes,
    };
  }
}

function countLines(bytes: Uint8Array): number {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let count = 0;
  for (let at = buffer.indexOf(newline); at !== -1; at = buffer.indexOf(newline, at + 1)) count += 1;
  return count;
}

/** Below the site's thread: people wait for that one. On Linux a priority is a thread's own, elsewhere the whole process's. */
const readerPriority = os.constants.priority.PRIORITY_BELOW_NORMAL;

function serve(port: MessagePort): void {
  if (process.platform === 'linux') os.setPriority(readerPriority);
  const worker = new ReadingWorker(workerData as ReadingWorkerData);
  port.on('message', (request: ReadingRequest) => {
    if (request.kind === 'session') {
      worker.open(request.session);
      return;
    }
    if (request.kind === 'session-end') {
      worker.end(request.sessionId);
      return;
    }
    const answer = worker.read(request.task);
    const { buffer } = answer.memory;
    const own = buffer instanceof ArrayBuffer ? [buffer] : [];
    port.postMessage(answer, [...own, ...answer.batches.flatMap(batchBuffers)]);
  });
}

if (parentPort !== null) serve(parentPort);

// What the site's thread and a reading worker say to each other. Arrays move; nothing is copied that is large.
import type { CsvMapping } from './ehr/csv-mapping.ts';
import type { CodeableConcept } from './ehr/fhir-coding.ts';
import type { SharedConcepts } from './ehr/omop-concepts.ts';
import type { FileFormat } from './file-format.ts';
import type { FileRefusal } from './file-writer.ts';
import type { IdentifierAuthorities } from './identifier-authorities.ts';
import type { RecordBatch } from './record-batch.ts';

/** What a worker is started with. */
export interface ReadingWorkerData {
  /** 32 bytes: records and links are found by digests under it. */
  readonly linkageKey: Uint8Array;
  /** IANA name. */
  readonly zone: string;
}

/** How the blocks of a file are read; said once for each file and worker. */
export interface ReadingSession {
  readonly sessionId: number;
  readonly format: FileFormat;
  readonly mapping: CsvMapping | null;
  readonly concepts: SharedConcepts | null;
  readonly medications: ReadonlyMap<string, CodeableConcept>;
  readonly authorities: IdentifierAuthorities;
  /** Read before each block but the first: a table's header. */
  readonly header: Uint8Array;
}

/** Whole rows of a file. */
export interface ReadingTask {
  readonly taskId: number;
  readonly sessionId: number;
  readonly bytes: Uint8Array;
  readonly isFirst: boolean;
}

export type ReadingRequest =
  | { readonly kind: 'session'; readonly session: ReadingSession }
  | { readonly kind: 'session-end'; readonly sessionId: number }
  | { readonly kind: 'task'; readonly task: ReadingTask };

export interface ReadingAnswer {
  readonly taskId: number;
  readonly batches: readonly RecordBatch[];
  readonly rowCount: number;
  /** Line ends in the block. */
  readonly lineCount: number;
  /** Lines of the header that was read before it. */
  readonly headerLines: number;
  readonly refusal: FileRefusal | null;
  /** The block's memory, to be used again. */
  readonly memory: Uint8Array;
}

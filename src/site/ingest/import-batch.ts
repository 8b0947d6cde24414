// One batch of files: what they share (concepts, mappings), their outcomes, and its entries in the audit log.
import path from 'node:path';
import { toHex } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import type { Logger } from '#base/logger.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import type { Actor, AuditLog } from '#site/audit/index.ts';
import { openSubjectRegistry, type SubjectRegistry } from '#site/deidentify/index.ts';
import type { ObjectStore, Store } from '#site/store/index.ts';
import { SealedSpool, spoolFolder } from './archive/sealed-spool.ts';
import { type CsvMapping, parseMapping } from './ehr/csv-mapping.ts';
import { FhirMedications } from './ehr/fhir-medications.ts';
import { OmopConcepts } from './ehr/omop-concepts.ts';
import { FileImport, type ImportedFile } from './file-import.ts';
import type { FileImportContext } from './file-writer.ts';
import { type IdentifierAuthorities, noAuthorities } from './identifier-authorities.ts';
import { ImageImport } from './imaging/image-import.ts';
import { loadImagingSettings } from './imaging/imaging-settings.ts';
import type { WorkerPool } from './imaging/worker-pool.ts';
import { IngestError } from './ingest-error.ts';
import type { FileOutcome, IngestSummary } from './ingest-outcome.ts';
import type { NamedRecords } from './named-records.ts';
import { OutcomeTally } from './outcome-tally.ts';
import type { ReadingPool } from './reading-pool.ts';
import { RecordWriter } from './record-writer.ts';
import { openSplitImport, type SplitImport } from './split-import.ts';
import type { TimeZone } from './time-zone.ts';

export interface IngestOptions {
  readonly store: Store;
  readonly auditLog: AuditLog;
  /** 32 bytes each. */
  readonly keys: { readonly subjectKey: Uint8Array; readonly linkageKey: Uint8Array };
  readonly logger: Logger;
  /** The hospital's own. */
  readonly zone: TimeZone;
  readonly objects: ObjectStore;
  /** Left out: every source's own names stand. */
  readonly authorities?: IdentifierAuthorities;
}

/** What the stage's imports share while it is open. */
export interface IngestStage extends IngestOptions {
  readonly pool: WorkerPool;
  readonly readers: ReadingPool;
  readonly named: NamedRecords;
}

/** A larger image is refused: it is read whole. */
export const maxImageBytes = 512 * 1_048_576;

export class ImportBatch {
  readonly batchId = toHex(systemRandom(16));
  readonly maxImageBytes = maxImageBytes;
  readonly #options: IngestStage;
  readonly #actor: Actor;
  readonly #mapping: CsvMapping | null;
  readonly #mappingsByFolder = new Map<string, CsvMapping>();
  readonly #concepts = new OmopConcepts();
  readonly #medications = new FhirMedications();
  readonly #writer: RecordWriter;
  readonly #subjects: SubjectRegistry;
  readonly #tally = new OutcomeTally();
  #images: ImageImport | undefined;

  /**
   * Opens the batch and writes its audit event, before anything is stored.
   * @param mapping JSON text of a saved CSV mapping
   * @throws IngestError BAD_MAPPING.
   */
  constructor(
    options: IngestStage,
    { actor, mapping, fileCount }: { actor: Actor; mapping: string | null; fileCount: number },
  ) {
    const parsed = mapping === null ? null : parseMapping(mapping);
    if (parsed === undefined)
      throw new IngestError('BAD_MAPPING', 'the column mapping is not a valid mapping document');
    this.#options = options;
    this.#actor = actor;
    this.#mapping = parsed;
    const { store, keys } = options;
    this.#subjects = openSubjectRegistry({ store, keys });
    this.#writer = new RecordWriter({ store, subjects: this.#subjects, named: options.named });
    store.transaction(() => {
      const startedAt = isoTime(store.clock.nowMs());
      const row = { batch_id: this.batchId, started_at: startedAt, finished_at: null };
      store.run(store.query.insertInto('ingest_batch').values(row));
      this.#append('import-started', { fileCount });
    });
  }

  /** Begins a file. @param name as the caller named it */
  openFile(name: string): FileImport {
    return new FileImport(this.#context(), this.#fileOf(name));
  }

  /**
   * Begins a large file whose rows can be read by several workers; undefined where they depend on each other.
   * @param head its first bytes
   */
  openSplitFile(name: string, head: Uint8Array): SplitImport | undefined {
    const pool = this.#options.readers;
    return openSplitImport({ context: this.#context(), file: this.#fileOf(name), pool, head });
  }

  #context(): FileImportContext {
    const { store, auditLog, keys, authorities = noAuthorities } = this.#options;
    const { linkageKey } = keys;
    const batch = { writer: this.#writer, actor: this.#actor, batchId: this.batchId };
    return { store, auditLog, linkageKey, authorities, ...batch };
  }

  #fileOf(name: string): ImportedFile {
    const folder = path.dirname(name);
    return {
      path: name,
      reading: {
        zone: this.#options.zone,
        mapping: this.#mapping ?? this.#mappingsByFolder.get(folder) ?? null,
        onMapping: (mapping) => this.#mappingsByFolder.set(folder, mapping),
        concepts: this.#concepts,
        medications: this.#medications,
      },
    };
  }

  /** The batch's images. */
  get images(): ImageImport {
    const { store, auditLog, objects, keys, pool, authorities = noAuthorities } = this.#options;
    this.#images ??= new ImageImport({
      commit: {
        store,
        auditLog,
        objects,
        subjects: this.#subjects,
        keys,
        actor: this.#actor,
        batchId: this.batchId,
      },
      pool,
      imaging: { ...loadImagingSettings(store), authorities },
    });
    return this.#images;
  }

  /** Room for an archive on its way in. @throws ObjectStoreError. */
  openSpool(): SealedSpool {
    return new SealedSpool(spoolFolder(this.#options.objects));
  }

  /** Keeps a file's outcome for the summary. */
  add(outcome: FileOutcome): void {
    this.#tally.add(outcome);
  }

  /** Belongs before the end of a large batch: leaves little for a restart to do. */
  async settle(): Promise<void> {
    await this.#options.named.settle();
  }

  /** Ends the batch. */
  close(): IngestSummary {
    const { store, logger } = this.#options;
    const { counts, rowCounts, files, fileCount } = this.#tally;
    const rows: Record<string, number> = { ...this.#writer.added };
    for (const [kind, count] of Object.entries(this.#images?.added ?? {}))
      if (count > 0) rows[kind] = (rows[kind] ?? 0) + count;
    store.transaction(() => {
      store.run(
        store.query
          .updateTable('ingest_batch')
          .set({ finished_at: isoTime(store.clock.nowMs()) })
          .where('batch_id', '=', this.batchId),
      );
      this.#append('import-finished', { ...counts, rows });
    });
    logger.info('import finished', counts);
    const filesOmitted = fileCount - files.length;
    return { batchId: this.batchId, ...counts, rowCounts: { ...rowCounts }, files, filesOmitted, rows };
  }

  #append(
    action: 'import-started' | 'import-finished',
    detail: { readonly [name: string]: number | { readonly [name: string]: number } },
  ): void {
    const { name, role } = this.#actor;
    const object = `import:${this.batchId}`;
    this.#options.auditLog.append({ actor: name, role, action, object, outcome: 'success', detail });
  }
}

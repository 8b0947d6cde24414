// The import of one file: bytes in order in, one outcome out. Rows go in by transactions of some thousand, a bundle in one; the outcome and
// its audit event are in the last of them, so that a killed import leaves whole rows and is told from a finished one.
import { toHex } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { createSha256 } from '#federation/crypto/digest.ts';
import type { Actor, AuditAction, AuditLog } from '#site/audit/index.ts';
import type { Store } from '#site/store/index.ts';
import type { ReadRow, RecordReader } from './clinical-record.ts';
import {
  type FileFormat,
  headBytes,
  openReader,
  type ReaderContext,
  recogniseFormat,
} from './file-format.ts';
import { judgeFile } from './file-verdict.ts';
import { type IdentifierAuthorities, withAuthorities } from './identifier-authorities.ts';
import { type FileRefusalCode, type RowRefusalCode, reasonOf } from './ingest-error.ts';
import { type FileOutcome, type RowRefusalEntry, sealName } from './ingest-outcome.ts';
import { nextOutcomeId } from './outcome-number.ts';
import { type OtherRow, type RecordBatch, rowKinds } from './record-batch.ts';
import { RecordPacker } from './record-packer.ts';
import type { RecordWriter } from './record-writer.ts';

/** The site's thread is busy with a batch for some ten milliseconds. */
const rowsInBatch = 2_000;
const storedRefusals = 1_000;
const shownRefusals = 100;

export interface FileImportContext {
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly writer: RecordWriter;
  readonly linkageKey: Uint8Array;
  readonly authorities: IdentifierAuthorities;
  readonly actor: Actor;
  readonly batchId: string;
}

interface RefusedRowEntry extends RowRefusalEntry {
  readonly code: RowRefusalCode;
}

export interface ImportedFile {
  /** As the caller named it. */
  readonly path: string;
  readonly reading: ReaderContext;
}

export class FileImport {
  bytesRead = 0;
  rowCount = 0;
  readonly #context: FileImportContext;
  readonly #file: ImportedFile;
  readonly #outcomeId: number;
  readonly #digest = createSha256();
  #head: Uint8Array[] = [];
  #headSize = 0;
  #reader: RecordReader | undefined;
  #format: FileFormat['kind'] | null = null;
  #refusal: { code: FileRefusalCode; field: string | null } | undefined;
  readonly #packer: RecordPacker;
  #counts = { accepted: 0, duplicate: 0, rejected: 0, notNeeded: 0 };
  /** Rows that add no record by their nature (concepts, observation periods): known only with the whole file. */
  #referenceCount = 0;
  #refusals: RowRefusalEntry[] = [];
  readonly #refusedBy = new Map<RowRefusalCode, number>();

  constructor(context: FileImportContext, file: ImportedFile) {
    this.#context = context;
    this.#file = file;
    this.#outcomeId = nextOutcomeId(context.store);
    this.#packer = new RecordPacker({ linkageKey: context.linkageKey, maxRows: rowsInBatch });
  }

  /** Whether the file is refused as a whole; further bytes change nothing. */
  get isRefused(): boolean {
    return this.#refusal !== undefined;
  }

  write(bytes: Uint8Array): void {
    if (this.isRefused) return;
    this.#digest.update(bytes);
    this.bytesRead += bytes.length;
    if (this.#reader !== undefined) {
      this.#take(this.#reader.write(bytes));
      return;
    }
    // The caller may use its buffer again.
    this.#head.push(bytes.slice());
    this.#headSize += bytes.length;
    if (this.#headSize >= headBytes) this.#open();
  }

  /** Ends the file and gives its outcome. */
  end(): FileOutcome {
    if (this.#reader === undefined && !this.isRefused) this.#open();
    // A file that was refused on the way was not read to its end.
    return this.#finish(this.isRefused ? null : toHex(this.#digest.digest()));
  }

  /** Ends a file whose bytes did not all come. Rows that were read before stay. */
  breakOff(code: FileRefusalCode): FileOutcome {
    this.#refusal ??= { code, field: null };
    return this.#finish(null);
  }

  #open(): void {
    const head = Buffer.concat(this.#head);
    this.#head = [];
    const format = recogniseFormat(head.subarray(0, headBytes));
    this.#format = format.kind === 'refused' ? null : format.kind;
    const opened = openReader(format, this.#file.reading);
    if ('code' in opened) {
      this.#refusal = opened;
      return;
    }
    this.#reader = opened;
    this.#take(opened.write(head));
  }

  #take(rows: Iterable<ReadRow>): void {
    for (const row of rows) {
      if (row.kind === 'file-refused') {
        this.#refusal = row;
        return;
      }
      this.rowCount += 1;
      this.#packer.add(withAuthorities(row, this.#context.authorities));
      if (this.#packer.isFull) this.#flush();
    }
  }

  #flush(): void {
    if (this.#packer.rowCount === 0) return;
    const batch = this.#packer.take();
    this.#inTransaction(() => this.#apply(batch));
  }

  #inTransaction<T>(work: () => T): T {
    try {
      return this.#context.store.transaction(work);
    } catch (error) {
      this.#context.writer.forget();
      throw error;
    }
  }

  #apply(batch: RecordBatch): void {
    const { writer, auditLog } = this.#context;
    writer.begin(batch);
    const consentsBefore = writer.addedConsents;
    for (let index = 0; index < batch.rowCount; index += 1) this.#applyRow(batch, index);
    writer.end();
    const consentCount = writer.addedConsents - consentsBefore;
    if (consentCount === 0) return;
    auditLog.append({ ...this.#event('consent-imported'), outcome: 'success', detail: { consentCount } });
  }

  #applyRow(batch: RecordBatch, index: number): void {
    switch (batch.kinds[index]) {
      case rowKinds.record: {
        const change = this.#context.writer.writeRecord(index, this.#outcomeId);
        const row = batch.rowNumbers[index] ?? 0;
        if (change === 'conflict') this.#refuseRow({ row, code: 'IDENTITY_CONFLICT', field: null });
        else if (change === 'mention') this.#referenceCount += 1;
        else if (change === 'empty') this.#counts.notNeeded += 1;
        else this.#counts[change === 'added' ? 'accepted' : 'duplicate'] += 1;
        return;
      }
      case rowKinds.reference:
        this.#referenceCount += 1;
        return;
      case rowKinds.notNeeded:
        this.#counts.notNeeded += 1;
        return;
      default:
        this.#applyOther(batch.others.get(index));
    }
  }

  #applyOther(row: OtherRow | undefined): void {
    const { writer } = this.#context;
    switch (row?.kind) {
      case 'deletion':
        this.#counts[writer.deleteRecord(row) ? 'accepted' : 'duplicate'] += 1;
        return;
      case 'merge':
        this.#counts[writer.mergePatients(row.survivor, row.retired) ? 'accepted' : 'duplicate'] += 1;
        return;
      case 'refused':
        this.#refuseRow({ row: row.row, code: row.code, field: row.field });
    }
  }

  #refuseRow(refusal: RefusedRowEntry): void {
    this.#counts.rejected += 1;
    this.#refusedBy.set(refusal.code, (this.#refusedBy.get(refusal.code) ?? 0) + 1);
    if (this.#refusals.length < storedRefusals) this.#refusals.push(refusal);
  }

  /** @param digest of the whole file, null when its end was not seen */
  #finish(digest: string | null): FileOutcome {
    return this.#inTransaction(() => {
      this.#apply(this.#packer.take());
      const isRead = digest !== null && !this.isRefused && this.#reader !== undefined;
      if (isRead && this.#reader !== undefined) this.#applyLast(this.#reader.end());
      const isKnown = this.#isKnownFile(digest);
      this.#counts[isKnown ? 'duplicate' : 'accepted'] += this.#referenceCount;
      const outcome = this.#judge(isKnown);
      this.#store(outcome, digest);
      this.#report(outcome);
      return outcome;
    });
  }

  #applyLast(rows: Iterable<ReadRow>): void {
    for (const row of rows) {
      if (row.kind === 'file-refused') {
        this.#refusal = row;
        break;
      }
      this.rowCount += 1;
      this.#packer.add(withAuthorities(row, this.#context.authorities));
      if (this.#packer.isFull) this.#apply(this.#packer.take());
    }
    this.#apply(this.#packer.take());
  }

  /** Whether the same bytes were taken before. */
  #isKnownFile(digest: string | null): boolean {
    if (digest === null) return false;
    const { store } = this.#context;
    const earlier = store.get(
      store.query
        .selectFrom('ingest_outcome')
        .select('outcome_id')
        .where('file_digest', '=', digest)
        .where('outcome', 'in', ['accepted', 'duplicate'])
        .limit(1),
    );
    return earlier !== undefined;
  }

  #judge(isKnown: boolean): FileOutcome {
    const refusal = this.#refusal ?? null;
    const rowCodes = [...this.#refusedBy.keys()];
    const rows = { ...this.#counts };
    const { outcome, code } = judgeFile({ rows, refusal: refusal?.code ?? null, rowCodes, isKnown });
    const ofHeader =
      refusal === null || refusal.field === null
        ? []
        : [{ row: 1, code: refusal.code, field: refusal.field }];
    return {
      path: this.#file.path,
      outcome,
      format: this.#format,
      code,
      reason: code === null ? null : reasonOf[code],
      rows,
      refusals: [...ofHeader, ...this.#refusals].slice(0, shownRefusals),
    };
  }

  #store({ outcome, format, code, reason, rows }: FileOutcome, digest: string | null): void {
    const { store, linkageKey, batchId } = this.#context;
    store.run(
      store.query.insertInto('ingest_outcome').values({
        outcome_id: this.#outcomeId,
        batch_id: batchId,
        sealed_name: sealName(linkageKey, this.#file.path),
        file_digest: digest,
        format,
        outcome,
        code,
        reason,
        rows_accepted: rows.accepted,
        rows_duplicate: rows.duplicate,
        rows_rejected: rows.rejected,
        rows_not_needed: rows.notNeeded,
        finished_at: isoTime(store.clock.nowMs()),
      }),
    );
    const insert = store.prepare(
      'INSERT INTO row_refusal (outcome_id, row, code, field) VALUES (?, ?, ?, ?)',
    );
    for (const { row, code: rowCode, field } of this.#refusals)
      insert.run(this.#outcomeId, row, rowCode, field);
  }

  #report({ outcome, format, code, rows }: FileOutcome): void {
    const isRefused = outcome === 'rejected';
    this.#context.auditLog.append({
      ...this.#event(isRefused ? 'file-refused' : 'file-imported'),
      outcome: isRefused ? 'refused' : 'success',
      reason: code ?? undefined,
      detail: { outcome, format, rows: { ...rows }, refusedBy: Object.fromEntries(this.#refusedBy) },
    });
  }

  #event(action: AuditAction) {
    const { actor } = this.#context;
    return { actor: actor.name, role: actor.role, action, object: `file:${this.#outcomeId}` };
  }
}

// Writes what a file's rows say and what came of the file: rows go in by transactions of some thousand, the outcome and its audit event
// in the last of them, so that a killed import leaves whole rows and is told from a finished one.
import { isoTime } from '#base/clock.ts';
import type { Actor, AuditAction, AuditLog } from '#site/audit/index.ts';
import type { Store } from '#site/store/index.ts';
import { judgeFile } from './file-verdict.ts';
import type { IdentifierAuthorities } from './identifier-authorities.ts';
import { type FileRefusalCode, type RowRefusalCode, reasonOf } from './ingest-error.ts';
import { type FileOutcome, type RowRefusalEntry, sealName } from './ingest-outcome.ts';
import { nextOutcomeId } from './outcome-number.ts';
import { type OtherRow, type RecordBatch, rowKinds } from './record-batch.ts';
import type { RecordWriter } from './record-writer.ts';

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

export interface FileRefusal {
  readonly code: FileRefusalCode;
  readonly field: string | null;
}

/** A batch of a part of a file: its rows are numbered from that part's begin. */
export interface PlacedBatch {
  readonly batch: RecordBatch;
  readonly rowOffset: number;
}

/** How a file ends. */
export interface FileEnd {
  /** Of the whole file, null when its end was not seen. */
  readonly digest: string | null;
  readonly format: string | null;
  /** What is not written yet; may refuse the file on its way. */
  readonly last: Iterable<PlacedBatch>;
}

interface RefusedRowEntry extends RowRefusalEntry {
  readonly code: RowRefusalCode;
}

export class FileWriter {
  readonly #context: FileImportContext;
  readonly #path: string;
  readonly #outcomeId: number;
  #refusal: FileRefusal | undefined;
  readonly #counts = { accepted: 0, duplicate: 0, rejected: 0, notNeeded: 0 };
  /** Rows that add no record by their nature (concepts, observation periods): known only with the whole file. */
  #referenceCount = 0;
  readonly #refusals: RowRefusalEntry[] = [];
  readonly #refusedBy = new Map<RowRefusalCode, number>();

  /** @param path as the caller named the file */
  constructor(context: FileImportContext, path: string) {
    this.#context = context;
    this.#path = path;
    this.#outcomeId = nextOutcomeId(context.store);
  }

  /** Whether the file is refused as a whole; further bytes change nothing. */
  get isRefused(): boolean {
    return this.#refusal !== undefined;
  }

  /** The first refusal stands. */
  refuse(refusal: FileRefusal): void {
    this.#refusal ??= refusal;
  }

  /** Writes batches, in a transaction of their own. */
  write(batches: readonly PlacedBatch[]): void {
    if (batches.length === 0) return;
    this.#inTransaction(() => {
      for (const { batch, rowOffset } of batches) this.#apply(batch, rowOffset);
    });
  }

  /** Writes what is left, and the outcome. */
  finish({ digest, format, last }: FileEnd): FileOutcome {
    return this.#inTransaction(() => {
      for (const { batch, rowOffset } of last) this.#apply(batch, rowOffset);
      // A file that was refused on the way was not read to its end.
      const wholeDigest = this.isRefused ? null : digest;
      const isKnown = this.#isKnownFile(wholeDigest);
      this.#counts[isKnown ? 'duplicate' : 'accepted'] += this.#referenceCount;
      const outcome = this.#judge(isKnown, format);
      this.#store(outcome, wholeDigest);
      this.#report(outcome);
      return outcome;
    });
  }

  #inTransaction<T>(work: () => T): T {
    try {
      return this.#context.store.transaction(work);
    } catch (error) {
      this.#context.writer.forget();
      throw error;
    }
  }

  #apply(batch: RecordBatch, rowOffset: number): void {
    const { writer, auditLog } = this.#context;
    writer.begin(batch, { outcomeId: this.#outcomeId, rowOffset });
    const consentsBefore = writer.addedConsents;
    for (let index = 0; index < batch.rowCount; index += 1) this.#applyRow(batch, index, rowOffset);
    writer.end();
    const consentCount = writer.addedConsents - consentsBefore;
    if (consentCount === 0) return;
    auditLog.append({ ...this.#event('consent-imported'), outcome: 'success', detail: { consentCount } });
  }

  #applyRow(batch: RecordBatch, index: number, rowOffset: number): void {
    switch (batch.kinds[index]) {
      case rowKinds.record: {
        const change = this.#context.writer.writeRecord(index);
        const row = (batch.rowNumbers[index] ?? 0) + rowOffset;
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
        this.#applyOther(batch.others.get(index), rowOffset);
    }
  }

  #applyOther(row: OtherRow | undefined, rowOffset: number): void {
    const { writer } = this.#context;
    switch (row?.kind) {
      case 'deletion':
        this.#counts[writer.deleteRecord(row) ? 'accepted' : 'duplicate'] += 1;
        return;
      case 'merge': {
        const change = writer.mergePatients(row);
        if (change === 'conflict')
          this.#refuseRow({ row: row.row + rowOffset, code: 'IDENTITY_CONFLICT', field: null });
        else this.#counts[change === 'added' ? 'accepted' : 'duplicate'] += 1;
        return;
      }
      case 'refused':
        this.#refuseRow({ row: row.row + rowOffset, code: row.code, field: row.field });
    }
  }

  #refuseRow(refusal: RefusedRowEntry): void {
    this.#counts.rejected += 1;
    this.#refusedBy.set(refusal.code, (this.#refusedBy.get(refusal.code) ?? 0) + 1);
    if (this.#refusals.length < storedRefusals) this.#refusals.push(refusal);
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

  #judge(isKnown: boolean, format: string | null): FileOutcome {
    const refusal = this.#refusal ?? null;
    const rowCodes = [...this.#refusedBy.keys()];
    const rows = { ...this.#counts };
    const { outcome, code } = judgeFile({ rows, refusal: refusal?.code ?? null, rowCodes, isKnown });
    const ofHeader =
      refusal === null || refusal.field === null
        ? []
        : [{ row: 1, code: refusal.code, field: refusal.field }];
    return {
      path: this.#path,
      outcome,
      format,
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
        sealed_name: sealName(linkageKey, this.#path),
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

// Writes what a file's rows say and what came of the file: rows go in by transactions of some thousand, the outcome and its audit event
// in the last of them, so that a killed import leaves whole rows and is told from a finished one.
import { setImmediate } from 'node:timers/promises';
import { isoTime } from '#base/clock.ts';
import type { Durability } from '#base/sqlite-database.ts';
import type { Actor, AuditAction, AuditLog } from '#site/audit/index.ts';
import type { Store } from '#site/store/index.ts';
import { judgeFile } from './file-verdict.ts';
import type { IdentifierAuthorities } from './identifier-authorities.ts';
import { type FileRefusalCode, reasonOf } from './ingest-error.ts';
import { type FileOutcome, sealName } from './ingest-outcome.ts';
import { nextOutcomeId } from './outcome-number.ts';
import { type OtherRow, type RecordBatch, rowKinds } from './record-batch.ts';
import type { RecordWriter } from './record-writer.ts';
import { RowTally } from './row-tally.ts';

const shownRefusals = 100;
/** Each changes some hundred pages; patients change the same pages again and again. */
const transactionsToCheckpoint = 8;

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

export class FileWriter {
  readonly #context: FileImportContext;
  readonly #path: string;
  readonly #outcomeId: number;
  #refusal: FileRefusal | undefined;
  #tally = new RowTally();
  #sinceCheckpoint = 0;

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

  /** Writes batches, in a transaction of their own. A power cut may take it back while the file has no outcome. */
  write(batches: readonly PlacedBatch[]): void {
    if (batches.length === 0) return;
    this.#sinceCheckpoint += 1;
    this.#inTransaction(() => {
      for (const { batch, rowOffset } of batches) this.#apply(batch, rowOffset);
    }, 'with-the-next');
  }

  /** Belongs between two writes: others get the thread, and what was written its place, in a turn of its own. */
  async pause(): Promise<void> {
    await setImmediate();
    await this.#context.writer.keepUp();
    if (this.#sinceCheckpoint < transactionsToCheckpoint) return;
    this.#sinceCheckpoint = 0;
    this.#context.store.checkpoint();
    await setImmediate();
  }

  /** Writes what is left, and the outcome. */
  finish({ digest, format, last }: FileEnd): FileOutcome {
    return this.#inTransaction(() => {
      for (const { batch, rowOffset } of last) this.#apply(batch, rowOffset);
      // A file that was refused on the way was not read to its end.
      const wholeDigest = this.isRefused ? null : digest;
      const isKnown = this.#isKnownFile(wholeDigest);
      const outcome = this.#judge(isKnown, format);
      this.#store(outcome, wholeDigest);
      this.#report(outcome);
      return outcome;
    }, 'at-once');
  }

  #inTransaction<T>(work: () => T, durability: Durability): T {
    const { store, writer } = this.#context;
    const [tally, added] = [this.#tally.copy(), writer.added];
    try {
      return store.transaction(work, durability);
    } catch (error) {
      // Nothing of it is in: what was counted would be told as taken.
      this.#tally = tally;
      writer.forget(added);
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
        const refusal = batch.details.get(index)?.refusal ?? null;
        if (refusal !== null && change !== 'conflict') this.#tally.refuse({ row, ...refusal });
        else if (change === 'mention') this.#tally.countReference();
        else if (change === 'empty') this.#tally.count('notNeeded');
        else if (change === 'conflict' && (batch.details.get(index)?.consents.length ?? 0) > 0)
          this.#tally.refuse({ row, code: 'CONSENT_WITHOUT_PATIENT', field: null });
        else this.#countChange(change, row);
        return;
      }
      case rowKinds.reference:
        this.#tally.countReference();
        return;
      case rowKinds.notNeeded:
        this.#tally.count('notNeeded');
        return;
      default:
        this.#applyOther(batch.others.get(index), rowOffset);
    }
  }

  #applyOther(row: OtherRow | undefined, rowOffset: number): void {
    const { writer } = this.#context;
    switch (row?.kind) {
      case 'deletion':
        this.#tally.count(writer.deleteRecord(row) ? 'accepted' : 'duplicate');
        return;
      case 'merge':
        this.#countChange(writer.mergePatients(row), row.row + rowOffset);
        return;
      case 'refused':
        this.#tally.refuse({ row: row.row + rowOffset, code: row.code, field: row.field });
    }
  }

  #countChange(change: 'added' | 'known' | 'conflict' | 'withdrawn', row: number): void {
    if (change === 'conflict') this.#tally.refuse({ row, code: 'IDENTITY_CONFLICT', field: null });
    else if (change === 'withdrawn') this.#tally.refuse({ row, code: 'PATIENT_WITHDRAWN', field: null });
    else this.#tally.count(change === 'added' ? 'accepted' : 'duplicate');
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
    const rowCodes = [...this.#tally.refusedBy.keys()];
    const rows = this.#tally.counts(isKnown);
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
      refusals: [...ofHeader, ...this.#tally.refusals].slice(0, shownRefusals),
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
    for (const { row, code: rowCode, field } of this.#tally.refusals)
      insert.run(this.#outcomeId, row, rowCode, field);
  }

  #report({ outcome, format, code, rows }: FileOutcome): void {
    const isRefused = outcome === 'rejected';
    this.#context.auditLog.append({
      ...this.#event(isRefused ? 'file-refused' : 'file-imported'),
      outcome: isRefused ? 'refused' : 'success',
      reason: code ?? undefined,
      detail: { outcome, format, rows: { ...rows }, refusedBy: Object.fromEntries(this.#tally.refusedBy) },
    });
  }

  #event(action: AuditAction) {
    const { actor } = this.#context;
    return { actor: actor.name, role: actor.role, action, object: `file:${this.#outcomeId}` };
  }
}

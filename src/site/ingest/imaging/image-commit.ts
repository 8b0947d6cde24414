// Writes a job of images in one transaction: their rows, one outcome for each file, and the audit entries. A file that changed its
// standing since it was decided upon gets no outcome yet.
import { toHex } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { BugError } from '#base/coded-error.ts';
import type { Actor, AuditAction, AuditLog } from '#site/audit/index.ts';
import type { SubjectRegistry } from '#site/deidentify/index.ts';
import type { ObjectStore, Store } from '#site/store/index.ts';
import { type FileRefusalCode, IngestError, type RowRefusalCode, reasonOf } from '../ingest-error.ts';
import { type FileOutcome, type OutcomeKind, type RowRefusalEntry, sealName } from '../ingest-outcome.ts';
import { takeOutcomeIds } from '../outcome-number.ts';
import { openStoredImages, type StoredImages } from './image-decision.ts';
import { ImageWriter } from './image-writer.ts';
import type { FileDecision, FinishedFile, PreparedFile, WaivedCheck } from './worker-message.ts';
import type { DoneFile } from './worker-pool.ts';

export interface ImageCommitContext {
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly objects: ObjectStore;
  readonly subjects: SubjectRegistry;
  readonly keys: { readonly subjectKey: Uint8Array; readonly linkageKey: Uint8Array };
  readonly actor: Actor;
  readonly batchId: string;
}

/** A file that a person lets out of quarantine. */
export interface ReleasedFile {
  readonly quarantineId: number;
  readonly objectNo: number;
  readonly sourceDigest: Uint8Array;
  readonly code: string;
  /** By this release and those before it. */
  readonly waived: readonly WaivedCheck[];
  /** In the person's words. */
  readonly reason: string;
}

export interface CommittedFile {
  /** As the caller named it. */
  readonly name: string;
  readonly done: DoneFile;
  /** Whether a file lies at this path below the folder of this one. */
  readonly hasNeighbour: (parts: readonly string[]) => boolean;
}

const shownRefusals = 100;

interface HeldFile {
  readonly finished: Extract<FinishedFile, { kind: 'quarantined' }>;
  readonly sourceDigest: Uint8Array;
}

interface Verdict {
  readonly outcome: OutcomeKind;
  readonly format: 'dicom' | 'dicomdir';
  readonly code?: FileRefusalCode | RowRefusalCode | null;
  readonly field?: string | null;
  /** Entries of a DICOMDIR that lead nowhere. */
  readonly refusals?: readonly RowRefusalEntry[];
  /** Of a DICOMDIR; an image has its own in its row. */
  readonly fileDigest?: string;
  /** Goes into quarantine now, and was not there before. */
  readonly held?: HeldFile | undefined;
}

export class ImageCommit {
  /** What is being let out of quarantine by this import, which has no other file. */
  releasing: ReleasedFile | undefined;
  readonly #context: ImageCommitContext;
  readonly #images: StoredImages;
  readonly #writer: ImageWriter;
  readonly #statements: ReturnType<typeof prepareStatements>;

  constructor(context: ImageCommitContext) {
    this.#context = context;
    const { store, subjects, objects, keys } = context;
    this.#images = openStoredImages(store, { subjects, subjectKey: keys.subjectKey });
    this.#writer = new ImageWriter({ store, subjects, objects, images: this.#images });
    this.#statements = prepareStatements(store);
  }

  get added(): Readonly<Record<string, number>> {
    return { ...this.#writer.added };
  }

  decide(file: PreparedFile): FileDecision {
    return this.#images.decide(file, this.releasing?.sourceDigest);
  }

  /**
   * Outcome of each file; undefined for one that must be decided anew.
   * @param isLast refuse those instead
   * @throws IngestError QUARANTINE_NOT_FOUND when what is being released was deleted, or released, meanwhile.
   */
  write(files: readonly CommittedFile[], isLast: boolean): readonly (FileOutcome | undefined)[] {
    const { store } = this.#context;
    return store.transaction(() => {
      this.#checkStillHeld();
      this.#writer.begin();
      const firstId = takeOutcomeIds(store, files.length);
      const counts = { accepted: 0, duplicate: 0 };
      const outcomes = files.map((file, index) => {
        const outcomeId = firstId + index;
        const verdict =
          this.#judge(file, outcomeId) ?? (isLast ? refused('DICOM_PROCESSING_FAILED') : undefined);
        if (verdict === undefined) return undefined;
        if (verdict.outcome === 'accepted' || verdict.outcome === 'duplicate') counts[verdict.outcome] += 1;
        else this.#report(verdict, outcomeId);
        return this.#store(file.name, verdict, outcomeId);
      });
      if (counts.accepted + counts.duplicate > 0) {
        const object = `import:${this.#context.batchId}`;
        this.#append('images-imported', { object, outcome: 'success', detail: counts });
      }
      return outcomes;
    });
  }

  #judge(
    { hasNeighbour, done: { prepared, finished } }: CommittedFile,
    outcomeId: number,
  ): Verdict | undefined {
    if (finished.kind === 'refused') return refused(finished.code, finished.field);
    if (prepared.kind === 'directory') return this.#judgeDirectory(prepared, hasNeighbour);
    if (prepared.kind !== 'image') throw new BugError('a file that is neither refused nor an image');
    if (finished.kind === 'skipped') return this.#judgeKnown(prepared);
    const { patient, sourceDigest } = prepared;
    if (finished.kind === 'quarantined') {
      const isNew = this.#images.findQuarantined(sourceDigest) === undefined;
      if (this.releasing !== undefined) this.#holdByOther(this.releasing, finished);
      const held = isNew ? { finished, sourceDigest } : undefined;
      return { outcome: 'quarantined', format: 'dicom', code: finished.code, field: finished.field, held };
    }
    if (patient === null) throw new BugError('an image without a patient');
    const arrived = { image: finished, patient, sourceDigest, outcomeId };
    if (this.#writer.write(arrived) === 'stale') return undefined;
    if (this.releasing !== undefined) this.#leaveQuarantine(this.releasing);
    return { outcome: 'accepted', format: 'dicom' };
  }

  /** Attack: a file that one person deletes must not come in by a release that another began before. */
  #checkStillHeld(): void {
    if (this.releasing === undefined) return;
    if (this.#statements.findHeld.get(this.releasing.quarantineId) === undefined)
      throw new IngestError('QUARANTINE_NOT_FOUND', 'this file is not in quarantine any more');
  }

  /** Another check holds the file now. What was waived stays waived, or two checks could hand it to each other for ever. */
  #holdByOther(
    { quarantineId, waived, code, reason }: ReleasedFile,
    other: { readonly code: FileRefusalCode; readonly field: string | null },
  ): void {
    this.#statements.changeQuarantine.run(other.code, other.field, JSON.stringify(waived), quarantineId);
    const detail = { reason, heldBy: other.code };
    const object = `quarantine:${quarantineId}`;
    this.#append('quarantine-released', { object, outcome: 'refused', reason: code, detail });
  }

  #leaveQuarantine({ quarantineId, objectNo, code, reason }: ReleasedFile): void {
    this.#statements.deleteQuarantine.run(quarantineId);
    this.#context.objects.remove(objectNo);
    const object = `quarantine:${quarantineId}`;
    this.#append('quarantine-released', { object, outcome: 'success', reason: code, detail: { reason } });
  }

  #judgeDirectory(
    { sourceDigest, references }: Extract<PreparedFile, { kind: 'directory' }>,
    hasNeighbour: CommittedFile['hasNeighbour'],
  ): Verdict {
    const fileDigest = toHex(sourceDigest);
    const isKnown = this.#statements.findDirectory.get(fileDigest) !== undefined;
    return {
      ...directoryVerdict(references, hasNeighbour),
      outcome: isKnown ? 'duplicate' : 'accepted',
      fileDigest,
    };
  }

  #judgeKnown({
    sourceDigest,
    sopInstanceUid,
  }: Extract<PreparedFile, { kind: 'image' }>): Verdict | undefined {
    const waiting = this.#images.findQuarantined(sourceDigest);
    if (waiting !== undefined)
      return {
        outcome: 'quarantined',
        format: 'dicom',
        code: waiting.code as FileRefusalCode,
        field: waiting.field,
      };
    return this.#images.find(sourceDigest, sopInstanceUid) === 'same'
      ? { outcome: 'duplicate', format: 'dicom' }
      : undefined;
  }

  #store(name: string, verdict: Verdict, outcomeId: number): FileOutcome {
    const { outcome, format, code = null, field = null, refusals = [], held, fileDigest = null } = verdict;
    const { store, keys, batchId } = this.#context;
    const rows = {
      accepted: outcome === 'accepted' && format === 'dicom' ? 1 : 0,
      duplicate: outcome === 'duplicate' && format === 'dicom' ? 1 : 0,
      rejected: refusals.length,
      notNeeded: 0,
    };
    const reason = code === null ? null : reasonOf[code];
    const sealedName = sealName(keys.linkageKey, name);
    const now = isoTime(store.clock.nowMs());
    this.#statements.insertOutcome.run(
      ...[outcomeId, batchId, sealedName, fileDigest, format, outcome, code, reason],
      ...[rows.accepted, rows.duplicate, rows.rejected, rows.notNeeded, now],
    );
    if (held !== undefined) this.#hold(held, outcomeId);
    for (const refusal of refusals)
      this.#statements.insertRefusal.run(outcomeId, refusal.row, refusal.code, refusal.field);
    const ofFile = code === null || field === null || format === 'dicomdir' ? [] : [{ row: 1, code, field }];
    return {
      path: name,
      outcome,
      format,
      code,
      reason,
      rows,
      refusals: [...ofFile, ...refusals].slice(0, shownRefusals),
    };
  }

  #hold({ finished, sourceDigest }: HeldFile, outcomeId: number): void {
    const { objects, store } = this.#context;
    const { code, field, modality, place } = finished;
    const now = isoTime(store.clock.nowMs());
    this.#statements.insertQuarantine.run(
      outcomeId,
      objects.add(place),
      sourceDigest,
      code,
      field,
      modality,
      now,
    );
  }

  #report({ outcome, format, code, field = null }: Verdict, outcomeId: number): void {
    const isQuarantined = outcome === 'quarantined';
    this.#append(isQuarantined ? 'file-quarantined' : 'file-refused', {
      object: `file:${outcomeId}`,
      outcome: 'refused',
      reason: code ?? undefined,
      detail: { outcome, format, field },
    });
  }

  #append(
    action: AuditAction,
    event: Omit<Parameters<AuditLog['append']>[0], 'actor' | 'role' | 'action'>,
  ): void {
    const { actor, auditLog } = this.#context;
    auditLog.append({ actor: actor.name, role: actor.role, action, ...event });
  }
}

function refused(code: FileRefusalCode, field: string | null = null): Verdict {
  return { outcome: 'rejected', format: 'dicom', code, field };
}

/** Which of the files that a DICOMDIR names are there. The files themselves are imported as files. */
function directoryVerdict(
  references: readonly (readonly string[] | null)[],
  hasNeighbour: (parts: readonly string[]) => boolean,
): Pick<Verdict, 'format' | 'code' | 'refusals'> {
  const refusals = references.flatMap((parts, index): RowRefusalEntry[] => {
    const row = index + 1;
    if (parts === null) return [{ row, code: 'DICOMDIR_UNSAFE_PATH', field: 'ReferencedFileID' }];
    // Media are written in capitals; what mounts them often shows small letters.
    const isThere = hasNeighbour(parts) || hasNeighbour(parts.map((part) => part.toLowerCase()));
    return isThere ? [] : [{ row, code: 'DICOMDIR_FILE_MISSING', field: 'ReferencedFileID' }];
  });
  const codes = [...new Set(refusals.map(({ code }) => code as FileRefusalCode))];
  const code = codes.length > 1 ? 'SEVERAL_REASONS' : (codes[0] ?? null);
  return { format: 'dicomdir', code, refusals: refusals.slice(0, 1_000) };
}

function prepareStatements(store: Store) {
  return {
    insertOutcome: store.prepare(
      `INSERT INTO ingest_outcome (outcome_id, batch_id, sealed_name, file_digest, format, outcome, code, reason,
       rows_accepted, rows_duplicate, rows_rejected, rows_not_needed, finished_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    findDirectory: store.prepare(
      `SELECT 1 FROM ingest_outcome WHERE format = 'dicomdir' AND file_digest = ? LIMIT 1`,
    ),
    insertRefusal: store.prepare(
      'INSERT INTO row_refusal (outcome_id, row, code, field) VALUES (?, ?, ?, ?)',
    ),
    findHeld: store.prepare('SELECT 1 FROM quarantine WHERE quarantine_id = ?'),
    changeQuarantine: store.prepare(
      'UPDATE quarantine SET code = ?, field = ?, waived = ? WHERE quarantine_id = ?',
    ),
    deleteQuarantine: store.prepare('DELETE FROM quarantine WHERE quarantine_id = ?'),
    insertQuarantine: store.prepare(
      `INSERT INTO quarantine (outcome_id, object_no, source_digest, format, code, field, modality, quarantined_at, waived)
       VALUES (?, ?, ?, 'dicom', ?, ?, ?, ?, '[]')`,
    ),
  };
}

// Files that wait for a person: listed, released into the import with the check that held them waived, or deleted for good. Each decision
// has its reason in the audit log.
import { fromUtf8 } from '#base/bytes.ts';
import type { Actor } from '#site/audit/index.ts';
import { ImportBatch, type IngestStage } from '../import-batch.ts';
import { type FileRefusalCode, IngestError, reasonOf } from '../ingest-error.ts';
import { type FileOutcome, openName } from '../ingest-outcome.ts';
import type { WaivedCheck } from './worker-message.ts';

export interface QuarantineEntry {
  readonly quarantineId: number;
  /** As the file was named when it came. */
  readonly name: string;
  readonly format: string;
  readonly code: string;
  readonly reason: string;
  /** Element name, never a value. */
  readonly field: string | null;
  readonly modality: string | null;
  readonly byteCount: number;
  readonly quarantinedAt: string;
}

export interface QuarantineDecision {
  readonly quarantineId: number;
  /** Why, in the person's words. */
  readonly reason: string;
}

export interface Quarantine {
  /** What is held, newest first. */
  list(page: { readonly offset: number; readonly limit: number }): {
    total: number;
    entries: QuarantineEntry[];
  };
  /**
   * Takes a file in after all, with the check that holds it waived; where another check holds it then, it stays, and that one is
   * waived by the next release.
   * @throws IngestError QUARANTINE_NOT_FOUND, QUARANTINE_NOT_RELEASABLE; ObjectStoreError.
   */
  release(decision: QuarantineDecision, actor: Actor): Promise<FileOutcome>;
  /** Destroys a file. @throws IngestError QUARANTINE_NOT_FOUND. */
  delete(decision: QuarantineDecision, actor: Actor): void;
}

/** What a person may answer for. An identity that is missing or in conflict is not put right by a decision here. */
const waivers: Readonly<Partial<Record<FileRefusalCode, WaivedCheck>>> = {
  BURNED_IN_SUSPECTED: 'burned-in',
  BURNED_IN_TEXT: 'burned-in',
  DICOM_UNSUPPORTED_IMAGE: 'decode',
  TRANSFER_SYNTAX_NOT_DECODED: 'decode',
};

interface QuarantineRow {
  readonly quarantine_id: number;
  readonly object_no: number;
  readonly source_digest: Uint8Array;
  readonly sealed_name: Uint8Array;
  readonly format: string;
  readonly code: FileRefusalCode;
  readonly field: string | null;
  readonly modality: string | null;
  readonly byte_count: number;
  readonly quarantined_at: string;
  /** JSON of WaivedCheck[]. */
  readonly waived: string;
}

const rows = `SELECT quarantine_id, object_no, source_digest, sealed_name, quarantine.format AS format, quarantine.code AS code,
  field, modality, byte_count, quarantined_at, waived
  FROM quarantine JOIN ingest_outcome USING (outcome_id) JOIN sealed_object USING (object_no)`;

export function openQuarantine(stage: IngestStage): Quarantine {
  const { store, auditLog, objects, keys } = stage;
  const nameOf = (row: QuarantineRow): string => fromUtf8(openName(keys.linkageKey, row.sealed_name));
  const find = (quarantineId: number): QuarantineRow => {
    const row = store.prepare(`${rows} WHERE quarantine_id = ?`).get(quarantineId) as
      | QuarantineRow
      | undefined;
    if (row === undefined) throw new IngestError('QUARANTINE_NOT_FOUND', 'this file is not in quarantine');
    return row;
  };
  /** The key of an object is overwritten in the pages when its row goes; its older copy in the write-ahead log goes too. */
  const forgetKey = (): void => void store.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
  return {
    list: ({ offset, limit }) => {
      const { total } = store.prepare('SELECT count(*) AS total FROM quarantine').get() as { total: number };
      const found = store.prepare(`${rows} ORDER BY quarantine_id DESC LIMIT ? OFFSET ?`).all(limit, offset);
      const entries = (found as QuarantineRow[]).map((row) => ({
        quarantineId: row.quarantine_id,
        name: nameOf(row),
        format: row.format,
        code: row.code,
        reason: reasonOf[row.code],
        field: row.field,
        modality: row.modality,
        byteCount: row.byte_count,
        quarantinedAt: row.quarantined_at,
      }));
      return { total, entries };
    },
    release: async ({ quarantineId, reason }, actor) => {
      const row = find(quarantineId);
      const waiver = waivers[row.code];
      if (waiver === undefined) {
        throw new IngestError(
          'QUARANTINE_NOT_RELEASABLE',
          'what holds this file is put right at its source',
          {
            details: { found: row.code },
          },
        );
      }
      const { object_no: objectNo, source_digest: sourceDigest, code } = row;
      const bytes = objects.read(objectNo);
      const waived = [...new Set([...(JSON.parse(row.waived) as WaivedCheck[]), waiver])];
      const batch = new ImportBatch(stage, { actor, mapping: null, fileCount: 1 });
      try {
        const outcome = await batch.images.release(
          {
            name: nameOf(row),
            size: bytes.length,
            job: { file: { kind: 'bytes', bytes }, waived },
            hasNeighbour: () => false,
          },
          { quarantineId, objectNo, sourceDigest, code, waived, reason },
        );
        batch.add(outcome);
        if (outcome.outcome === 'accepted') forgetKey();
        return outcome;
      } finally {
        batch.close();
      }
    },
    delete: ({ quarantineId, reason }, actor) => {
      const { object_no, code } = find(quarantineId);
      store.transaction(() => {
        store.prepare('DELETE FROM quarantine WHERE quarantine_id = ?').run(quarantineId);
        objects.remove(object_no);
        auditLog.append({
          actor: actor.name,
          role: actor.role,
          action: 'quarantine-deleted',
          object: `quarantine:${quarantineId}`,
          outcome: 'success',
          reason: code,
          detail: { reason },
        });
      });
      forgetKey();
    },
  };
}

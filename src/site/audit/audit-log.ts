// The site's audit log: every act has its entry in the same transaction (security.md A2), under checkpoints signed by the
// site's log key.

import { toBase64 } from '#base/bytes.ts';
import { BugError } from '#base/coded-error.ts';
import type { SigningKey } from '#federation/crypto/signing-key.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { parseLeaf } from '#federation/log/leaf.ts';
import type { LogStorage } from '#federation/log/log-storage.ts';
import {
  createLogWriter,
  type LogEvent,
  type LogWriter,
  type SignedCheckpoint,
} from '#federation/log/log-writer.ts';
import { consistencyProof } from '#federation/log/merkle-tree.ts';
import { type LogProblem, type LogTrust, verifyLog } from '#federation/log/verify-log.ts';
import { type Actor, type AuditEvent, systemActor } from '#site/audit/audit-event.ts';
import { type AuditExport, exportAudit } from '#site/audit/audit-export.ts';
import { type AuditPage, type AuditQuery, listAudit } from '#site/audit/audit-list.ts';
import { auditCheckpoints, auditDetails, auditLeaves } from '#site/audit/audit-rows.ts';
import { createAuditStorage } from '#site/audit/audit-storage.ts';
import { checkNamedRecords } from '#site/audit/named-records.ts';
import type { Store } from '#site/store/index.ts';

export interface AuditLogOptions {
  readonly store: Store;
  /** The site's log key (role site-log). */
  readonly signer: SigningKey;
  /** Name of this log in its checkpoints: no space, no plus sign. */
  readonly origin: string;
  /** Random name of this process. */
  readonly bootId: string;
  readonly softwareVersion: string;
}

export interface AuditVerification {
  readonly verified: boolean;
  readonly leafCount: number;
  readonly checkpointCount: number;
  readonly rootHash: string;
  readonly problem: LogProblem | null;
  readonly notices: LogProblem[];
}

export interface VerifyAuditOptions {
  readonly actor?: Actor;
  /** What others hold of this log. */
  readonly witnessed?: LogTrust['witnessed'];
  /** Also holds updates and decisions against their entries. */
  readonly withRecords?: boolean;
}

export interface AuditLog {
  readonly origin: string;
  /** Writes that the app has started, and before it that its release is another than the last entry's. */
  begin(): void;
  /** Writes the entry of an act. @throws BugError outside a transaction: an entry alone proves no act. */
  append(event: AuditEvent): void;
  /** The signed checkpoint of the log as it stands. */
  checkpoint(): SignedCheckpoint;
  /** RFC 6962 proof that the log of `size` entries continues that of `oldSize`. @throws LogError BAD_LOG_PROOF. */
  proveConsistency(oldSize: number, size: number): Uint8Array[];
  /** A page, newest first. With a reader, the first of a row of readings by one person is itself an entry. */
  list(query: AuditQuery, reader?: Actor): AuditPage;
  /** Checks every entry, detail and checkpoint; the outcome is itself an entry. */
  verify(options?: VerifyAuditOptions): AuditVerification;
  /** Writes leaves.jsonl, details.jsonl, checkpoints.txt and log-key.json. @throws AuditError AUDIT_EXPORT_FAILED. */
  exportTo(directory: string, actor?: Actor): AuditExport;
}

export function openAuditLog(options: AuditLogOptions): AuditLog {
  const { store, signer, origin } = options;
  const storage = createAuditStorage(store);
  const writer = createLogWriter({
    storage,
    signer,
    origin,
    clock: store.clock,
    random: systemRandom,
    bootId: options.bootId,
    softwareVersion: options.softwareVersion,
  });
  const append = (event: AuditEvent): void => {
    if (!store.inTransaction) throw new BugError('an audit event outside the transaction of its act');
    writer.append(toLogEvent(event));
  };
  return {
    origin,
    begin: () =>
      store.transaction(() => {
        for (const event of startEvents(storage, options.softwareVersion)) append(event);
      }),
    append,
    // It writes one row: a savepoint of its own would cost as much again.
    checkpoint: () =>
      store.inTransaction ? writer.checkpoint() : store.transaction(() => writer.checkpoint()),
    proveConsistency: (oldSize, size) => consistencyProof(oldSize, size, storage),
    list: (query, reader) => {
      if (reader !== undefined) recordReading(store, writer, reader);
      return listAudit(store, query);
    },
    verify: ({ actor = systemActor, witnessed = [], withRecords = false } = {}) =>
      // In one transaction: a process that writes meanwhile must not look like damage.
      store.transaction(() => {
        const log = verifyStored(store, { origin, publicKeys: [signer.publicKey], witnessed });
        const problem = log.problem ?? (withRecords ? checkNamedRecords(store) : null);
        const verification = { ...log, problem, verified: problem === null };
        recordVerification(store, () => append(verificationEvent(verification, actor)), verification);
        return verification;
      }),
    exportTo: (directory, actor = systemActor) => {
      const { size } = store.transaction(() => {
        append({ actor: actor.name, role: actor.role, action: 'audit-exported', outcome: 'success' });
        return writer.checkpoint();
      });
      const key = { origin, publicKey: toBase64(signer.publicKey) };
      return exportAudit(store, directory, { size, key });
    },
  };
}

function* startEvents(storage: LogStorage, to: string): Iterable<AuditEvent> {
  const by = { actor: systemActor.name, role: systemActor.role, outcome: 'success' } as const;
  const last = storage.lastLeaf();
  const from = last === undefined ? to : parseLeaf(last.line).softwareVersion;
  if (from !== to) yield { ...by, action: 'software-changed', detail: { from, to } };
  yield { ...by, action: 'app-started' };
}

function toLogEvent({ detail, ...event }: AuditEvent): LogEvent {
  return { ...event, detail: detail === undefined ? undefined : JSON.stringify(detail) };
}

/** Someone who pages through the log would otherwise fill it: their readings in a row are one entry. */
function recordReading(store: Store, writer: LogWriter, reader: Actor): void {
  store.transaction(() => {
    const [latest] = listAudit(store, { search: '', action: null, offset: 0, limit: 1 }).entries;
    if (latest?.action === 'audit-read' && latest.actor === reader.name) return;
    writer.append({ actor: reader.name, role: reader.role, action: 'audit-read', outcome: 'success' });
  });
}

function verifyStored(store: Store, trust: LogTrust): AuditVerification {
  const result = verifyLog({
    leaves: auditLeaves(store),
    details: auditDetails(store),
    checkpoints: auditCheckpoints(store),
    trust,
    isRunning: true,
  });
  const { verified, leafCount, checkpointCount, rootHash, problem } = result;
  return { verified, leafCount, checkpointCount, rootHash, problem, notices: [...result.notices] };
}

/** A log too damaged to be appended to still gets its verdict told. */
function recordVerification(store: Store, record: () => void, verification: AuditVerification): void {
  try {
    store.transaction(record);
  } catch (error) {
    // Whatever the damage makes of an append (a tree node that is missing, or one that is there already), the verdict is told.
    if (verification.verified) throw error;
  }
}

function verificationEvent(verification: AuditVerification, actor: Actor): AuditEvent {
  const by = { actor: actor.name, role: actor.role };
  const { problem, leafCount, rootHash } = verification;
  if (problem === null)
    return { ...by, action: 'audit-verified', outcome: 'success', detail: { leafCount, rootHash } };
  const detail = { leafCount, rootHash, seq: problem.seq };
  return { ...by, action: 'integrity-failure', outcome: 'failed', reason: problem.code, detail };
}

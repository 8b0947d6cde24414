// Writes the log to files that the offline verifier reads (docs/formats/audit-log.md). Each file appears whole or not at all.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  encodeCheckpointFile,
  encodeDetailLine,
  encodeLogTrust,
  type LogTrustEntry,
} from '#federation/log/exported-log.ts';
import { AuditError } from '#site/audit/audit-error.ts';
import { auditCheckpoints, auditDetails, auditLeaves } from '#site/audit/audit-rows.ts';
import { syncFolder, writeDurably } from '#site/audit/durable-file.ts';
import type { Store } from '#site/store/index.ts';

export interface AuditExport {
  readonly files: string[];
  readonly leafCount: number;
}

/** Writes the first `size` entries. @throws AuditError AUDIT_EXPORT_FAILED when a file cannot be written. */
export function exportAudit(
  store: Store,
  directory: string,
  log: { readonly size: number; readonly key: LogTrustEntry },
): AuditExport {
  const files: readonly (readonly [string, Iterable<string>])[] = [
    ['leaves.jsonl', linesOf(auditLeaves(store, log.size), ({ line }) => line)],
    ['details.jsonl', linesOf(auditDetails(store, log.size), encodeDetailLine)],
    ['checkpoints.txt', [encodeCheckpointFile(auditCheckpoints(store, log.size))]],
    ['log-key.json', [encodeLogTrust([log.key])]],
  ];
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const [name, parts] of files) writeDurably(join(directory, name), parts);
    syncFolder(directory);
  } catch (cause) {
    throw new AuditError('AUDIT_EXPORT_FAILED', 'the audit log could not be written to the folder', {
      cause,
    });
  }
  return { files: files.map(([name]) => name), leafCount: log.size };
}

function* linesOf<T>(rows: Iterable<T>, encode: (row: T) => string): Iterable<string> {
  for (const row of rows) yield `${encode(row)}\n`;
}

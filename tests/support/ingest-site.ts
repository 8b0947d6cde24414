// A site's ingest over a real encrypted store and audit log in a temporary folder.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Logger } from '#base/logger.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { type AuditLog, openAuditLog } from '#site/audit/index.ts';
import { openSubjectRegistry, type SubjectRegistry } from '#site/deidentify/index.ts';
import {
  type FileOutcome,
  type Ingest,
  type IngestEvent,
  type IngestSummary,
  noAuthorities,
  openIngest,
  openTimeZone,
} from '#site/ingest/index.ts';
import { openObjectStore, openStore, type Store } from '#site/store/index.ts';

export interface IngestSite {
  readonly folder: string;
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly ingest: Ingest;
  readonly subjects: SubjectRegistry;
  /** Everything that was logged, as text. */
  readonly logged: string[];
  /** Writes files below an import folder and imports that folder. */
  importFiles(
    files: Readonly<Record<string, string | Uint8Array>>,
    mapping?: string | null,
  ): Promise<IngestSummary>;
  importPaths(paths: readonly string[], mapping?: string | null): Promise<IngestEvent[]>;
  /** Opens the stage again over the same store, as a restart does. */
  reopen(): Ingest;
  /** Every byte of the profile's files. */
  profileBytes(): Buffer;
  close(): Promise<void>;
}

export const siteKeys = { subjectKey: new Uint8Array(32).fill(21), linkageKey: new Uint8Array(32).fill(22) };
export const steward = { name: 'Steward', role: 'steward' } as const;

/** @param inMemory leaves the encrypted file out, for tables of many small cases */
export function openIngestSite({
  inMemory = false,
  timeZone = 'UTC',
  authorities = noAuthorities,
} = {}): IngestSite {
  const folder = mkdtempSync(path.join(tmpdir(), 'consilium-ingest-'));
  const profile = path.join(folder, 'profile');
  mkdirSync(profile);
  const clock = { nowMs: () => Date.UTC(2026, 10, 21) };
  const store = openStore({
    file: inMemory ? ':memory:' : path.join(profile, 'site.db'),
    key: new Uint8Array(32).fill(20),
    clock,
  });
  const signer = createSigningKey(new Uint8Array(32).fill(23));
  const auditLog = openAuditLog({
    store,
    signer,
    origin: 'ingest-test',
    bootId: 'boot',
    softwareVersion: '0',
  });
  const logged: string[] = [];
  const log = (message: string, fields?: Readonly<Record<string, unknown>>): void =>
    void logged.push(JSON.stringify([message, fields]));
  const logger: Logger = { info: log, warn: log, error: log };
  const opened: Ingest[] = [];
  const open = (): Ingest => {
    const objects = openObjectStore({ store, profile });
    const zone = openTimeZone(timeZone);
    const stage = openIngest({ store, objects, auditLog, keys: siteKeys, logger, zone, authorities });
    opened.push(stage);
    return stage;
  };
  const ingest = open();
  let imports = 0;

  const importPaths = async (
    paths: readonly string[],
    mapping: string | null = null,
  ): Promise<IngestEvent[]> => {
    const events: IngestEvent[] = [];
    const signal = new AbortController().signal;
    for await (const event of ingest.ingestPaths({ paths, mapping, actor: steward, signal }))
      events.push(event);
    return events;
  };
  return {
    folder,
    store,
    auditLog,
    ingest,
    subjects: openSubjectRegistry({ store, keys: siteKeys }),
    logged,
    importPaths,
    reopen: open,
    async importFiles(files, mapping = null) {
      imports += 1;
      const target = path.join(folder, `import-${imports}`);
      for (const [name, content] of Object.entries(files)) {
        mkdirSync(path.dirname(path.join(target, name)), { recursive: true });
        writeFileSync(path.join(target, name), content);
      }
      return summaryOf(await importPaths([target], mapping));
    },
    profileBytes: () =>
      Buffer.concat(
        readdirSync(profile, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => readFileSync(path.join(entry.parentPath, entry.name))),
      ),
    async close() {
      await Promise.all(opened.map((stage) => stage.close()));
      store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function summaryOf(events: readonly IngestEvent[]): IngestSummary {
  const last = events.at(-1);
  if (last?.kind !== 'summary') throw new Error('the import gave no summary');
  return last.summary;
}

/** Outcome and code of each file by its name. */
export function outcomesByName(
  summary: IngestSummary,
): Record<string, readonly [FileOutcome['outcome'], string | null]> {
  return Object.fromEntries(
    summary.files.map(({ path: file, outcome, code }) => [path.basename(file), [outcome, code] as const]),
  );
}

/** `row CODE field` of each refused row of a file. */
export function refusalsOf(summary: IngestSummary, name: string): string[] {
  const file = summary.files.find(({ path: found }) => path.basename(found) === name);
  return (file?.refusals ?? []).map(({ row, code, field }) => [row, code, field ?? ''].join(' ').trim());
}

// A site's log of a bench: a store on the disk with its audit stage, as a site opens it.
import path from 'node:path';
import { systemClock } from '#base/clock.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { type AuditEvent, type AuditLog, openAuditLog } from '#site/audit/index.ts';
import { openStore, type Store } from '#site/store/index.ts';

export interface BenchLog {
  readonly store: Store;
  readonly auditLog: AuditLog;
}

export const benchOrigin = 'consilium.example/site/bench/log';
export const benchSigner = createSigningKey(new Uint8Array(32).fill(1));

export function openBenchLog(folder: string): BenchLog {
  const store = openStore({
    file: path.join(folder, 'site.db'),
    key: new Uint8Array(32).fill(1),
    clock: systemClock,
  });
  const softwareVersion = '0.0.0';
  const log = { store, signer: benchSigner, origin: benchOrigin, bootId: 'bench', softwareVersion };
  return { store, auditLog: openAuditLog(log) };
}

/** An entry of usual length, with a detail. */
export function benchEvent(index: number): AuditEvent {
  return {
    actor: 'Dr Ada Steward',
    role: 'steward',
    action: 'file-imported',
    object: `file:${index}`,
    outcome: 'success',
    detail: { outcome: 'accepted', format: 'fhir-ndjson', rows: { accepted: index % 1000, rejected: 0 } },
  };
}

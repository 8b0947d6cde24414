// The store, the audit log and the import of a site in a scratch folder, with keys of their own.
import path from 'node:path';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/logger.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { openAuditLog } from '#site/audit/index.ts';
import { openIngest, openSources, openTimeZone, sourceKinds } from '#site/ingest/index.ts';
import { openObjectStore, openStore } from '#site/store/index.ts';

export function openScratchSite(profile: string) {
  const store = openStore({ file: path.join(profile, 'site.db'), key: systemRandom(32), clock: systemClock });
  const signer = createSigningKey(systemRandom(32));
  const auditLog = openAuditLog({ store, signer, origin: 'bench', bootId: 'bench', softwareVersion: '0' });
  const keys = { subjectKey: systemRandom(32), linkageKey: systemRandom(32) };
  const ingest = openIngest({
    store,
    objects: openObjectStore({ store, profile }),
    auditLog,
    keys,
    logger: silentLogger,
    zone: openTimeZone('Europe/Berlin'),
  });
  const sources = openSources({
    store,
    auditLog,
    linkageKey: keys.linkageKey,
    profile,
    clock: systemClock,
    logger: silentLogger,
    kinds: sourceKinds,
    openArrivals: ingest.openArrivals,
    importPaths: (paths, actor, signal) => ingest.ingestPaths({ paths, actor, signal, mapping: null }),
  });
  return { store, linkageKey: keys.linkageKey, ingest, sources };
}

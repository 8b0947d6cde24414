// Mutated files through the whole import: what is offered is what comes out, by name; nothing half-read is in the store; the audit
// log holds; and a second import of the same files adds nothing.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { reasonOf } from '#site/ingest/ingest-error.ts';
import { openIngestSite, summaryOf } from '#support/ingest-site.ts';
import { mutatedDicom } from './dicom-target.ts';
import { recordBases } from './record-bases.ts';
import { mutatedRecords } from './record-target.ts';

export interface FuzzedImport {
  readonly seed: string;
  readonly dicomCount: number;
  readonly recordCount: number;
}

/** Imports the files of a seed and checks every promise above; gives how often each outcome came. */
export async function checkFuzzedImport({
  seed,
  dicomCount,
  recordCount,
}: FuzzedImport): Promise<Record<string, number>> {
  const site = openIngestSite();
  try {
    const folder = path.join(site.folder, 'mutated');
    mkdirSync(folder);
    for (let index = 0; index < dicomCount; index += 1) {
      writeFileSync(path.join(folder, `image-${index}`), withOwnUid(await mutatedDicom(seed, index), index));
    }
    for (let index = 0; index < recordCount; index += 1) {
      writeFileSync(path.join(folder, `export-${index}`), mutatedRecords(seed, index).bytes);
    }
    const { mapping } = recordBases();
    const summary = summaryOf(await site.importPaths([folder], mapping));
    const { accepted, duplicate, rejected, quarantined } = summary;
    expect(accepted + duplicate + rejected + quarantined).toBe(dicomCount + recordCount);
    const outcomes: Record<string, number> = {};
    for (const { outcome, code, reason } of summary.files) {
      outcomes[`${outcome} ${code ?? ''}`.trim()] = (outcomes[`${outcome} ${code ?? ''}`.trim()] ?? 0) + 1;
      expect(code === null || code in reasonOf).toBe(true);
      expect(reason === null).toBe(code === null);
    }
    expect(site.auditLog.verify().verified).toBe(true);
    const images = site.store.prepare('SELECT count(*) AS n FROM sop_instance').get() as { n: number };
    const again = summaryOf(await site.importPaths([folder], mapping));
    expect(again.rows.sopInstance ?? 0).toBe(0);
    expect(site.store.prepare('SELECT count(*) AS n FROM sop_instance').get()).toEqual(images);
    process.stdout.write(`fuzzed import, seed ${seed}: ${JSON.stringify(outcomes)}\n`);
    return outcomes;
  } finally {
    site.close();
  }
}

/** The files have one SOP Instance UID until each is given its own, of the same length: else all but the first are in conflict. */
function withOwnUid(bytes: Buffer, index: number): Buffer {
  const changed = Buffer.from(bytes);
  const uid = Buffer.from('1.2.3.4\0');
  for (let at = changed.indexOf(uid); at !== -1; at = changed.indexOf(uid, at + 1)) {
    changed.write(`1.2.${1_000 + index}`, at, 'latin1');
  }
  return changed;
}

// Public synthetic EHR exports, where CONSILIUM_DATA names the folder that holds them: no crash, and a named outcome for each file.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type IngestSite, openIngestSite, summaryOf } from '#support/ingest-site.ts';

const data = process.env.CONSILIUM_DATA;
const folders = ['fhir-r4-synthea', 'fhir-r4-bulk', 'omop-synthea27'] as const;
const missing = folders.filter((folder) => data === undefined || !existsSync(path.join(data, folder)));
if (missing.length > 0) {
  process.stderr.write(
    `public EHR data not tested (${missing.join(', ')}): CONSILIUM_DATA does not name a folder with them\n`,
  );
}

let site: IngestSite | undefined;
afterEach(() => site?.close());

function fileCount(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .length;
}

describe.runIf(missing.length === 0)('public synthetic exports', () => {
  it.each([
    ['fhir-r4-synthea', 'Synthea transaction bundles, FHIR R4', 12],
    ['fhir-r4-bulk', 'Bulk Data NDJSON, FHIR R4', 11],
    ['omop-synthea27', 'Synthea27Nj in OMOP CDM 5.4', 14],
  ] as const)(
    '%s (%s) end with a named outcome for every file and %i patients',
    async (folder, _, patients) => {
      site = openIngestSite();
      const source = path.join(data ?? '', folder);
      const summary = summaryOf(await site.importPaths([source]));
      expect(summary.files).toHaveLength(fileCount(source));
      for (const { outcome, code, reason, rows } of summary.files) {
        expect(['accepted', 'duplicate', 'rejected']).toContain(outcome);
        expect(code === null).toBe(reason === null);
        expect(code !== null || rows.rejected === 0).toBe(true);
      }
      expect(summary.rows.patient).toBe(patients);
      expect(summary.rows.measurement).toBeGreaterThan(50);
      const again = summaryOf(await site.importPaths([source]));
      expect(again.rows).toEqual({});
      expect(site.auditLog.verify().verified).toBe(true);
    },
    180_000,
  );
});

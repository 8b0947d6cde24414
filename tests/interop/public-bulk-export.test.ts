// The public Bulk Data sample (Synthea), where CONSILIUM_DATA names the folder that holds it, served as an export: fetched over the
// network it gives the facts that its files give.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { bulkExportKind, runBulkExport } from '#site/ingest/sources/bulk-export/bulk-export-kind.ts';
import { type BulkExportServer, openBulkExportServer } from '#support/bulk-export-server.ts';
import { type IngestSite, openIngestSite } from '#support/ingest-site.ts';
import { openSourcesWorld, type SourcesWorld } from '#support/sources-world.ts';

const folder = path.join(process.env.CONSILIUM_DATA ?? '', 'fhir-r4-bulk');
const isThere = process.env.CONSILIUM_DATA !== undefined && existsSync(folder);
if (!isThere)
  process.stderr.write(
    'the public Bulk Data sample is not tested: CONSILIUM_DATA does not name a folder with it\n',
  );

let server: BulkExportServer | undefined;
let world: SourcesWorld | undefined;
let direct: IngestSite | undefined;
afterEach(async () => {
  await world?.close();
  await server?.close();
  direct?.close();
});

function factsOf({ store }: IngestSite): unknown[] {
  const columns =
    'kind, code_system, code, value_number, unit, value_system, value_code, day, second, end_day, subject_id';
  return store.prepare(`SELECT ${columns} FROM subject_fact ORDER BY ${columns}`).all();
}

describe.runIf(isThere)('the public Bulk Data sample', () => {
  it('is the same fetched as read from its files', async () => {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ndjson'),
    );
    expect(names.length).toBeGreaterThan(5);
    server = await openBulkExportServer();
    server.files = names.map((name) => ({
      type: path.basename(name).replace(/[^A-Za-z].*$/, ''),
      lines: readFileSync(path.join(folder, name), 'utf8')
        .split('\n')
        .filter((line) => line.trim() !== ''),
    }));
    world = openSourcesWorld([
      { ...bulkExportKind, run: (context) => runBulkExport(context, { pollMs: 5, firstPauseMs: 5 }) },
    ]);
    const admin = { name: 'Ada Admin', role: 'admin' } as const;
    const settings = { url: server.url };
    const { sourceId } = await world.sources.save({ kind: 'bulk-export', label: 'ehr', settings }, admin);
    const outcomes: string[] = [];
    for await (const event of world.sources.run(sourceId, admin, new AbortController().signal))
      if (event.kind === 'file') outcomes.push(event.file.outcome);
    expect(outcomes).toHaveLength(names.length);
    direct = openIngestSite();
    await direct.importPaths([folder]);
    const expected = factsOf(direct);
    expect(expected.length).toBeGreaterThan(500);
    expect(factsOf(world.site)).toEqual(expected);
  }, 120_000);
});

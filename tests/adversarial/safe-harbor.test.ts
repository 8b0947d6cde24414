// HIPAA Safe Harbor (security.md D8), letter by letter and format by format: an identifier that is planted in an import stands in no
// decrypted row of the store, no exported audit line, no log and no byte of the profile. Only the sealed link knows the patient.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDay, searchPatients } from '#site/deidentify/index.ts';
import { type IngestSite, openIngestSite, siteKeys } from '#support/ingest-site.ts';
import {
  identifiers,
  type Letter,
  measuredOn,
  type PlantedFormat,
  plantedFormats,
  systolic,
} from '#support/safe-harbor.ts';

const letters = Object.keys(identifiers) as Letter[];

/** All that the site keeps or gives out, decrypted, as bytes. */
async function everythingKept(site: IngestSite): Promise<Buffer> {
  const tables = site.store
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .all()
    .map((row) => String((row as { name: unknown }).name));
  const values = tables.flatMap((table) =>
    site.store
      .prepare(`SELECT * FROM "${table}"`)
      .all()
      .flatMap((row) => Object.values(row as Record<string, unknown>)),
  );
  const exported = mkdtempSync(path.join(tmpdir(), 'consilium-audit-'));
  try {
    site.auditLog.exportTo(exported);
    const files = readdirSync(exported).map((name) => readFileSync(path.join(exported, name)));
    const rows = values.map((value) => (value instanceof Uint8Array ? value : Buffer.from(`${value}\n`)));
    return Buffer.concat([...rows, ...files, Buffer.from(site.logged.join('\n')), site.profileBytes()]);
  } finally {
    rmSync(exported, { recursive: true });
  }
}

function isIn(bytes: Buffer, planted: string): boolean {
  return [planted, planted.toUpperCase(), planted.toLowerCase()].some((text) =>
    (['utf8', 'utf16le', 'latin1'] as const).some((encoding) => bytes.includes(Buffer.from(text, encoding))),
  );
}

describe.each(plantedFormats)('a patient planted in $name', (format: PlantedFormat) => {
  let site: IngestSite;
  let kept: Buffer;
  beforeAll(async () => {
    site = openIngestSite();
    const summary = await site.importFiles(format.files, format.mapping);
    expect(summary.files.filter(({ outcome }) => outcome === 'rejected')).toEqual([]);
    kept = await everythingKept(site);
  });
  afterAll(() => site.close());

  const facts = () =>
    site.store.all(site.store.query.selectFrom('subject_fact').selectAll().where('code', '=', systolic));

  it('is there: measured, with an age of 90, and known by name or number to the steward alone', () => {
    const [fact] = facts();
    expect(facts()).toHaveLength(1);
    expect(site.subjects.ageOn(fact?.subject_id ?? '', fact?.day ?? 0)).toBe(90);
    // What is stored is found by the search that must not find the rest.
    expect(isIn(kept, systolic)).toBe(true);
    const text = format.name === 'OMOP' ? identifiers.H.planted[0] : identifiers.A.planted[0];
    expect(searchPatients(site.store, siteKeys.linkageKey, text)).toHaveLength(1);
  });

  it.each(letters.map((letter) => [letter, identifiers[letter].names] as const))(
    '(%s) leaves no trace of %s',
    (letter) => {
      const source = Buffer.from(Object.values(format.files).join('\n'));
      const { planted } = identifiers[letter];
      expect(planted.some((text) => isIn(source, text))).toBe(true);
      expect(planted.filter((text) => isIn(kept, text))).toEqual([]);
    },
  );

  it('(C) has no real day among the numbers of its facts', () => {
    const real = parseDay(measuredOn);
    for (const fact of facts()) expect(fact.day).not.toBe(real);
  });

  it('(B) has no column for geography: none is stored, so none needs the rule of three digits', () => {
    const columns = site.store
      .prepare(
        "SELECT info.name AS name FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS info WHERE tables.type = 'table'",
      )
      .all()
      .map((row) => String((row as { name: unknown }).name));
    expect(columns).toContain('subject_id');
    expect(
      columns.filter((name) => /(?:^|_)(?:zip|postal|city|address|county|state_code|place)/.test(name)),
    ).toEqual([]);
  });
});

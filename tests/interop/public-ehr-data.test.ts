// Public synthetic EHR exports, where CONSILIUM_DATA names the folder that holds them: every file ends with a named outcome, its
// rows add up, and facts are as many as an independent count says.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { FileOutcome } from '#site/ingest/index.ts';
import { countOmop, countSynthea, rowsOf } from '#support/counted-csv.ts';
import { countFhir, type Expected, resourcesOf } from '#support/counted-fhir.ts';
import { type IngestSite, openIngestSite, summaryOf } from '#support/ingest-site.ts';

const data = process.env.CONSILIUM_DATA;
const folders = [
  'fhir-r4-synthea',
  'fhir-r4-bulk',
  'fhir-r4-examples',
  'omop-synthea27',
  'synthea-csv',
] as const;
const missing = folders.filter((folder) => data === undefined || !existsSync(path.join(data, folder)));
if (missing.length > 0) {
  process.stderr.write(
    `public EHR data not tested (${missing.join(', ')}): CONSILIUM_DATA does not name a folder with them\n`,
  );
}

let sites: IngestSite[] = [];
afterEach(() => {
  for (const site of sites) site.close();
  sites = [];
});

function openSite(timeZone = 'UTC'): IngestSite {
  const site = openIngestSite({ timeZone });
  sites.push(site);
  return site;
}

function folderOf(...names: string[]): string {
  return path.join(data ?? '', ...names);
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

interface StoredFact {
  readonly subject: string;
  readonly kind: string;
  readonly system: string;
  readonly code: string;
  readonly number: number | null;
  readonly value: string | null;
  readonly day: number;
  readonly end_day: number | null;
}

function factsOf({ store }: IngestSite): StoredFact[] {
  const sql = `SELECT subject.subject_id AS subject, concept.kind, concept.system, concept.code, fact.number,
      value.system || '|' || value.code AS value, fact.day, fact.end_day
    FROM fact JOIN subject USING (subject_no) JOIN concept USING (concept_id)
    LEFT JOIN concept AS value ON value.concept_id = fact.value_id`;
  return store.prepare(sql).all() as StoredFact[];
}

function countByKind(facts: readonly { readonly kind: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of facts) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** Imports a folder twice: the second time changes nothing. */
async function importTwice(site: IngestSite, folder: string): Promise<readonly FileOutcome[]> {
  const { files } = summaryOf(await site.importPaths([folder]));
  expect(files).toHaveLength(filesIn(folder).length);
  const before = factsOf(site);
  const again = summaryOf(await site.importPaths([folder]));
  expect(again.rows).toEqual({});
  expect(factsOf(site)).toEqual(before);
  expect(again.files.filter(({ rows }) => rows.accepted > 0)).toEqual([]);
  expect(site.auditLog.verify().verified).toBe(true);
  return files.filter(({ path: file }) => path.basename(file) !== 'README.md');
}

/** Holds every file's rows and all facts against an independent count. */
function compare(
  site: IngestSite,
  files: readonly FileOutcome[],
  count: (file: string) => { readonly rows: number; readonly expected: Expected },
): void {
  const facts: Record<string, number> = {};
  for (const { path: file, outcome, rows } of files) {
    const { rows: offered, expected } = count(file);
    const counted = {
      taken: rows.accepted + rows.duplicate,
      notNeeded: rows.notNeeded,
      rejected: rows.rejected,
    };
    const { taken, notNeeded } = expected;
    expect(counted, file).toEqual({ taken, notNeeded, rejected: offered - taken - notNeeded });
    expect(outcome, file).toBe('accepted');
    for (const [kind, number] of Object.entries(expected.facts)) facts[kind] = (facts[kind] ?? 0) + number;
  }
  expect(countByKind(factsOf(site))).toEqual(
    Object.fromEntries(Object.entries(facts).filter(([, number]) => number > 0)),
  );
}

describe.runIf(missing.length === 0)('public synthetic exports', () => {
  it.each(['fhir-r4-synthea', 'fhir-r4-bulk'])(
    'of %s are taken whole: no row is refused',
    async (folder) => {
      const site = openSite();
      const files = await importTwice(site, folderOf(folder));
      compare(site, files, (file) => {
        const resources = resourcesOf(file);
        return { rows: resources.length, expected: countFhir(resources) };
      });
      expect(files.filter(({ code }) => code !== null)).toEqual([]);
    },
    120_000,
  );

  it('of OMOP are taken but for questions without an answer and answers in free text', async () => {
    const site = openSite();
    const concepts = rowsOf(folderOf('omop-synthea27', 'concept.csv'));
    const vocabularyOf = new Map(
      concepts.map(({ concept_id = '', vocabulary_id = '' }) => [concept_id, vocabulary_id]),
    );
    const files = await importTwice(site, folderOf('omop-synthea27'));
    compare(site, files, (file) => {
      const rows = rowsOf(file);
      return { rows: rows.length, expected: countOmop(path.basename(file, '.csv'), rows, vocabularyOf) };
    });
    expect(
      files
        .filter(({ code }) => code !== null)
        .map(({ path: file, code }) => [path.basename(file), code])
        .sort(),
    ).toEqual([
      ['measurement.csv', 'UNSUPPORTED_VALUE'],
      ['observation.csv', 'MISSING_FIELD'],
    ]);
  }, 120_000);

  it('of Synthea’s CSV are known by their headers and taken whole', async () => {
    const site = openSite();
    const files = await importTwice(site, folderOf('synthea-csv'));
    compare(site, files, (file) => {
      const rows = rowsOf(file);
      return { rows: rows.length, expected: countSynthea(path.basename(file, '.csv'), rows, answers()) };
    });
    expect(files.filter(({ code }) => code !== null)).toEqual([]);
  }, 120_000);

  it('of HL7’s own examples end each with a named outcome, and rows that add up', async () => {
    const site = openSite();
    const files = await importTwice(site, folderOf('fhir-r4-examples'));
    for (const { path: file, code, reason, rows } of files) {
      expect(code === null, file).toBe(reason === null);
      const json = JSON.parse(readFileSync(file, 'utf8'));
      const isWhole = code === 'UNSUPPORTED_BUNDLE';
      const offered = json.resourceType === 'Bundle' ? json.entry.length : 1;
      const counted = rows.accepted + rows.duplicate + rows.rejected + rows.notNeeded;
      expect(counted, file).toBe(isWhole ? 0 : offered);
    }
    // Counted by hand: what has a status, a day, a patient and a value or code that can be taken.
    expect(countByKind(factsOf(site))).toEqual({
      encounter: 2,
      condition: 4,
      measurement: 16,
      medication: 5,
      procedure: 4,
    });
  }, 120_000);
});

/** Texts that the shipped mapping knows a code for. */
function answers(): ReadonlySet<string> {
  const file = fileURLToPath(new URL('../../assets/mappings/synthea.json', import.meta.url));
  const { tables } = JSON.parse(readFileSync(file, 'utf8'));
  const values = tables.flatMap((table: { fact?: { value?: { values?: object } } }) =>
    Object.keys(table.fact?.value?.values ?? {}),
  );
  return new Set(values);
}

/**
 * What the two exports of one Synthea run write differently. Everything else of a fact must be the same.
 * - rounding: the CSV export writes one decimal, FHIR all of them;
 * - no end: a MedicationRequest states no last dose, the CSV's STOP does.
 */
const rules = {
  isSameNumber: (csv: number | null, fhir: number | null): boolean =>
    csv === fhir || (csv !== null && fhir !== null && Math.abs(csv - fhir) <= 0.05 + 1e-9),
  hasEnd: (kind: string): boolean => kind !== 'medication',
};

describe.runIf(missing.length === 0)('the same patients of one Synthea run', () => {
  it('have the same facts from CSV and from FHIR bundles', async () => {
    // Synthea wrote local days where it wrote days only.
    const [csv, fhir] = [openSite('America/Los_Angeles'), openSite('America/Los_Angeles')];
    await csv.importPaths([folderOf('synthea-csv')]);
    await fhir.importPaths([folderOf('fhir-r4-synthea', 'bundles-transaction')]);
    const subjects = new Set(factsOf(fhir).map(({ subject }) => subject));
    expect(subjects.size).toBe(4);
    const sides = [csv, fhir].map((site) =>
      factsOf(site)
        .filter(({ subject }) => subjects.has(subject))
        .sort((left, right) => order(left, right)),
    );
    const [fromCsv = [], fromFhir = []] = sides;
    expect(fromCsv.map(identityOf)).toEqual(fromFhir.map(identityOf));
    const different = fromCsv.filter(
      (fact, at) => !rules.isSameNumber(fact.number, fromFhir[at]?.number ?? null),
    );
    expect(different).toEqual([]);
    expect(countByKind(fromCsv)).toMatchObject({ encounter: 79, medication: 68, procedure: 128 });
    // The rules are needed: without them the exports differ.
    expect(fromCsv.some(({ number }, at) => number !== fromFhir[at]?.number)).toBe(true);
    expect(fromCsv.some(({ end_day }, at) => end_day !== fromFhir[at]?.end_day)).toBe(true);
  }, 120_000);
});

function identityOf({ subject, kind, system, code, value, day, end_day }: StoredFact): unknown[] {
  return [subject, kind, system, code, value, day, rules.hasEnd(kind) ? end_day : null];
}

function order(left: StoredFact, right: StoredFact): number {
  const [one, other] = [left, right].map((fact) => JSON.stringify(identityOf(fact)));
  if (one !== other) return (one ?? '') < (other ?? '') ? -1 : 1;
  return (left.number ?? 0) - (right.number ?? 0);
}

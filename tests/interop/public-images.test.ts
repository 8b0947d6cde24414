// Public DICOM files, where CONSILIUM_DATA names the folder that holds them: each ends with a named outcome, the totals are the number of
// files, what is stored opens again with the pixels it came with, and a second import changes nothing.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openImage } from '#site/ingest/dicom/decode-frame.ts';
import { parseDicom } from '#site/ingest/dicom/parse-dicom.ts';
import type { IngestSummary } from '#site/ingest/index.ts';
import { openObjectStore } from '#site/store/index.ts';
import { type IngestSite, openIngestSite, outcomesByName, summaryOf } from '#support/ingest-site.ts';

const data = process.env.CONSILIUM_DATA;
const missing = ['dicom-samples', 'lgg-mri'].filter(
  (folder) => data === undefined || !existsSync(path.join(data, folder)),
);
if (missing.length > 0) {
  process.stderr.write(
    `public images not tested (${missing.join(', ')}): CONSILIUM_DATA does not name a folder with them\n`,
  );
}

let site: IngestSite | undefined;
afterEach(() => site?.close());

const folderOf = (...names: string[]): string => path.join(data ?? '', ...names);
const filesIn = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
const totalOf = ({ accepted, duplicate, quarantined, rejected }: IngestSummary): number =>
  accepted + duplicate + quarantined + rejected;

/** Imports a folder twice into a new site. */
async function importTwice(folder: string): Promise<{ first: IngestSummary; stored: IngestSite }> {
  const stored = openIngestSite();
  site = stored;
  const first = summaryOf(await stored.importPaths([folder]));
  expect(totalOf(first)).toBe(filesIn(folder));
  const count = (table: string): unknown =>
    stored.store.prepare(`SELECT count(*) AS count FROM ${table}`).get();
  const tables = [
    'sop_instance',
    'imaging_series',
    'imaging_study',
    'sealed_object',
    'quarantine',
    'subject',
  ];
  const before = tables.map(count);
  const again = summaryOf(await stored.importPaths([folder]));
  const { accepted, duplicate, quarantined, rejected } = first;
  expect(again).toMatchObject({
    accepted: 0,
    duplicate: accepted + duplicate,
    quarantined,
    rejected,
    rows: {},
  });
  expect(tables.map(count)).toEqual(before);
  expect(stored.auditLog.verify().verified).toBe(true);
  return { first, stored };
}

describe.runIf(missing.length === 0)('public images', () => {
  it('of many makers and syntaxes end each with an outcome, and every refusal has its reason', async () => {
    const { first, stored } = await importTwice(folderOf('dicom-samples'));
    for (const { path: file, outcome, code, reason } of first.files) {
      expect(code === null, file).toBe(outcome === 'accepted' || outcome === 'duplicate');
      expect(reason === null, file).toBe(code === null);
    }
    const { store } = stored;
    const objects = openObjectStore({ store, profile: path.join(stored.folder, 'profile') });
    const images = store.prepare('SELECT object_no, pixel_rows, frame_count FROM sop_instance').all();
    expect(images.length).toBeGreaterThan(30);
    for (const { object_no, pixel_rows, frame_count } of images as Record<string, number>[]) {
      const image = openImage(parseDicom(Buffer.from(objects.read(object_no ?? 0))));
      expect(image?.description).toMatchObject({ rows: pixel_rows, frameCount: frame_count });
    }
  }, 120_000);

  it('that are broken are each refused, or held, by name', async () => {
    site = openIngestSite();
    const summary = summaryOf(await site.importPaths([folderOf('dicom-samples', 'broken-derived')]));
    expect(outcomesByName(summary)).toEqual({
      'bits_allocated_zero.dcm': ['rejected', 'DICOM_BAD_VALUE'],
      // Its data set is whole and read as what it is: the declared syntax was wrong.
      'declared_implicit_is_explicit.dcm': ['accepted', null],
      'deep_nested_sequences.dcm': ['rejected', 'DICOM_TOO_DEEP'],
      // The other one is a derived image, held by its header, and takes nobody's UID.
      'duplicate_uid_a.dcm': ['quarantined', 'BURNED_IN_SUSPECTED'],
      'duplicate_uid_b.dcm': ['accepted', null],
      'empty.dcm': ['rejected', 'EMPTY_FILE'],
      'gzip_named.dcm': ['rejected', 'NOT_UTF8'],
      'html_in_name.dcm': ['quarantined', 'BURNED_IN_SUSPECTED'],
      'no_patientid.dcm': ['quarantined', 'DICOM_NO_PATIENT_ID'],
      'no_sopinstanceuid.dcm': ['rejected', 'DICOM_MISSING_UID'],
      'rle_bad_offsets.dcm': ['rejected', 'DICOM_BAD_FRAGMENTS'],
      'text_named.dcm': ['rejected', 'NOT_RECOGNISED'],
      'truncated_in_pixeldata.dcm': ['rejected', 'TRUNCATED'],
      'unknown_transfer_syntax.dcm': ['quarantined', 'TRANSFER_SYNTAX_NOT_DECODED'],
    });
  }, 60_000);

  it('of four hospitals are taken whole, with their segmentations linked to the slices', async () => {
    const { first, stored } = await importTwice(folderOf('lgg-mri'));
    const tables = first.files.filter(({ path: file }) => !file.endsWith('.dcm'));
    expect(tables.every(({ outcome }) => outcome === 'rejected')).toBe(true);
    expect(first.rejected).toBe(tables.length);
    const manifest = readFileSync(folderOf('lgg-mri', 'manifest.csv'), 'utf8').trim().split('\n');
    expect(first.rows).toMatchObject({ sopInstance: filesIn(folderOf('lgg-mri')) - tables.length });
    expect(first.rows.patient).toBeGreaterThan(50);
    expect(manifest.length).toBeGreaterThan(1);
    const { linked } = stored.store
      .prepare(
        `SELECT count(DISTINCT segmentation_source.sop_instance_no) AS linked
         FROM segmentation_source JOIN sop_instance ON sop_instance_uid = source_uid`,
      )
      .get() as { linked: number };
    expect(linked).toBe(first.rows.imagingStudy);
  }, 120_000);
});

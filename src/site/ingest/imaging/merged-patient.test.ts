import { afterEach, beforeEach, expect, it } from 'vitest';
import { openObjectStore } from '#site/store/index.ts';
import { element } from '#support/dicom-object.ts';
import { sliceFile } from '#support/image-files.ts';
import { type IngestSite, openIngestSite } from '#support/ingest-site.ts';
import { attributesOf } from '../dicom/attributes.ts';
import { parseDicom } from '../dicom/parse-dicom.ts';

let site: IngestSite;
beforeEach(() => {
  site = openIngestSite();
});
afterEach(() => site.close());

interface DayRow {
  readonly sop_day: number;
  readonly study_day: number;
  readonly days_moved: number;
  readonly subject_id: string;
  readonly object_no: number;
}

/** Every image with its days, and the subject that its imaging study came for. */
const dayRows = (): DayRow[] =>
  site.store
    .prepare(
      `SELECT sop_instance.day AS sop_day, imaging_study.day AS study_day, days_moved, subject_id, object_no FROM sop_instance
       JOIN imaging_series USING (imaging_series_no) JOIN imaging_study USING (imaging_study_no) JOIN subject USING (subject_no)`,
    )
    .all() as DayRow[];
const key = (identifier: string) => ({ authority: 'dicom', identifier });
const realDay = Date.UTC(2020, 0, 31) / 86_400_000;

it('an image that comes after a merge has the days of the imaging study that it belongs to, moved once', async () => {
  await site.importFiles({ 'a.dcm': sliceFile({ patient: 'OLD' }) });
  const before = site.subjects.findSubject(key('OLD'));
  site.store.transaction(() => site.subjects.mergePatients(key('NEW'), key('OLD')));
  const survivor = site.subjects.findSubject(key('OLD'));
  expect(survivor?.subjectId).not.toBe(before?.subjectId);
  const later = sliceFile({ patient: 'OLD', instance: 3, series: 2 }, element(0x00100020, 'NEW'));
  const files = { 'b.dcm': sliceFile({ patient: 'OLD', instance: 2 }), 'c.dcm': later };
  expect(await site.importFiles(files)).toMatchObject({ accepted: 2 });
  expect(await site.importFiles({ 'd.dcm': sliceFile({ patient: 'NEW' }) })).toMatchObject({ accepted: 1 });
  const rows = dayRows();
  expect(rows).toHaveLength(4);
  const profile = `${site.folder}/profile`;
  const objects = openObjectStore({ store: site.store, profile });
  for (const row of rows) {
    // As whoever reads them does: the day of the row, and what the merge adds to it.
    expect(row.sop_day + row.days_moved).toBe(site.subjects.shiftDay(survivor?.subjectId ?? '', realDay));
    expect(row.study_day).toBe(row.sop_day);
    const file = attributesOf(parseDicom(Buffer.from(objects.read(row.object_no))));
    expect(file.text(0x00100020)).toBe(row.subject_id);
  }
  expect(new Set(rows.map((row) => row.subject_id)).size).toBe(2);
});

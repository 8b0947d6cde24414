import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ingestEvent } from '#ipc/schema.ts';
import { openObjectStore } from '#site/store/index.ts';
import { dataSet, element } from '#support/dicom-object.ts';
import { directoryFile, sliceFile, sliceWithout } from '#support/image-files.ts';
import { type IngestSite, openIngestSite, outcomesByName, steward, summaryOf } from '#support/ingest-site.ts';
import { zipFile } from '#support/zip-file.ts';
import { attributesOf } from '../dicom/attributes.ts';
import { parseDicom } from '../dicom/parse-dicom.ts';
import { saveImagingSettings } from './imaging-settings.ts';

let site: IngestSite;
beforeEach(() => {
  site = openIngestSite();
});
afterEach(() => site.close());

const rowsOf = <Row>(table: string): Row[] => site.store.prepare(`SELECT * FROM ${table}`).all() as Row[];
const countOf = (table: string): number => rowsOf(table).length;
const actions = (): string[] =>
  site.auditLog
    .list({ search: '', action: null, offset: 0, limit: 500 })
    .entries.toReversed()
    .map(({ action, reason }) => (reason === null ? action : `${action} ${reason}`));
const objectOf = (objectNo: number): Uint8Array =>
  openObjectStore({ store: site.store, profile: path.join(site.folder, 'profile') }).read(objectNo);

interface InstanceRow {
  readonly sop_instance_uid: string;
  readonly object_no: number | null;
  readonly [column: string]: unknown;
}

describe('an image', () => {
  it('becomes rows of allow-listed attributes and a sealed, pseudonymous file that opens again', async () => {
    const summary = await site.importFiles({ 'a.dcm': sliceFile({}), 'b.dcm': sliceFile({ instance: 2 }) });
    expect(summary).toMatchObject({ accepted: 2, rejected: 0, quarantined: 0, rowCounts: { accepted: 2 } });
    expect(summary.rows).toEqual({ patient: 1, imagingStudy: 1, sopInstance: 2 });
    const [first] = rowsOf<InstanceRow>('sop_instance');
    expect(first).toMatchObject({
      pixel_rows: 16,
      pixel_columns: 16,
      frame_count: 1,
      bits_stored: 12,
      is_signed: 0,
    });
    expect(first).toMatchObject({ row_spacing: 0.5, column_spacing: 0.75, instance_number: 1 });
    const file = attributesOf(parseDicom(Buffer.from(objectOf(first?.object_no ?? 0))));
    expect(file.uid(0x00080018)).toBe(first?.sop_instance_uid);
    expect(first?.sop_instance_uid).toMatch(/^2\.25\.\d+$/);
    expect(file.text(0x00100010)).not.toContain('Planted');
    expect(file.bytes(0x7fe00010)).toHaveLength(512);
    const [study] = rowsOf<{ subject_no: number; day: number }>('imaging_study');
    const [subject] = rowsOf<{ subject_no: number; subject_id: string }>('subject');
    expect(study?.subject_no).toBe(subject?.subject_no);
    const realDay = Date.UTC(2020, 0, 31) / 86_400_000;
    expect(study?.day).toBe(site.subjects.shiftDay(subject?.subject_id ?? '', realDay));
  });

  it('leaves no name, identifier, UID or date in logs, audit entries, events or readable bytes', async () => {
    const files = { 'one.dcm': sliceFile({ patient: 'SECRET-77' }), 'two.dcm': sliceWithout({}, 0x00100020) };
    const summary = await site.importFiles(files);
    const shown = [
      ...site.logged,
      ...rowsOf<{ line: string }>('audit_leaf').map(({ line }) => line),
      ...rowsOf<{ detail: string }>('audit_detail').map(({ detail }) => detail),
      JSON.stringify(summary),
      site.profileBytes().toString('latin1'),
      ...rowsOf<{ object_no: number }>('sop_instance').map(({ object_no }) =>
        Buffer.from(objectOf(object_no)).toString('latin1'),
      ),
    ].join('\n');
    for (const planted of ['PlantedSECRET77', 'SECRET-77', '20200131', '19500501', '1.2.3.4'])
      expect(shown.includes(planted), planted).toBe(false);
  });

  it('that is deleted from the index cannot be read any more', async () => {
    await site.importFiles({ a: sliceFile({}), b: sliceFile({ instance: 2 }) });
    const [first, second] = rowsOf<InstanceRow>('sop_instance');
    site.store.transaction(() =>
      site.store.prepare('DELETE FROM sop_instance WHERE sop_instance_uid = ?').run(first?.sop_instance_uid),
    );
    expect(countOf('sealed_object')).toBe(1);
    expect(() => objectOf(first?.object_no ?? 0)).toThrow(
      expect.objectContaining({ code: 'OBJECT_UNREADABLE' }),
    );
    expect(objectOf(second?.object_no ?? 0).length).toBeGreaterThan(512);
  });

  it('whose modality or body part is none of the standard leaves neither in the index', async () => {
    const named = (instance: number, modality: string, part: string) =>
      sliceFile({ instance, series: instance }, element(0x00080060, modality), element(0x00180015, part));
    await site.importFiles({
      a: named(1, 'MUELLER', 'MUELLER'),
      b: named(2, 'CT', 'C_SPINE'),
      c: named(3, 'US', 'BRAIN'),
    });
    const found = rowsOf<{ modality: string; body_part: string }>('imaging_series');
    expect(found.map(({ modality, body_part }) => [modality, body_part])).toEqual([
      ['OT', null],
      ['CT', 'CSPINE'],
    ]);
  });

  it('changes nothing the second time, whatever it is called then', async () => {
    await site.importFiles({ 'a.dcm': sliceFile({}), 'b.dcm': sliceFile({ instance: 2 }) });
    const before = [
      rowsOf('sop_instance'),
      rowsOf('imaging_series'),
      rowsOf('patient_link'),
      rowsOf('sealed_object'),
    ];
    const again = await site.importFiles({ 'x.dcm': sliceFile({}), 'y/z': sliceFile({ instance: 2 }) });
    expect(again).toMatchObject({
      accepted: 0,
      duplicate: 2,
      rowCounts: { accepted: 0, duplicate: 2 },
      rows: {},
    });
    expect([
      rowsOf('sop_instance'),
      rowsOf('imaging_series'),
      rowsOf('patient_link'),
      rowsOf('sealed_object'),
    ]).toEqual(before);
  });

  it('is the one image of its UID that was offered first; others wait', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 9 }, (_, index) => [
        `${index}.dcm`,
        sliceFile({}, element(0x00200032, `${index}\\0\\0`)),
      ]),
    );
    const summary = await site.importFiles(files);
    expect(outcomesByName(summary)['0.dcm']).toEqual(['accepted', null]);
    expect(summary).toMatchObject({ accepted: 1, quarantined: 8 });
    expect(rowsOf<{ position: string }>('sop_instance').map(({ position }) => position)).toEqual(['[0,0,0]']);
    const again = await site.importFiles(files);
    expect(again).toMatchObject({ duplicate: 1, quarantined: 8 });
    expect(countOf('quarantine')).toBe(8);
  });

  it('whose study is another patient’s waits, and does not become that patient’s', async () => {
    const stolen = [element(0x0020000d, '1.2.3.77'), element(0x0020000e, '1.2.3.77.1')];
    const summary = await site.importFiles({
      'a.dcm': sliceFile({}, ...stolen),
      'b.dcm': sliceFile({ patient: 'MRN-2' }, ...stolen),
    });
    expect(outcomesByName(summary)).toEqual({
      'a.dcm': ['accepted', null],
      'b.dcm': ['quarantined', 'DICOM_PATIENT_CONFLICT'],
    });
    expect(countOf('subject')).toBe(1);
  });

  it.each([
    ['no SOP Instance UID', 'rejected', 'DICOM_MISSING_UID', sliceWithout({}, 0x00080018)],
    ['no SOP Class UID', 'rejected', 'DICOM_MISSING_UID', sliceWithout({}, 0x00080016)],
    ['a UID that is a path', 'rejected', 'DICOM_BAD_VALUE', sliceFile({}, element(0x00080018, '../../1.2'))],
    ['no pixels', 'rejected', 'DICOM_NO_IMAGE', sliceWithout({}, 0x7fe00010)],
    ['no rows', 'rejected', 'DICOM_BAD_VALUE', sliceWithout({}, 0x00280010)],
    ['its pixels cut off', 'rejected', 'TRUNCATED', sliceFile({}).subarray(0, -100)],
    ['more frames than pixels', 'rejected', 'DICOM_PIXEL_COUNT', sliceFile({}, element(0x00280008, '5'))],
    ['no patient', 'quarantined', 'DICOM_NO_PATIENT_ID', sliceWithout({}, 0x00100020)],
    ['an empty patient id', 'quarantined', 'DICOM_NO_PATIENT_ID', sliceFile({}, element(0x00100020, '  '))],
    [
      'a patient id that its character set does not have',
      'quarantined',
      'DICOM_NO_PATIENT_ID',
      sliceFile({}, element(0x00080005, 'ISO_IR 192'), element(0x00100020, Uint8Array.of(0xd6, 0x31), 'LO')),
    ],
    ['two SOP Instance UIDs', 'rejected', 'DICOM_BAD_VALUE', sliceFile({}, element(0x00080018, '1.2\\1.3'))],
    ['two imaging studies', 'rejected', 'DICOM_BAD_VALUE', sliceFile({}, element(0x0020000d, '1.2\\1.3'))],
    ['text in its pixels', 'quarantined', 'BURNED_IN_TEXT', sliceFile({}, element(0x00280301, 'YES'))],
    [
      'a kind that shows names',
      'quarantined',
      'BURNED_IN_SUSPECTED',
      sliceFile({}, element(0x00080060, 'US')),
    ],
  ])('with %s is %s as %s, and leaves no row', async (_, outcome, code, bytes) => {
    const summary = await site.importFiles({ 'one.dcm': bytes, 'whole.dcm': sliceFile({ instance: 5 }) });
    expect(outcomesByName(summary)).toEqual({ 'one.dcm': [outcome, code], 'whole.dcm': ['accepted', null] });
    expect(countOf('sop_instance')).toBe(1);
    expect(countOf('quarantine')).toBe(outcome === 'quarantined' ? 1 : 0);
  });

  it('is not another patient’s whose identifier differs behind a backslash only', async () => {
    const ids = ['A\\1', 'A\\2'].map((id) => [
      element(0x00100020, id),
      element(0x0020000d, `1.2.${id.at(-1)}`),
    ]);
    const files = ids.map((elements, index) => sliceFile({ series: index, instance: index }, ...elements));
    expect(await site.importFiles({ a: files[0] ?? '', b: files[1] ?? '' })).toMatchObject({ accepted: 2 });
    expect(countOf('subject')).toBe(2);
  });

  it('goes with its patient when two turn out to be one, and so do later ones of the same imaging study', async () => {
    await site.importFiles({ 'a.dcm': sliceFile({ patient: 'A' }), 'b.dcm': sliceFile({ patient: 'B' }) });
    const keyOf = (identifier: string) => ({ authority: 'dicom', identifier });
    site.store.transaction(() => site.subjects.mergePatients(keyOf('A'), keyOf('B')));
    const later = await site.importFiles({ 'c.dcm': sliceFile({ patient: 'B', instance: 2 }) });
    expect(later).toMatchObject({ accepted: 1, quarantined: 0, rows: { sopInstance: 1 } });
    expect([countOf('imaging_study'), countOf('subject')]).toEqual([2, 2]);
  });

  it('without an imaging study or series is one of its own', async () => {
    const summary = await site.importFiles({ 'one.dcm': sliceWithout({}, 0x0020000d, 0x0020000e) });
    expect(summary).toMatchObject({ accepted: 1, rows: { imagingStudy: 1 } });
  });

  it('is indexed without being kept where the site does not keep pixels', async () => {
    site.store.transaction(() => saveImagingSettings(site.store, { keepsPixels: false }));
    await site.importFiles({ 'a.dcm': sliceFile({}) });
    expect(rowsOf<InstanceRow>('sop_instance')[0]?.object_no).toBeNull();
    expect(countOf('sealed_object')).toBe(0);
  });

  it('is the patient’s of the EHR, by the authority that the site has set, whichever came first', async () => {
    const patient = {
      resourceType: 'Patient',
      id: 'p1',
      identifier: [{ system: 'https://hospital.example/mrn', value: 'MRN-1' }],
      name: [{ family: 'Family' }],
      birthDate: '1950-05-01',
    };
    site.store.transaction(() =>
      saveImagingSettings(site.store, { patientAuthority: 'https://hospital.example/mrn' }),
    );
    await site.importFiles({ 'patient.ndjson': `${JSON.stringify(patient)}\n`, 'a.dcm': sliceFile({}) });
    await site.importFiles({ 'b.dcm': sliceFile({ instance: 2 }) });
    expect(countOf('subject')).toBe(1);
    const stated = sliceFile(
      { series: 2 },
      element(0x00100021, 'OTHER-HOSPITAL'),
      element(0x0020000d, '1.2.3.8'),
    );
    await site.importFiles({ 'c.dcm': stated });
    expect(countOf('subject')).toBe(2);
  });

  it('that is a segmentation is linked to its source images by their new UIDs', async () => {
    const source = sliceFile({});
    await site.importFiles({ 'a.dcm': source });
    const uid = attributesOf(parseDicom(source)).uid(0x00080018) ?? '';
    const item = dataSet(element(0x00081150, '1.2.840.10008.5.1.4.1.1.4'), element(0x00081155, uid));
    const frame = dataSet(element(0x00089124, [dataSet(element(0x00082112, [item]))]));
    const segmentation = sliceFile(
      { series: 9, instance: 9 },
      element(0x00080016, '1.2.840.10008.5.1.4.1.1.66.4'),
      element(0x00080060, 'SEG'),
      element(0x52009230, [frame]),
    );
    await site.importFiles({ 'seg.dcm': segmentation });
    const linked = site.store
      .prepare('SELECT frame FROM segmentation_source JOIN sop_instance ON sop_instance_uid = source_uid')
      .all();
    expect(linked).toEqual([{ frame: 1 }]);
  });
});

describe('a folder', () => {
  const mrSystem = 'https://hospital.example/mrn';
  const patient = JSON.stringify({
    resourceType: 'Patient',
    id: 'p',
    identifier: [{ system: mrSystem, value: 'M' }],
  });

  it('of records, images and archives of both is one batch whose totals add up', async () => {
    const archive = zipFile([
      { name: 'in/slice.dcm', content: sliceFile({ instance: 3 }) },
      { name: 'in/patient.ndjson', content: Buffer.from(`${patient}\n`) },
      { name: 'nested.zip', content: zipFile([{ name: 'x', content: Buffer.from('x') }]) },
      { name: 'readme.md', content: Buffer.from('# words only') },
    ]);
    const summary = await site.importFiles({
      'all.zip': archive,
      'patient.ndjson': `${patient}\n`,
      'slice.dcm': sliceFile({}),
      'slice-without-a-name': sliceFile({ instance: 2 }),
    });
    expect(outcomesByName(summary)).toEqual({
      'slice.dcm': ['accepted', null],
      'slice-without-a-name': ['accepted', null],
      'patient.ndjson': ['duplicate', null],
      'nested.zip': ['rejected', 'ARCHIVE_NESTED'],
      'readme.md': ['rejected', 'NOT_RECOGNISED'],
    });
    expect(summary).toMatchObject({
      accepted: 4,
      duplicate: 1,
      rejected: 2,
      quarantined: 0,
      filesOmitted: 0,
    });
    expect(countOf('ingest_outcome')).toBe(7);
    expect(countOf('sop_instance')).toBe(3);
  });

  it('of archives without a file has an outcome for each', async () => {
    const ofFolders = [{ name: 'a/', content: Buffer.alloc(0), mode: 0o040755, isStored: true }];
    const summary = await site.importFiles({ 'a.zip': zipFile([]), 'b.zip': zipFile(ofFolders) });
    const [first, second] = [
      ['rejected', 'EMPTY_FILE'],
      ['rejected', 'EMPTY_FILE'],
    ];
    expect(outcomesByName(summary)).toEqual({ 'a.zip': first, 'b.zip': second });
    expect(summary).toMatchObject({ rejected: 2 });
  });

  it('that is a medium: its DICOMDIR tells what is missing and leads nowhere outside', async () => {
    const directory = directoryFile('IMAGES\\IM1', 'IMAGES\\IM2', '..\\..\\secret', '\\etc\\passwd', 'C:\\x');
    const files = { 'medium/DICOMDIR': directory, 'medium/IMAGES/IM1': sliceFile({}) };
    const summary = await site.importFiles(files);
    const found = summary.files.find(({ path: file }) => file.endsWith('DICOMDIR'));
    expect(found).toMatchObject({ outcome: 'accepted', format: 'dicomdir', code: 'SEVERAL_REASONS' });
    expect(found?.refusals.map(({ row, code }) => `${row} ${code}`)).toEqual([
      '2 DICOMDIR_FILE_MISSING',
      '3 DICOMDIR_UNSAFE_PATH',
      '4 DICOMDIR_UNSAFE_PATH',
      '5 DICOMDIR_UNSAFE_PATH',
    ]);
    expect(summary).toMatchObject({ accepted: 2, rows: { sopInstance: 1 } });
    expect(await site.importFiles(files)).toMatchObject({ accepted: 0, duplicate: 2 });
  });

  it('of more than a thousand images keeps only what a person must look at, and counts all', async () => {
    const files: Record<string, Buffer> = Object.fromEntries(
      Array.from({ length: 1_020 }, (_, index) => [`${index}.dcm`, sliceFile({ instance: index })]),
    );
    files['zz.dcm'] = sliceWithout({}, 0x00080018);
    const summary = await site.importFiles(files);
    expect(summary).toMatchObject({
      accepted: 1_020,
      rejected: 1,
      filesOmitted: 21,
      rowCounts: { accepted: 1_020 },
    });
    expect(summary.files).toHaveLength(1_000);
    expect(outcomesByName(summary)['zz.dcm']).toEqual(['rejected', 'DICOM_MISSING_UID']);
    // A leaf for each transaction and each refused file, not for each image.
    expect(actions().length).toBeLessThan(100);
    expect(actions()).toContain('file-refused DICOM_MISSING_UID');
    expect(site.auditLog.verify().verified).toBe(true);
  });

  it('ends between two jobs when it is cancelled, with whole files, and goes on with the next import', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [`${index}.dcm`, sliceFile({ instance: index })]),
    );
    const first = await site.importFiles({ 'first.dcm': sliceFile({ instance: 999 }) });
    expect(first.accepted).toBe(1);
    const folder = path.join(site.folder, 'import-2');
    const whole = await site.importFiles(files);
    expect(whole.accepted).toBe(300);
    const other = openIngestSite();
    const controller = new AbortController();
    const events = [];
    const request = { paths: [folder], mapping: null, actor: steward, signal: controller.signal };
    for await (const event of other.ingest.ingestPaths(request)) {
      events.push(ingestEvent.parse(event));
      if (event.kind === 'progress') controller.abort();
    }
    const cut = summaryOf(events);
    const stored = (
      other.store.prepare('SELECT count(*) AS count FROM sop_instance').get() as { count: number }
    ).count;
    expect(cut.accepted).toBe(stored);
    expect(stored).toBeLessThan(300);
    expect(summaryOf(await other.importPaths([folder]))).toMatchObject({
      accepted: 300 - stored,
      duplicate: stored,
    });
    other.close();
  });
});

describe('pushed bytes', () => {
  async function push(name: string, bytes: Buffer, step: number) {
    const files = [{ name, size: bytes.length }];
    const { batchId } = site.ingest.openBatch({ files, mapping: null, actor: steward });
    let outcome = null;
    for (let offset = 0; offset < bytes.length; offset += step) {
      const part = bytes.subarray(offset, offset + step).toString('base64');
      const isLast = offset + step >= bytes.length;
      outcome = (await site.ingest.push({ batchId, fileIndex: 0, offset, bytes: part, isLast })).file;
    }
    return { outcome, summary: site.ingest.closeBatch(batchId) };
  }

  it('of an image are the image', async () => {
    const { outcome, summary } = await push('slice', sliceFile({}), 100);
    expect(outcome).toMatchObject({ outcome: 'accepted', format: 'dicom', rows: { accepted: 1 } });
    expect(summary).toMatchObject({ accepted: 1, rows: { sopInstance: 1 } });
  });

  it('of an archive are its files, and lie nowhere readable meanwhile', async () => {
    const slices = Array.from({ length: 40 }, (_, index) => ({
      name: `${index}.dcm`,
      content: sliceFile({ instance: index }),
      isStored: true,
    }));
    const bytes = zipFile([...slices, { name: 'words.txt', content: Buffer.from('words') }]);
    const { outcome, summary } = await push('all.zip', bytes, 10_000);
    expect(outcome).toMatchObject({
      outcome: 'accepted',
      format: 'zip',
      code: 'NOT_RECOGNISED',
      rows: { accepted: 40 },
    });
    expect(summary).toMatchObject({ accepted: 40, rejected: 1 });
    expect(site.profileBytes().includes('Planted')).toBe(false);
  });

  it('that are cut off are refused', async () => {
    const files = [{ name: 'slice', size: 10_000 }];
    const { batchId } = site.ingest.openBatch({ files, mapping: null, actor: steward });
    const bytes = sliceFile({}).subarray(0, 500).toString('base64');
    await site.ingest.push({ batchId, fileIndex: 0, offset: 0, bytes, isLast: false });
    expect(outcomesByName(site.ingest.closeBatch(batchId))).toEqual({
      slice: ['rejected', 'IMPORT_CANCELLED'],
    });
  });
});

describe('quarantine', () => {
  const suspected = sliceFile({}, element(0x00280301, 'YES'), element(0x00080060, 'US'));
  const reason = 'looked at it: no text';

  it('lists what is held with its name, and releases it into the import with the reason in the log', async () => {
    await site.importFiles({ 'held.dcm': suspected });
    const { total, entries } = site.ingest.quarantine.list({ offset: 0, limit: 10 });
    expect(total).toBe(1);
    expect(entries[0]).toMatchObject({
      code: 'BURNED_IN_TEXT',
      field: 'BurnedInAnnotation',
      modality: 'US',
      format: 'dicom',
    });
    expect(entries[0]?.byteCount).toBe(suspected.length);
    expect(entries[0]?.name).toMatch(/held\.dcm$/);
    const quarantineId = entries[0]?.quarantineId ?? 0;
    const outcome = await site.ingest.quarantine.release({ quarantineId, reason }, steward);
    expect(outcome).toMatchObject({ outcome: 'accepted', code: null });
    expect([countOf('quarantine'), countOf('sop_instance'), countOf('sealed_object')]).toEqual([0, 1, 1]);
    expect(actions()).toContain('quarantine-released BURNED_IN_TEXT');
    expect(rowsOf<{ detail: string }>('audit_detail').some(({ detail }) => detail.includes(reason))).toBe(
      true,
    );
    expect(await site.importFiles({ 'again.dcm': suspected })).toMatchObject({ duplicate: 1 });
  });

  it('deletes what is held for good', async () => {
    await site.importFiles({ 'held.dcm': suspected });
    const [entry] = site.ingest.quarantine.list({ offset: 0, limit: 10 }).entries;
    const [object] = rowsOf<{ object_no: number; object_key: Uint8Array }>('sealed_object');
    site.ingest.quarantine.delete({ quarantineId: entry?.quarantineId ?? 0, reason }, steward);
    expect(() => objectOf(object?.object_no ?? 0)).toThrow(
      expect.objectContaining({ code: 'OBJECT_UNREADABLE' }),
    );
    expect([countOf('quarantine'), countOf('sealed_object'), countOf('sop_instance')]).toEqual([0, 0, 0]);
    expect(actions()).toContain('quarantine-deleted BURNED_IN_TEXT');
    expect(await site.importFiles({ 'again.dcm': suspected })).toMatchObject({ quarantined: 1 });
  });

  it('does not release what a decision cannot put right, nor what is not there', async () => {
    await site.importFiles({ 'held.dcm': sliceWithout({}, 0x00100020) });
    const [entry] = site.ingest.quarantine.list({ offset: 0, limit: 10 }).entries;
    const release = (quarantineId: number) =>
      site.ingest.quarantine.release({ quarantineId, reason }, steward);
    await expect(release(entry?.quarantineId ?? 0)).rejects.toMatchObject({
      code: 'QUARANTINE_NOT_RELEASABLE',
    });
    await expect(release(99)).rejects.toMatchObject({ code: 'QUARANTINE_NOT_FOUND' });
    expect(() => site.ingest.quarantine.delete({ quarantineId: 99, reason }, steward)).toThrow(
      expect.objectContaining({ code: 'QUARANTINE_NOT_FOUND' }),
    );
    expect(countOf('quarantine')).toBe(1);
  });

  it('keeps the file as it came', async () => {
    await site.importFiles({ 'held.dcm': suspected });
    const [{ object_no: objectNo = 0 } = {}] = rowsOf<{ object_no: number }>('quarantine');
    const original = readFileSync(path.join(site.folder, 'import-1', 'held.dcm'));
    expect(Buffer.from(objectOf(objectNo)).equals(original)).toBe(true);
  });
});

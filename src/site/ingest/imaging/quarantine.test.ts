import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DicomElement, type EncapsulatedElement, encodeDicom } from '#site/deidentify/index.ts';
import { dataSet, dicomFile, element, mrSlice } from '#support/dicom-object.ts';
import { sliceFile } from '#support/image-files.ts';
import { type IngestSite, openIngestSite, steward } from '#support/ingest-site.ts';

let site: IngestSite;
beforeEach(() => {
  site = openIngestSite();
});
afterEach(() => site.close());

const countOf = (table: string): number =>
  (site.store.prepare(`SELECT count(*) AS count FROM ${table}`).get() as { count: number }).count;

/** A film that no decoder here knows. */
function film(...elements: readonly DicomElement[]): Buffer {
  const fragments = [Uint8Array.of(0, 0, 1, 0xb3)];
  const pixels: EncapsulatedElement = { tag: 0x7fe00010, vr: 'OB', offsets: [], fragments };
  const content = dataSet(...mrSlice({}, ...elements).elements, pixels);
  return Buffer.from(encodeDicom(dicomFile(content, { transferSyntaxUid: '1.2.840.10008.1.2.4.100' })));
}

async function hold(file: Buffer): Promise<number> {
  expect(await site.importFiles({ 'held.dcm': file })).toMatchObject({ quarantined: 1 });
  return site.ingest.quarantine.list({ offset: 0, limit: 1 }).entries[0]?.quarantineId ?? 0;
}

describe('a release', () => {
  it.each([
    ['of a kind that shows names', film(element(0x00080060, 'US'))],
    ['of any other kind', film()],
  ])('of pixels that nothing can decode, %s, waives one check after the other', async (_, file) => {
    const quarantineId = await hold(file);
    const release = (reason: string) => site.ingest.quarantine.release({ quarantineId, reason }, steward);
    expect(await release('the maker will read it')).toMatchObject({
      outcome: 'quarantined',
      code: 'BURNED_IN_SUSPECTED',
    });
    expect(countOf('sop_instance')).toBe(0);
    expect(await release('seen on the console: no text')).toMatchObject({ outcome: 'accepted', code: null });
    expect([countOf('sop_instance'), countOf('quarantine'), countOf('sealed_object')]).toEqual([1, 0, 1]);
    const details = site.store.prepare('SELECT detail FROM audit_detail').all() as { detail: string }[];
    for (const reason of ['the maker will read it', 'seen on the console: no text'])
      expect(details.filter(({ detail }) => detail.includes(reason))).toHaveLength(1);
  });

  it('does not take in what another person deletes meanwhile', async () => {
    const quarantineId = await hold(sliceFile({}, element(0x00280301, 'YES')));
    const released = site.ingest.quarantine.release({ quarantineId, reason: 'no text in it' }, steward);
    site.ingest.quarantine.delete({ quarantineId, reason: 'a name is in it' }, steward);
    await expect(released).rejects.toMatchObject({ code: 'QUARANTINE_NOT_FOUND' });
    expect([countOf('sop_instance'), countOf('quarantine'), countOf('sealed_object')]).toEqual([0, 0, 0]);
  });

  it('that is asked for twice at once takes the file in once', async () => {
    const quarantineId = await hold(sliceFile({}, element(0x00280301, 'YES')));
    const release = () => site.ingest.quarantine.release({ quarantineId, reason: 'no text in it' }, steward);
    const [first, second] = await Promise.allSettled([release(), release()]);
    expect(first).toMatchObject({ value: { outcome: 'accepted' } });
    expect(second).toMatchObject({ reason: { code: 'QUARANTINE_NOT_FOUND' } });
    expect([countOf('sop_instance'), countOf('sealed_object')]).toEqual([1, 1]);
  });
});

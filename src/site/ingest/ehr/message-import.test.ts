import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type IngestSite, openIngestSite, outcomesByName } from '#support/ingest-site.ts';

let site: IngestSite;
beforeEach(() => {
  site = openIngestSite({ inMemory: true });
});
afterEach(() => site.close());

const msh = (type: string, id: string): string =>
  `MSH|^~\\&|LAB|HOSP|SITE|SITE|20200304||${type}|${id}|P|2.5.1`;
const pid = (number: string): string => `PID|1||${number}^^^WARD^MR||Byron^Ada||19500501|F`;
const result = (number: string, { id = 'm1', order = 'F1', value = '141', status = 'F' } = {}): string =>
  [
    msh('ORU^R01', id),
    pid(number),
    `OBR|1||${order}|24321-2^BMP^LN|||20200304101500`,
    `OBX|1|NM|2951-2^Sodium^LN||${value}|mmol/L|||||${status}`,
  ].join('\r');
const visit = (trigger: string, id: string, discharged = ''): string =>
  [
    msh(`ADT^${trigger}`, id),
    pid('77'),
    `PV1|1|I${'|'.repeat(17)}V1${'|'.repeat(25)}20200301|${discharged}`,
  ].join('\r');
const merge = (survivor: string, retired: string): string =>
  [msh('ADT^A40', 'm9'), pid(survivor), `MRG|${retired}^^^WARD^MR`].join('\r');

/** `code value` of every fact, of subjects as they stand. */
function facts(): string[] {
  const rows = site.store
    .prepare(
      'SELECT code, value_number AS value, end_day IS NOT NULL AS ended FROM subject_fact ORDER BY 1, 2',
    )
    .all();
  return (rows as { code: string; value: number | null; ended: number }[]).map(
    ({ code, value, ended }) => `${code} ${value ?? (ended === 1 ? 'ended' : 'open')}`,
  );
}
const subjectCount = (): number =>
  Number(
    (site.store.prepare('SELECT count(*) AS n FROM subject WHERE survivor_no IS NULL').get() as { n: number })
      .n,
  );
const take = (...messages: readonly string[]) =>
  site.importFiles({ 'messages.hl7': `${messages.join('\r')}\r` });

describe('imported HL7 v2 messages', () => {
  it('replace a result by its correction and remove it by its deletion', async () => {
    await take(result('77'), result('77', { id: 'm2', order: 'F2', value: '150' }));
    expect(facts()).toEqual(['2951-2 141', '2951-2 150']);
    await take(result('77', { id: 'm3', value: '142', status: 'C' }));
    expect(facts()).toEqual(['2951-2 142', '2951-2 150']);
    await take(result('77', { id: 'm4', order: 'F2', status: 'D' }));
    expect(facts()).toEqual(['2951-2 142']);
  });

  it('are known when they come again, alone or in another file', async () => {
    await take(result('77'));
    const again = await take(result('77', { id: 'm2' }), result('77'));
    expect(again.files.map(({ outcome, rows }) => [outcome, rows.duplicate])).toEqual([['duplicate', 4]]);
    expect(facts()).toEqual(['2951-2 141']);
  });

  it('follow a visit from admission to discharge, back, and to its cancellation', async () => {
    await take(visit('A01', 'm1'));
    expect(facts()).toEqual(['IMP open']);
    await take(visit('A03', 'm2', '20200305'));
    expect(facts()).toEqual(['IMP ended']);
    await take(visit('A13', 'm3', '20200305'));
    expect(facts()).toEqual(['IMP open']);
    await take(visit('A11', 'm4'));
    expect(facts()).toEqual([]);
  });

  it('make two patients one, whatever comes before the merge and after it', async () => {
    await take(result('66'), result('77', { id: 'm2', order: 'F2', value: '150' }));
    expect(subjectCount()).toBe(2);
    await take(merge('77', '66'));
    expect(subjectCount()).toBe(1);
    expect(facts()).toEqual(['2951-2 141', '2951-2 150']);
    // A system that has not heard of it still writes to the old number.
    await take(result('66', { id: 'm5', order: 'F5', value: '160' }));
    expect([subjectCount(), facts()]).toEqual([1, ['2951-2 141', '2951-2 150', '2951-2 160']]);
    const again = await take(merge('77', '66'));
    expect(again.files[0]?.rows).toMatchObject({ accepted: 0, rejected: 0 });
  });

  it('merge patients of whom nothing is known yet', async () => {
    await take(merge('77', '66'));
    await take(result('66'), result('77', { id: 'm2', order: 'F2', value: '150' }));
    expect([subjectCount(), facts()]).toEqual([1, ['2951-2 141', '2951-2 150']]);
  });

  it('have totals that add up, message by message', async () => {
    const summary = await take(
      result('77'),
      result('77', { id: 'm2', order: 'F2', value: '<5' }),
      [msh('ORM^O01', 'm3'), pid('77')].join('\r'),
      'MSH|broken',
      merge('77', '77'),
    );
    expect(outcomesByName(summary)['messages.hl7']).toEqual(['accepted', 'SEVERAL_REASONS']);
    // Three patients (one new, two as before), two results, a message and a merge that are not needed, a header.
    expect(summary.files[0]?.rows).toEqual({ accepted: 2, duplicate: 2, rejected: 2, notNeeded: 2 });
  });
});

describe('imported C-CDA documents', () => {
  const clinicalDocument = (value: string, status = 'completed'): string =>
    `<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><id root="9.9" extension="d1"/><recordTarget><patientRole><id root="1.2.3.4" extension="77"/></patientRole></recordTarget><component><structuredBody><component><section><templateId root="2.16.840.1.113883.10.20.22.2.3.1"/><entry><observation classCode="OBS" moodCode="EVN"><id root="9.2" extension="r"/><code code="2951-2" codeSystem="2.16.840.1.113883.6.1"/><statusCode code="${status}"/><effectiveTime value="20200304"/><value xsi:type="PQ" value="${value}" unit="mmol/L"/></observation></entry></section></component></structuredBody></component></ClinicalDocument>`;

  it('replace a statement by its later version, and take it away when it is nullified', async () => {
    await site.importFiles({ 'a.xml': clinicalDocument('141') });
    expect(facts()).toEqual(['2951-2 141']);
    await site.importFiles({ 'b.xml': clinicalDocument('142') });
    expect(facts()).toEqual(['2951-2 142']);
    await site.importFiles({ 'c.xml': clinicalDocument('142', 'nullified') });
    expect(facts()).toEqual([]);
  });

  it('that break off leave nothing', async () => {
    const summary = await site.importFiles({ 'a.xml': clinicalDocument('141').slice(0, -40) });
    expect(outcomesByName(summary)).toEqual({ 'a.xml': ['rejected', 'TRUNCATED'] });
    expect([subjectCount(), facts()]).toEqual([0, []]);
  });
});

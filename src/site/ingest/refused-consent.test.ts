import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openConsents } from '#site/consent/index.ts';
import { decisionsBySubject } from '#support/decisions-by-subject.ts';
import { ndjson } from '#support/fhir-resources.ts';
import { type IngestSite, openIngestSite, refusalsOf, siteKeys, steward } from '#support/ingest-site.ts';
import { previewMapping } from './ehr/preview-mapping.ts';
import { openTimeZone } from './time-zone.ts';

let site: IngestSite;
beforeEach(() => {
  site = openIngestSite({ inMemory: true });
});
afterEach(() => site.close());

const scopeSystem = 'http://terminology.hl7.org/CodeSystem/consentscope';
const scopeOf = (code: string) => ({ coding: [{ system: scopeSystem, code }] });

function consent(change: object = {}) {
  return {
    resourceType: 'Consent',
    id: 'c1',
    status: 'active',
    scope: scopeOf('research'),
    patient: { reference: 'Patient/p1' },
    dateTime: '2020-05-05',
    provision: { provision: [{ type: 'permit' }] },
    ...change,
  };
}

async function take(...resources: readonly object[]): Promise<string[]> {
  return refusalsOf(await site.importFiles({ 'consents.ndjson': ndjson(...resources) }), 'consents.ndjson');
}

function consents() {
  const { store, auditLog, subjects: days } = site;
  return openConsents({ store, auditLog, days, linkageKey: siteKeys.linkageKey });
}
const rules = (): string[] =>
  [...decisionsBySubject(site.store, consents().decisions('heart')).values()].map(({ rule }) => rule);

const rowCount = (): number => site.store.all(site.store.query.selectFrom('consent').selectAll()).length;
const denied = { type: 'deny' };
const mapping = JSON.stringify({
  consilium: 'csv-mapping/1',
  patient: {
    identifier: 'pid',
    authority: 'https://ward.example/number',
    name: null,
    birthDate: 'born',
    sex: null,
  },
  indexDate: null,
  record: null,
  missing: [],
  facts: [],
  consent: {
    researchStudyId: null,
    status: {
      column: 'consent',
      values: {
        yes: { status: 'active', decision: 'permit' },
        no: { status: 'active', decision: 'deny' },
        ended: { status: 'inactive', decision: 'permit' },
      },
    },
    stated: 'at',
    from: null,
    until: 'until',
  },
});
const takeRow = (row: string) =>
  site.importFiles({ 'rows.csv': `pid,born,consent,at,until\n${row}\n` }, mapping);

describe('a date of a consent that is a month or a year', () => {
  it.each<[string, object, string]>([
    ['ends a permit', { status: 'inactive', dateTime: '2024-05' }, 'withdrawn'],
    ['ends a permit of that month', { status: 'inactive', dateTime: '2020-05' }, 'withdrawn'],
    ['ends none that came later', { status: 'inactive', dateTime: '2020-04' }, 'permit'],
    ['begins a deny', { provision: { ...denied, period: { start: '2024-05' } } }, 'withdrawn'],
    ['dates another deny', { id: 'c2', dateTime: '2024', provision: denied }, 'denied'],
  ])('%s', async (_, change, rule) => {
    expect(await take(consent(), consent(change))).toEqual([]);
    expect(rules()).toEqual([rule]);
  });

  it('lifts no deny of that month, and one of the month before', async () => {
    await take(consent({ provision: denied, dateTime: '2020-05-31' }), consent({ dateTime: '2020-05' }));
    expect(rules()).toEqual(['withdrawn']);
    await take(consent({ dateTime: '2020-06' }));
    expect(rules()).toEqual(['permit']);
  });

  it.each([
    ['a permit begins on its last day', { type: 'permit', period: { start: '2026-11' } }, 'not-yet-valid'],
    ['a permit ends on its first day', { type: 'permit', period: { end: '2026-11' } }, 'expired'],
    ['a deny begins on its first day', { type: 'deny', period: { start: '2026-11' } }, 'denied'],
    ['a deny ends on its last day', { type: 'deny', period: { end: '2026-11' } }, 'denied'],
  ])('bounds a rule so that %s, on 2026-11-21', async (_, rule, expected) => {
    const another = rule.type === 'deny' ? [consent({ id: 'c2' })] : [];
    expect(await take(...another, consent({ provision: { provision: [rule] } }))).toEqual([]);
    expect(rules()).toEqual([expected]);
  });
});

describe('a consent that is refused', () => {
  const unread: [string, object, string][] = [
    ['of a date that is none', { dateTime: '2024-05-99' }, '1 BAD_DATE dateTime'],
    ['of a date that is no text', { dateTime: 2024 }, '1 MALFORMED_RESOURCE dateTime'],
    ['of a scope in words', { scope: { text: 'research' } }, '1 UNSUPPORTED_CONSENT scope'],
    ['without a scope', { scope: undefined }, '1 UNSUPPORTED_CONSENT scope'],
    ['for treatment from now on', { scope: scopeOf('treatment') }, '1 UNSUPPORTED_CONSENT scope'],
    ['of a status that is none', { status: 'gone' }, '1 BAD_VALUE status'],
    [
      'with a period that is none',
      { provision: { provision: [{ type: 'permit', period: { end: 'never' } }] } },
      '1 BAD_DATE provision.period.end',
    ],
  ];

  it.each(unread)('%s permits no more, and the row is listed', async (_, change, refusal) => {
    await take(consent());
    expect(rules()).toEqual(['permit']);
    expect(await take(consent(change))).toEqual([refusal]);
    expect(rules()).not.toEqual(['permit']);
  });

  it.each(unread.filter(([name]) => !name.includes('treatment')))(
    '%s permits nothing when it is read first, either',
    async (_, change) => {
      await take(consent(change));
      await take(consent());
      expect(rules()).not.toEqual(['permit']);
    },
  );

  it.each(unread)('%s leaves what another consent permits', async (_, change) => {
    await take(consent({ id: 'c2' }), consent(change));
    expect(rules()).toEqual(['permit']);
  });

  it.each<[string, object, string]>([
    ['its root', { provision: denied }, 'denied'],
    ['a nested rule', { provision: { provision: [{ type: 'permit', provision: [denied] }] } }, 'denied'],
    ['a rule without a type', { provision: { provision: [{ type: 'permit' }, {}] } }, 'denied'],
    [
      'having no permit at all',
      { policyRule: { coding: [{ code: 'OPTIN' }] }, provision: undefined },
      'denied',
    ],
    ['a modifier', { modifierExtension: [{}] }, 'denied'],
    ['a status that is no longer active', { status: 'rejected', provision: denied }, 'permit'],
  ])('and denies by %s denies everything while it is active', async (_, change, rule) => {
    await take(consent({ id: 'c2' }), consent({ dateTime: '2024-05-99', ...change }));
    expect(rules()).toEqual([rule]);
  });

  it('for something else than research says nothing where it is not known', async () => {
    const treatment = consent({ scope: scopeOf('treatment'), provision: denied });
    expect(await take(consent({ id: 'c2' }), treatment)).toEqual(['2 UNSUPPORTED_CONSENT scope']);
    expect(rules()).toEqual(['permit']);
    expect(rowCount()).toBe(1);
  });

  it('for treatment from now on permits no more, also where it names the patient in another way', async () => {
    const number = { system: 'https://fixture.example/number', value: '17' };
    await take({ resourceType: 'Patient', id: 'p1', identifier: [number] }, consent());
    expect(rules()).toEqual(['permit']);
    const later = { scope: scopeOf('treatment'), dateTime: '2021-01-01', patient: { identifier: number } };
    expect(await take(consent(later))).toEqual(['1 UNSUPPORTED_CONSENT scope']);
    expect(rules()).not.toEqual(['permit']);
  });

  it('permits again when the source states it anew with a later date', async () => {
    await take(consent({ dateTime: '2021-01-01', status: 'gone' }), consent());
    expect(rules()).not.toEqual(['permit']);
    await take(consent({ dateTime: '2021-01-02' }));
    expect(rules()).toEqual(['permit']);
  });

  it.each<[string, object]>([
    ['denies nothing', {}],
    ['denies', { provision: denied }],
  ])('of no readable date and %s is lifted by a steward only', async (_, change) => {
    await take(
      consent(),
      consent({ dateTime: '2024-05-99', ...change }),
      consent({ dateTime: '2025-01-01' }),
    );
    expect(rules()).not.toEqual(['permit']);
    const [subjectId = ''] = decisionsBySubject(site.store, consents().decisions('heart')).keys();
    consents().grant({ subjectId, researchStudyId: null, untilDate: null }, steward);
    expect(rules()).toEqual(['permit']);
  });

  it('is no change when it is read again', async () => {
    await take(consent(), consent({ dateTime: '2024-05-99' }));
    expect(rowCount()).toBe(2);
    await take(consent({ dateTime: '2024-05-99' }));
    expect(rowCount()).toBe(2);
  });

  it.each<[string, object]>([
    ['none', { patient: undefined }],
    ['one in words', { patient: { display: 'somebody' } }],
    ['one that is no patient', { patient: { reference: 'Group/g1' } }],
    ['none and a date that is none', { patient: undefined, dateTime: '2024-05-99' }],
  ])('because of its patient, %s, is listed as a consent that may be a refusal', async (_, change) => {
    expect(
      await take(consent({ id: 'c2' }), consent(change), consent({ ...change, provision: denied })),
    ).toEqual(['2 CONSENT_WITHOUT_PATIENT patient', '3 CONSENT_WITHOUT_PATIENT patient']);
    expect(rules()).toEqual(['permit']);
  });

  it('without a patient is listed before a thousand other rows that are refused', async () => {
    const bad = Array.from({ length: 1_200 }, () => ({ resourceType: 'Observation' }));
    const listed = await take(...bad, consent({ patient: undefined }));
    expect(listed[0]).toBe('1201 CONSENT_WITHOUT_PATIENT patient');
    const stored = site.store.query.selectFrom('row_refusal').select('code');
    const codes = site.store.all(stored.where('code', '=', 'CONSENT_WITHOUT_PATIENT'));
    expect(codes).toHaveLength(1);
  });

  it.each<[string, object, string]>([
    ['and denies', { provision: denied }, 'denied'],
    ['and has no permit', { policyRule: { coding: [{ code: 'OPTIN' }] }, provision: undefined }, 'denied'],
    ['and denies by a modifier', { modifierExtension: [{}] }, 'denied'],
    ['and permits', {}, 'permit'],
    ['and denies no longer', { provision: denied, status: 'inactive' }, 'permit'],
  ])('without an id %s takes away what it denies, once', async (_, change, rule) => {
    const nameless = consent({ id: undefined, dateTime: '2024-05-05', ...change });
    expect(await take(consent({ id: 'c2' }), nameless)).toEqual(['2 MISSING_FIELD id']);
    expect(rules()).toEqual([rule]);
    const count = rowCount();
    await take(nameless);
    expect(rowCount()).toBe(count);
    const [subjectId = ''] = decisionsBySubject(site.store, consents().decisions('heart')).keys();
    consents().grant({ subjectId, researchStudyId: null, untilDate: null }, steward);
    expect(rules()).toEqual(['permit']);
  });
});

describe('a row of a table that is refused', () => {
  it.each([
    ['a deny beside another cell', '7,long ago,no,2024-01-01,', '2 BAD_DATE born', 'withdrawn'],
    ['a deny of a day that is none', '7,1950-01-01,no,spring,', '2 BAD_DATE at', 'withdrawn'],
    ['a deny until a day that is none', '7,1950-01-01,no,2024-01-01,spring', '2 BAD_DATE until', 'withdrawn'],
    ['an end beside another cell', '7,long ago,ended,2024-01-01,', '2 BAD_DATE born', 'withdrawn'],
    ['a permit beside another cell', '7,long ago,yes,2024-01-01,', '2 BAD_DATE born', 'permit'],
    ['what nobody can tell', '7,1950-01-01,revoked,2024-01-01,', '2 BAD_VALUE consent', 'no-consent'],
    ['what nobody can tell, of before', '7,1950-01-01,revoked,2019-01-01,', '2 BAD_VALUE consent', 'permit'],
    ['a deny of nobody', ',1950-01-01,no,2024-01-01,', '2 CONSENT_WITHOUT_PATIENT pid', 'permit'],
    ['a permit of nobody', ',1950-01-01,yes,2024-01-01,', '2 MISSING_FIELD pid', 'permit'],
  ])('keeps %s, if it takes something away', async (_, row, refusal, rule) => {
    await takeRow('7,1950-01-01,yes,2020-01-01,');
    expect(rules()).toEqual(['permit']);
    expect(refusalsOf(await takeRow(row), 'rows.csv')).toEqual([refusal]);
    expect(rules()).toEqual([rule]);
  });

  it.each<[string, string, string, string]>([
    ['a deny beside a cell in Latin-1', '7,M\xe4rz 1950,no,2024-01-01,', '2 NOT_UTF8', 'withdrawn'],
    ['a deny with a date in Latin-1', '7,1950-01-01,no,1. M\xe4rz,', '2 NOT_UTF8', 'withdrawn'],
    ['a word in Latin-1', '7,1950-01-01,zur\xfcckgezogen,2024-01-01,', '2 NOT_UTF8', 'no-consent'],
    ['a permit beside a cell in Latin-1', '7,M\xe4rz 1950,yes,2024-01-01,', '2 NOT_UTF8', 'permit'],
    [
      'a deny of somebody in Latin-1',
      '\xfc7,1950-01-01,no,2024-01-01,',
      '2 CONSENT_WITHOUT_PATIENT pid',
      'permit',
    ],
    ['a deny with a NUL in its date', '7,1950-01-01,no,2024\0,', '2 BAD_CHARACTER at', 'withdrawn'],
    ['a word with a NUL', '7,1950-01-01,n\0o,2024-01-01,', '2 BAD_CHARACTER consent', 'no-consent'],
  ])('keeps %s, which is no text, if it takes something away', async (_, row, refusal, rule) => {
    await takeRow('7,1950-01-01,yes,2020-01-01,');
    const bytes = Buffer.from(`pid,born,consent,at,until\n${row}\n`, 'latin1');
    expect(refusalsOf(await site.importFiles({ 'rows.csv': bytes }, mapping), 'rows.csv')).toEqual([refusal]);
    expect(rules()).toEqual([rule]);
  });

  it('keeps the consent of a row whose fact is not needed', async () => {
    const code = { system: 'http://loinc.org', code: '8480-6' };
    const value = { column: 'value', unit: 'mm[Hg]', values: {}, others: 'not-needed' };
    const fact = { as: 'measurement', code: { column: 'what', values: { bp: code } }, end: null, value };
    const own = { ...JSON.parse(mapping), indexDate: 'at', fact };
    const table = (row: string) => ({ 'rows.csv': `pid,born,consent,at,until,what,value\n${row}\n` });
    await site.importFiles(table('7,1950-01-01,yes,2020-01-01,,bp,120'), JSON.stringify(own));
    expect(rules()).toEqual(['permit']);
    await site.importFiles(table('7,1950-01-01,no,2024-01-01,,bp,see letter'), JSON.stringify(own));
    expect(rules()).toEqual(['withdrawn']);
  });

  it('is previewed as refused', () => {
    const head = Buffer.from('pid,born,consent,at,until\n7,long ago,no,2024-01-01,\n');
    expect(previewMapping({ head, isWhole: true, mapping, zone: openTimeZone('UTC') })).toMatchObject({
      accepted: 0,
      rejected: 1,
      rows: [{ refusal: { code: 'BAD_DATE', field: 'born' } }],
    });
  });
});

describe('a consent in an OMOP table', () => {
  const concepts = [
    'concept_id,concept_name,domain_id,vocabulary_id,concept_code',
    ...['1,,,CSL:heart,research-consent', '2,,,CSL:heart,permit', '3,,,CSL:heart,deny'],
    '4,,,CSL:heart,inactive',
  ].join('\n');
  const header =
    'observation_id,person_id,observation_concept_id,observation_date,value_as_number,value_as_string,value_as_concept_id,unit_concept_id,qualifier_concept_id';

  it.each<[string, string, string | null, string]>([
    ['a withdrawal', '9,7,1,2024-01-01,,,3,0,0', null, 'withdrawn'],
    ['a deny of a day that is none', '9,7,1,spring,,,3,0,0', '2 BAD_DATE observation_date', 'withdrawn'],
    [
      'a deny until a day that is none',
      '9,7,1,2024-01-01,,soon,3,0,0',
      '2 BAD_DATE value_as_string',
      'withdrawn',
    ],
    ['a deny without an id', ',7,1,2024-01-01,,,3,0,0', '2 MISSING_FIELD observation_id', 'denied'],
    [
      'a deny of an unknown status',
      '9,7,1,2024-01-01,,,3,0,99',
      '2 UNKNOWN_CONCEPT qualifier_concept_id',
      'withdrawn',
    ],
    [
      'an end until a day that is none',
      '9,7,1,2024-01-01,,soon,2,0,4',
      '2 BAD_DATE value_as_string',
      'withdrawn',
    ],
    [
      'what nobody can tell',
      '9,7,1,2024-01-01,,,99,0,0',
      '2 UNKNOWN_CONCEPT value_as_concept_id',
      'no-consent',
    ],
    [
      'a permit until a day that is none',
      '9,7,1,2024-01-01,,soon,2,0,0',
      '2 BAD_DATE value_as_string',
      'permit',
    ],
    ['a deny of nobody', '9,,1,2024-01-01,,,3,0,0', '2 CONSENT_WITHOUT_PATIENT person_id', 'permit'],
    ['a deny beside a cell in Latin-1', '9,7,1,2024-01-01,,bis M\xe4rz,3,0,0', '2 NOT_UTF8', 'withdrawn'],
  ])('keeps %s, if it takes something away', async (_, row, refusal, rule) => {
    const files = (line: string) => ({
      'CONCEPT.csv': concepts,
      'OBSERVATION.csv': Buffer.from(`${header}\n${line}\n`, 'latin1'),
    });
    await site.importFiles(files('9,7,1,2020-01-01,,,2,0,0'));
    expect(rules()).toEqual(['permit']);
    const summary = await site.importFiles(files(row));
    expect(refusalsOf(summary, 'OBSERVATION.csv')).toEqual(refusal === null ? [] : [refusal]);
    expect(rules()).toEqual([rule]);
  });
});

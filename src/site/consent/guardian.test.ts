import { afterEach, describe, expect, it } from 'vitest';
import { openSubjectRegistry } from '#site/deidentify/index.ts';
import { decisionsBySubject } from '#support/decisions-by-subject.ts';
import { ndjson, researchConsent } from '#support/fhir-resources.ts';
import { type IngestSite, openIngestSite, siteKeys, steward } from '#support/ingest-site.ts';
import { type ConsentTerms, openConsents, type SubjectDays } from './index.ts';

/** The day of the site's clock. */
const today = '2026-11-21';

let site: IngestSite | undefined;
afterEach(async () => {
  await site?.close();
  site = undefined;
});

const guardian = [{ reference: 'RelatedPerson/r1' }];
const own = [{ reference: 'Patient/p1' }];

function patient(birthDate: string | undefined, id = 'p1') {
  return {
    resourceType: 'Patient',
    id,
    identifier: [{ system: 'urn:ward', value: id.toUpperCase() }],
    ...(birthDate === undefined ? {} : { birthDate }),
  };
}

function consent(performer: readonly object[], change: object = {}) {
  return researchConsent({ performer, ...change });
}

const denied = { provision: { provision: [{ type: 'deny' }] } };

async function take(...resources: readonly object[]): Promise<IngestSite> {
  site ??= openIngestSite({ inMemory: true });
  await site.importFiles({ '1.ndjson': ndjson(...resources) });
  return site;
}

function open({ store, auditLog }: IngestSite, terms?: ConsentTerms) {
  const registry = openSubjectRegistry({ store, keys: siteKeys });
  const opened: string[] = [];
  const days: SubjectDays = {
    shiftDay: (subjectId, day) => registry.shiftDay(subjectId, day),
    birthDayOf: (subjectId) => {
      opened.push(subjectId);
      return registry.birthDayOf(subjectId);
    },
  };
  const consents = openConsents({ store, auditLog, days, termsOf: () => terms, ...siteKeys });
  const decisions = () => decisionsBySubject(store, consents.decisions('heart'));
  const rules = () => [...decisions().values()].map(({ rule }) => rule);
  return { consents, decisions, rules, opened };
}

describe(`a consent by a guardian, on ${today} (C7)`, () => {
  it.each<[string, string | undefined, object[], string]>([
    ['of a minor', '2012-03-04', [consent(guardian)], 'permit'],
    ['of somebody who comes of age tomorrow', '2008-11-22', [consent(guardian)], 'permit'],
    ['of somebody who comes of age today', '2008-11-21', [consent(guardian)], 'majority-reached'],
    ['of an adult', '1990-01-01', [consent(guardian)], 'majority-reached'],
    ['of somebody without a birth date', undefined, [consent(guardian)], 'majority-unknown'],
    ['of somebody of whom only the year is known', '2012', [consent(guardian)], 'majority-unknown'],
    ['of somebody who is not born yet', '2027-01-01', [consent(guardian)], 'majority-unknown'],
    ['that denies, of an adult', '1990-01-01', [consent(guardian, denied)], 'denied'],
    [
      'that an adult has renewed',
      '1990-01-01',
      [consent(guardian), consent(own, { id: 'c2', dateTime: '2021-01-01' })],
      'permit',
    ],
    ['that was by the patient after all', '1990-01-01', [consent(guardian), consent(own)], 'permit'],
    ['who is the patient: no guardian', '1990-01-01', [consent(own)], 'permit'],
  ])('%s', async (_, birthDate, consents, rule) => {
    for (const one of consents) await take(patient(birthDate), one);
    expect(open(await take()).rules()).toEqual([rule]);
  });

  it('ends at the age that the plan states', async () => {
    const minor = await take(patient('2009-11-22'), consent(guardian));
    expect(open(minor, { purposes: ['HRESCH'], ageOfMajority: 16 }).rules()).toEqual(['majority-reached']);
    expect(open(minor, { purposes: ['HRESCH'], ageOfMajority: 18 }).rules()).toEqual(['permit']);
  });

  it('is renewed by what a steward records for the patient', async () => {
    const { consents, decisions } = open(await take(patient('1990-01-01'), consent(guardian)));
    const [subjectId = ''] = decisions().keys();
    const subject = { subjectId, researchStudyId: null };
    expect(
      consents.list({ ...subject, decision: null, search: '', offset: 0, limit: 1 }, steward).rows[0]?.rule,
    ).toBe('majority-reached');
    expect(consents.grant({ ...subject, untilDate: null }, steward).rule).toBe('permit');
  });

  it('tells nobody the birth date by the day on which it ends', async () => {
    const { consents } = open(await take(patient('2012-03-04'), consent(guardian)));
    const query = { researchStudyId: null, decision: null, search: '', offset: 0, limit: 1 };
    expect(consents.list(query, steward).rows).toMatchObject([{ rule: 'permit', untilDate: null }]);
  });

  it('follows the patient into a merge, with the birth date that is known there', async () => {
    const other = {
      ...patient(undefined, 'p2'),
      link: [{ type: 'replaced-by', other: { reference: 'Patient/p1' } }],
    };
    const ofOther = consent(guardian, { patient: { reference: 'Patient/p2' } });
    const merged = await take(patient('2008-11-22'), patient(undefined, 'p2'), ofOther, other);
    expect(open(merged).rules()).toEqual(['permit']);
    await take(patient('2008-11-21'));
    expect(open(merged).rules()).toEqual(['majority-reached']);
  });

  it('is the only reason to open a sealed birth date', async () => {
    const ward = await take(
      patient('1990-01-01'),
      consent(own),
      patient('2012-03-04', 'p2'),
      consent(guardian, { id: 'c2', patient: { reference: 'Patient/p2' } }),
      patient('2012-03-05', 'p3'),
    );
    const { rules, opened } = open(ward);
    expect(rules()).toEqual(['permit', 'permit']);
    expect(opened).toHaveLength(1);
    expect(opened).toEqual([
      ward.subjects.findSubject({ authority: 'urn:ward', identifier: 'P2' })?.subjectId,
    ]);
  });
});

describe('a column of a table that says who gave a consent', () => {
  const givenBy = { column: 'by', values: { self: 'patient', mother: 'guardian' } };
  const mapping = (by: object | null) =>
    JSON.stringify({
      consilium: 'csv-mapping/1',
      patient: {
        identifier: 'pid',
        authority: 'https://ward.example/number',
        name: null,
        birthDate: 'born',
        sex: null,
      },
      ...{ indexDate: null, record: null, missing: [], facts: [] },
      consent: {
        researchStudyId: null,
        status: {
          column: 'consent',
          values: {
            yes: { status: 'active', decision: 'permit' },
            no: { status: 'active', decision: 'deny' },
          },
        },
        ...{ stated: null, from: null, until: null },
        ...(by === null ? {} : { givenBy: by }),
      },
    });

  it.each<[string, string, object | null, string[]]>([
    ['by a guardian of an adult', '7,1990-01-01,yes,mother', givenBy, ['majority-reached']],
    ['by a guardian of a minor', '7,2012-03-04,yes,mother', givenBy, ['permit']],
    ['by a guardian of somebody of unknown age', '7,,yes,mother', givenBy, ['majority-unknown']],
    ['by the patient', '7,1990-01-01,yes,self', givenBy, ['permit']],
    ['by nobody that is stated', '7,1990-01-01,yes,', givenBy, ['permit']],
    ['in a table without the column mapped', '7,1990-01-01,yes,mother', null, ['permit']],
    ['by somebody whom the mapping does not name', '7,1990-01-01,yes,aunt', givenBy, []],
    ['a refusal by somebody whom the mapping does not name', '7,1990-01-01,no,aunt', givenBy, ['denied']],
  ])('%s', async (_, row, by, expected) => {
    site = openIngestSite({ inMemory: true });
    await site.importFiles({ 'rows.csv': `pid,born,consent,by\n${row}\n` }, mapping(by));
    expect(open(site).rules()).toEqual(expected);
  });
});

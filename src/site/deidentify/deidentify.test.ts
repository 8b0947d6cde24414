import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ageInYears,
  dateOffsetDays,
  derivePseudonym,
  formatDay,
  openPatientDirectory,
  openSubjectRegistry,
  type PatientRecord,
  parseDay,
  patientOf,
  type Subject,
  searchPatients,
  subjectIdOf,
} from '#site/deidentify/index.ts';
import { openStore } from '#site/store/index.ts';
import { encodeBase32 } from './subject-id.ts';

const keys = { subjectKey: new Uint8Array(32).fill(1), linkageKey: new Uint8Array(32).fill(2) };
const otherKey = new Uint8Array(32).fill(9);
const mrn = { authority: 'https://hospital.example/mrn', identifier: '00123' };
const alias = { authority: 'urn:example:Patient.id', identifier: 'p-1' };

function open() {
  const store = openStore({ file: ':memory:', key: new Uint8Array(32), clock: { nowMs: () => 0 } });
  return { store, registry: openSubjectRegistry({ store, keys }) };
}

function patient(change: Partial<PatientRecord> = {}): PatientRecord {
  return {
    key: mrn,
    aliases: [alias],
    otherIdentifiers: [],
    name: 'Ödön Példa',
    birthDate: '1950-02-28',
    sex: 'male',
    ...change,
  };
}

describe('a pseudonym', () => {
  it.each([
    ['', ''],
    ['f', 'my'],
    ['fo', 'mzxq'],
    ['foo', 'mzxw6'],
    ['foob', 'mzxw6yq'],
    ['fooba', 'mzxw6ytb'],
    ['foobar', 'mzxw6ytboi'],
  ])('spells %j as RFC 4648 section 10 does, in lower case and without padding', (text, expected) => {
    expect(encodeBase32(new TextEncoder().encode(text))).toBe(expected);
  });

  it('is 26 characters, the same for the same patient and another under another key', () => {
    const id = subjectIdOf(keys.subjectKey, mrn);
    expect(id).toMatch(/^[a-z2-7]{26}$/);
    expect(subjectIdOf(keys.subjectKey, { ...mrn, identifier: ' 00 123\u00a0' })).toBe(id);
    expect(subjectIdOf(otherKey, mrn)).not.toBe(id);
    expect(subjectIdOf(keys.subjectKey, { ...mrn, identifier: '123' })).not.toBe(id);
    expect(subjectIdOf(keys.subjectKey, { ...mrn, authority: 'https://other.example/mrn' })).not.toBe(id);
  });

  it('cannot be made equal for two patients by moving text between authority and identifier', () => {
    expect(() => subjectIdOf(keys.subjectKey, { authority: 'a\0b', identifier: 'c' })).toThrow(
      expect.objectContaining({ code: 'BAD_IDENTIFIER' }),
    );
    expect(() => derivePseudonym(keys.subjectKey, ['pid', ''])).toThrow(
      expect.objectContaining({ code: 'BAD_IDENTIFIER' }),
    );
  });
});

describe('days and ages', () => {
  it.each([
    '1985-02-30',
    '1985-13-01',
    '85-01-01',
    '1985-1-1',
    '1985-02-29',
    '0000-01-01',
    '1985-01-01T00:00',
    '',
  ])('refuse %j', (text) => expect(parseDay(text)).toBeUndefined());

  it('read and write every day of the calendar', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_000, max: 84_000 }), (day) => {
        expect(parseDay(formatDay(day))).toBe(day);
      }),
    );
  });

  it.each([
    ['1950-02-28', '1990-02-27', 39],
    ['1950-02-28', '1990-02-28', 40],
    ['1952-02-29', '1991-02-28', 38],
    ['1952-02-29', '1991-03-01', 39],
    ['1900-01-01', '1989-12-31', 89],
    ['1900-01-01', '1990-01-01', 90],
    ['1880-01-01', '1990-01-01', 90],
    ['1990-01-02', '1990-01-01', null],
    ['1990-01-01', '1990-01-01', 0],
  ])('born %s is on %s of age %s', (birth, on, age) => {
    expect(ageInYears(parseDay(birth) ?? 0, parseDay(on) ?? 0)).toBe(age);
  });

  it('move by 1 to 365 days to either side, never by none, and use the whole range', () => {
    const seen = new Set<number>();
    for (let index = 0; index < 20_000; index += 1)
      seen.add(dateOffsetDays(keys.subjectKey, `subject${index}`));
    expect(Math.min(...seen)).toBe(-365);
    expect(Math.max(...seen)).toBe(365);
    expect(seen.has(0)).toBe(false);
    expect(seen.size).toBe(730);
  });
});

describe('the subject registry', () => {
  it('seals identifier, name and birth date, and opens them for people who may see names', () => {
    const { store, registry } = open();
    const {
      subject: { subjectId },
      change,
    } = registry.recordPatient(patient());
    expect(change).toBe('added');
    expect(patientOf(store, keys.linkageKey, subjectId)).toEqual({
      subjectId,
      ...mrn,
      name: 'Ödön Példa',
      birthDate: '1950-02-28',
    });
    expect(searchPatients(store, keys.linkageKey, 'PÉLDA').map((found) => found.subjectId)).toEqual([
      subjectId,
    ]);
    expect(searchPatients(store, keys.linkageKey, '0012').map((found) => found.subjectId)).toEqual([
      subjectId,
    ]);
    expect(searchPatients(store, keys.linkageKey, 'nobody')).toEqual([]);
    expect(openPatientDirectory(store, keys.linkageKey).nameOf(subjectId)).toBe('Ödön Példa');
    expect(() => patientOf(store, otherKey, subjectId)).toThrow(
      expect.objectContaining({ code: 'LINK_UNREADABLE' }),
    );
    const links = store.all(store.query.selectFrom('patient_link').selectAll());
    for (const { sealed, link_key } of links) {
      for (const secret of ['Példa', '00123', '1950-02-28']) {
        expect(Buffer.concat([sealed, link_key]).includes(secret)).toBe(false);
      }
    }
  });

  it('does not open a sealed link that was moved to another row', () => {
    const { store, registry } = open();
    registry.recordPatient(patient({ aliases: [] }));
    const {
      subject: { subjectId, subjectNo },
    } = registry.recordPatient(patient({ key: { ...mrn, identifier: '2' }, aliases: [], name: 'Another' }));
    const first = store.all(
      store.query.selectFrom('patient_link').selectAll().where('subject_no', '!=', subjectNo),
    )[0];
    store.run(
      store.query
        .updateTable('patient_link')
        .set({ sealed: first?.sealed ?? new Uint8Array() })
        .where('subject_no', '=', subjectNo),
    );
    expect(() => patientOf(store, keys.linkageKey, subjectId)).toThrow(
      expect.objectContaining({ code: 'LINK_UNREADABLE' }),
    );
  });

  it('knows a patient again, keeps what a later record leaves out and takes what it corrects', () => {
    const { store, registry } = open();
    const {
      subject: { subjectId },
    } = registry.recordPatient(patient());
    expect(registry.recordPatient(patient()).change).toBe('known');
    expect(registry.recordPatient(patient({ name: null, birthDate: null, sex: null })).change).toBe('known');
    expect(registry.recordPatient(patient({ birthDate: '1951-02-28' })).change).toBe('changed');
    expect(patientOf(store, keys.linkageKey, subjectId)).toMatchObject({
      name: 'Ödön Példa',
      birthDate: '1951-02-28',
    });
  });

  it('refuses to join two patients under one resource id', () => {
    const { registry } = open();
    registry.recordPatient(patient());
    expect(
      registry.recordPatient(patient({ key: { ...mrn, identifier: '77' }, name: 'Someone Else' })).change,
    ).toBe('conflict');
    expect(registry.findSubject({ ...mrn, identifier: '77' })).toBeUndefined();
  });

  it('gives records that came before their patient to the patient, with the days and ages they would have had', () => {
    const insert = (
      { store, registry }: ReturnType<typeof open>,
      { subjectId, subjectNo }: Subject,
    ): void => {
      store.run(store.query.insertInto('concept').values({ kind: 'measurement', system: 's', code: 'c' }));
      store.run(
        store.query.insertInto('fact').values({
          fact_id: 1,
          record_key: 1,
          record_check: 0,
          subject_no: subjectNo,
          concept_id: 1,
          number: 1,
          value_id: null,
          day: registry.shiftDay(subjectId, parseDay('1990-06-01') ?? 0),
          second: null,
          end_day: null,
          outcome_id: null,
          row: null,
        }),
      );
    };
    const early = open();
    const provisional = early.registry.recordSubject(alias);
    expect(provisional.isNew).toBe(true);
    insert(early, provisional.subject);
    const { subject } = early.registry.recordPatient(patient());
    expect(subject.subjectId).not.toBe(provisional.subject.subjectId);
    expect(early.registry.recordSubject(alias)).toEqual({ subject, isNew: false });
    const late = open();
    insert(late, late.registry.recordPatient(patient()).subject);
    const facts = ({ store }: ReturnType<typeof open>) =>
      store.all(store.query.selectFrom('subject_fact').selectAll());
    expect(facts(early)).toEqual(facts(late));
    const age = () => early.registry.ageOn(subject.subjectId, facts(early)[0]?.day ?? 0);
    expect(age()).toBe(40);
    // A day of birth that turns out to be known only as a year takes the age with it.
    early.registry.recordPatient(patient({ birthDate: '1950' }));
    expect(age()).toBeNull();
  });

  it('takes two identities for one person after their merge, whichever a record names, and the merges of each before', () => {
    const { store, registry } = open();
    const [first, second, third] = ['A', 'B', 'C'].map((identifier) => ({ ...mrn, identifier })) as [
      typeof mrn,
      typeof mrn,
      typeof mrn,
    ];
    const { subject } = registry.recordPatient(patient({ key: second, aliases: [], name: null, sex: null }));
    registry.recordPatient(patient({ key: first, aliases: [], birthDate: null }));
    expect(registry.mergePatients(first, third)).toBe(true);
    expect(registry.mergePatients(second, first)).toBe(true);
    expect(registry.mergePatients(third, second)).toBe(false);
    for (const key of [first, second, third]) expect(registry.findSubject(key)).toEqual(subject);
    expect(registry.recordPatient(patient({ key: first, aliases: [] })).subject).toEqual(subject);
    expect(patientOf(store, keys.linkageKey, subject.subjectId)?.name).toBe('Ödön Példa');
    const days = store.all(store.query.selectFrom('subject').selectAll());
    for (const { subject_id, days_moved } of days) {
      expect(registry.shiftDay(subject_id, days_moved)).toBe(registry.shiftDay(subject.subjectId, 0));
    }
    expect(days.find(({ subject_id }) => subject_id === subject.subjectId)?.sex).toBe('male');
  });
});

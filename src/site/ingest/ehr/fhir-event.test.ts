import { describe, expect, it } from 'vitest';
import { tellRow } from '#support/read-file.ts';
import type { ReadRow } from '../clinical-record.ts';
import { openTimeZone } from '../time-zone.ts';
import { BundleReader } from './fhir-bundle-reader.ts';
import { FhirMedications } from './fhir-medications.ts';
import { NdjsonReader } from './fhir-ndjson-reader.ts';

const zone = openTimeZone('Europe/Berlin');
const snomed = 'http://snomed.info/sct';
const concept = (code: string, system = snomed) => ({ coding: [{ system, code }] });
const subject = { reference: 'Patient/p1' };

function readAll(reader: BundleReader | NdjsonReader, text: string): ReadRow[] {
  return [...reader.write(Buffer.from(text)), ...reader.end()];
}
const readLines = (...resources: object[]): ReadRow[] =>
  readAll(
    new NdjsonReader(zone, new FhirMedications()),
    resources.map((resource) => JSON.stringify(resource)).join('\n'),
  );
const readBundle = (entry: object[], type = 'transaction'): ReadRow[] =>
  readAll(new BundleReader(zone), JSON.stringify({ resourceType: 'Bundle', type, entry }));

const encounter = {
  resourceType: 'Encounter',
  id: 'e1',
  status: 'finished',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
  type: [concept('185347001')],
  subject,
  period: { start: '2020-01-15T23:30:00Z', end: '2020-01-17T10:00:00Z' },
};
const condition = {
  resourceType: 'Condition',
  id: 'c1',
  verificationStatus: { coding: [{ code: 'confirmed' }] },
  code: concept('44054006'),
  subject,
  onsetDateTime: '2019-03-04',
  abatementDateTime: '2020-01-01',
  recordedDate: '2019-05-05',
};
const procedure = {
  resourceType: 'Procedure',
  id: 'x1',
  status: 'completed',
  code: concept('80146002'),
  subject,
  performedPeriod: { start: '2020-02-03T08:00:00+01:00', end: '2020-02-03T09:00:00+01:00' },
};
const immunization = {
  resourceType: 'Immunization',
  id: 'i1',
  status: 'completed',
  vaccineCode: concept('140', 'http://hl7.org/fhir/sid/cvx'),
  patient: subject,
  occurrenceDateTime: '2020-10-01',
};
const rxNorm = 'http://www.nlm.nih.gov/research/umls/rxnorm';
const request = {
  resourceType: 'MedicationRequest',
  id: 'm1',
  status: 'active',
  intent: 'order',
  medicationCodeableConcept: concept('314076', rxNorm),
  subject,
  authoredOn: '2020-03-01',
};
const statement = {
  ...{ resourceType: 'MedicationStatement', id: 's1', status: 'active', subject },
  medicationCodeableConcept: concept('314076', rxNorm),
  effectivePeriod: { start: '2020-03-01', end: '2020-03-09' },
};
const administration = { ...statement, resourceType: 'MedicationAdministration', status: 'completed' };
const dispense = {
  ...{ resourceType: 'MedicationDispense', id: 'd1', status: 'completed', subject },
  medicationCodeableConcept: concept('314076', rxNorm),
  whenHandedOver: '2020-03-02',
};

describe('a resource', () => {
  it.each<[string, object, string]>([
    ['an encounter', encounter, 'encounter AMB 185347001 2020-01-16 1800 2020-01-17'],
    [
      'an encounter without a class',
      { ...encounter, class: undefined },
      'encounter 185347001 - 2020-01-16 1800 2020-01-17',
    ],
    [
      'an encounter without a type',
      { ...encounter, type: undefined },
      'encounter AMB - 2020-01-16 1800 2020-01-17',
    ],
    [
      'an encounter that lasts',
      { ...encounter, period: { start: '2020-01-15' } },
      'encounter AMB 185347001 2020-01-15 - -',
    ],
    ['an encounter without a period', { ...encounter, period: undefined }, 'MISSING_FIELD period'],
    ['a cancelled encounter', { ...encounter, status: 'cancelled' }, 'no fact'],
    ['a planned encounter', { ...encounter, status: 'planned' }, 'STATUS_NOT_TAKEN status'],
    ['a condition', condition, 'condition 44054006 - 2019-03-04 - 2020-01-01'],
    [
      'a condition of no known onset',
      { ...condition, onsetDateTime: undefined },
      'condition 44054006 - 2019-05-05 - 2020-01-01',
    ],
    [
      'a condition without a day',
      { ...condition, onsetDateTime: undefined, recordedDate: undefined },
      'MISSING_FIELD onset',
    ],
    [
      'a condition that ended before it began',
      { ...condition, abatementDateTime: '2018-01-01' },
      'condition 44054006 - 2019-03-04 - -',
    ],
    [
      'a refuted condition',
      { ...condition, verificationStatus: { coding: [{ code: 'refuted' }] } },
      'no fact',
    ],
    [
      'a condition entered in error',
      { ...condition, verificationStatus: { coding: [{ code: 'entered-in-error' }] } },
      'no fact',
    ],
    [
      'a suspected condition',
      { ...condition, verificationStatus: { coding: [{ code: 'provisional' }] } },
      'STATUS_NOT_TAKEN verificationStatus',
    ],
    [
      'a condition of no stated verification',
      { ...condition, verificationStatus: undefined },
      'condition 44054006 - 2019-03-04 - 2020-01-01',
    ],
    ['a condition without a code', { ...condition, code: { text: 'Diabetes' } }, 'MISSING_FIELD code'],
    ['a procedure', procedure, 'procedure 80146002 - 2020-02-03 28800 2020-02-03'],
    ['a procedure that was not done', { ...procedure, status: 'not-done' }, 'no fact'],
    ['a prepared procedure', { ...procedure, status: 'preparation' }, 'STATUS_NOT_TAKEN status'],
    ['a vaccination', immunization, 'medication 140 - 2020-10-01 - -'],
    ['a vaccination that was not given', { ...immunization, status: 'not-done' }, 'no fact'],
    [
      'a vaccination some day',
      { ...immunization, occurrenceDateTime: undefined, occurrenceString: 'as a child' },
      'MISSING_FIELD occurrence',
    ],
    ['an order', request, 'medication 314076 - 2020-03-01 - -'],
    ['a proposal', { ...request, intent: 'proposal' }, 'STATUS_NOT_TAKEN status'],
    ['an order not to give', { ...request, doNotPerform: true }, 'no fact'],
    ['a draft of an order', { ...request, status: 'draft' }, 'STATUS_NOT_TAKEN status'],
    ['a medication that is taken', statement, 'medication 314076 - 2020-03-01 - 2020-03-09'],
    ['a medication that is not taken', { ...statement, status: 'not-taken' }, 'no fact'],
    ['a medication that was given', administration, 'medication 314076 - 2020-03-01 - 2020-03-09'],
    ['a medication handed out', dispense, 'medication 314076 - 2020-03-02 - -'],
    [
      'a modifier that is not understood',
      { ...procedure, modifierExtension: [{ url: 'x' }] },
      'UNSUPPORTED_VALUE modifierExtension',
    ],
    ['no subject', { ...procedure, subject: undefined }, 'MISSING_FIELD subject'],
    ['no patient', { ...immunization, patient: undefined }, 'MISSING_FIELD patient'],
    [
      'a number for a date',
      { ...procedure, performedDateTime: 2020 },
      'MALFORMED_RESOURCE performedDateTime',
    ],
    ['a report', { resourceType: 'DiagnosticReport', id: 'r1', status: 'final' }, 'not-needed'],
    ['a claim', { resourceType: 'Claim', id: 'k1' }, 'not-needed'],
    ['no type of FHIR', { resourceType: 'Diagnosis', id: 'k1' }, 'UNSUPPORTED_RESOURCE resourceType'],
    [
      'the name of something every object has',
      { resourceType: 'constructor', id: 'k1' },
      'UNSUPPORTED_RESOURCE resourceType',
    ],
  ])('that is %s is read as such', (_, resource, expected) => {
    expect(tellRow(readLines(resource)[0])).toBe(expected);
  });

  it('in several codings has the code of the preferred system, whatever their order', () => {
    const codings = [
      { system: 'http://hl7.org/fhir/sid/icd-10', code: 'E11' },
      { system: 'https://hospital.example/codes', code: 'DM2' },
      { system: snomed, code: '44054006' },
      { system: snomed },
    ];
    for (const coding of [codings, [...codings].reverse()])
      expect(tellRow(readLines({ ...condition, code: { coding } })[0])).toContain('condition 44054006');
    const [icd, own] = codings;
    expect(tellRow(readLines({ ...condition, code: { coding: [own, icd] } })[0])).toContain('condition E11');
  });

  it('says that a patient died, or that another patient resource replaces it', () => {
    const patient = { resourceType: 'Patient', id: 'p1', birthDate: '1950-01-01' };
    expect(tellRow(readLines({ ...patient, deceasedDateTime: '2020-05-06T23:30:00Z' })[0])).toBe(
      'condition 419099009 - 2020-05-07 5400 -',
    );
    expect(tellRow(readLines({ ...patient, deceasedBoolean: true })[0])).toBe('patient');
    const link = [{ other: { reference: 'Patient/p2' }, type: 'replaced-by' }];
    expect(tellRow(readLines({ ...patient, link })[0])).toBe('merge p1 into p2');
    expect(tellRow(readLines({ ...patient, link: [{ ...link[0], type: 'seealso' }] })[0])).toBe('patient');
    expect(tellRow(readLines({ ...patient, link: [{ type: 'replaced-by', other: {} }] })[0])).toBe(
      'MISSING_FIELD link.other',
    );
  });
});

describe('an observation', () => {
  const observation = {
    ...{ resourceType: 'Observation', id: 'o1', status: 'final', subject, effectiveDateTime: '2020-01-02' },
    code: concept('85354-9', 'http://loinc.org'),
  };
  const quantity = { value: 120, system: 'http://unitsofmeasure.org', code: 'mm[Hg]' };
  const part = (code: string, value: object) => ({ code: concept(code, 'http://loinc.org'), ...value });
  it.each<[string, object, string]>([
    [
      'a value and its components',
      { component: [part('8480-6', { valueQuantity: quantity }), part('8462-4', { valueInteger: 7 })] },
      'measurement 8480-6 120 mm[Hg] 2020-01-02 - -, measurement 8462-4 7 1 2020-01-02 - -',
    ],
    ['a reason for no value', { dataAbsentReason: concept('unknown') }, 'no fact'],
    [
      'components that all say why',
      { component: [part('1-8', { dataAbsentReason: concept('masked') })] },
      'no fact',
    ],
    ['members only', { hasMember: [{ reference: 'Observation/o2' }] }, 'no fact'],
    ['nothing', {}, 'MISSING_FIELD value'],
    ['free text', { valueString: 'normal' }, 'UNSUPPORTED_VALUE value'],
    [
      'free text among its answers',
      { component: [part('56799-0', { valueString: '1 Main Street' }), part('1-8', { valueBoolean: true })] },
      'measurement 1-8 1 null 2020-01-02 - -',
    ],
    [
      'nothing but free text',
      { component: [part('1-8', { valueString: 'x' })] },
      'UNSUPPORTED_VALUE component.value',
    ],
    ['an error for a status', { status: 'entered-in-error', valueQuantity: quantity }, 'no fact'],
  ])('with %s is read as such', (_, change, expected) => {
    expect(tellRow(readLines({ ...observation, ...change })[0])).toBe(expected);
  });
});

describe('a bundle', () => {
  const medication = { resourceType: 'Medication', id: 'med1', code: concept('1191', rxNorm) };
  const referring = (reference: string, contained?: object[]) => ({
    ...request,
    medicationCodeableConcept: undefined,
    medicationReference: { reference },
    contained,
  });

  it('resolves its own medications, by URL, by id, and contained ones', () => {
    const url = 'urn:uuid:6f1d4a51-0d5a-4c1e-9e32-8f3a7c000001';
    const rows = readBundle([
      { fullUrl: url, resource: medication },
      { resource: referring(url) },
      { resource: referring('Medication/med1') },
      { resource: referring('#own', [{ ...medication, id: 'own' }]) },
      { resource: referring('Medication/other') },
      { resource: referring('#other', [{ ...medication, id: 'own' }]) },
    ]);
    expect(rows.map(tellRow)).toEqual([
      'not-needed',
      ...Array(3).fill('medication 1191 - 2020-03-01 - -'),
      ...Array(2).fill('UNRESOLVED_REFERENCE medication'),
    ]);
  });

  it('leaves medications in a file of their own to the files after it', () => {
    const medications = new FhirMedications();
    const lines = (...resources: object[]) =>
      readAll(new NdjsonReader(zone, medications), resources.map((each) => JSON.stringify(each)).join('\n'));
    expect(lines(medication).map(tellRow)).toEqual(['not-needed']);
    expect(lines(referring('Medication/med1'), referring('Medication/med2')).map(tellRow)).toEqual([
      'medication 1191 - 2020-03-01 - -',
      'UNRESOLVED_REFERENCE medication',
    ]);
  });

  it('asks for deletions by name, of what is read', () => {
    const remove = (url: unknown) => ({ request: { method: 'DELETE', url } });
    expect(
      readBundle([
        remove('Observation/o1'),
        remove('https://fhir.example/r4/Condition/c1'),
        remove('Claim/k1'),
        remove('Observation?status=final'),
        remove('Nothing/1'),
        remove('../../etc'),
        remove(17),
        { request: { method: 'GET', url: 'Patient/p1' } },
        { request: { method: 'PATCH', url: 'Patient/p1' }, resource: { resourceType: 'Binary', id: 'b' } },
      ]).map(tellRow),
    ).toEqual([
      'deletion fhir Observation o1',
      'deletion fhir Condition c1',
      'not-needed',
      ...Array(4).fill('UNSUPPORTED_REQUEST request.url'),
      ...Array(2).fill('UNSUPPORTED_REQUEST request.method'),
    ]);
  });

  it('of a search has what was found, what was included, and what the search says of itself', () => {
    const rows = readBundle(
      [
        { resource: procedure, search: { mode: 'match' } },
        { resource: { resourceType: 'Patient', id: 'p1' }, search: { mode: 'include' } },
        { resource: { resourceType: 'OperationOutcome' }, search: { mode: 'outcome' } },
      ],
      'searchset',
    );
    expect(rows.map((row) => ['row' in row ? row.row : 0, tellRow(row)])).toEqual([
      [2, 'patient'],
      [1, 'procedure 80146002 - 2020-02-03 28800 2020-02-03'],
      [3, 'not-needed'],
    ]);
  });

  it.each(['history', 'transaction-response', 'batch-response', 'message', 'document', 'toString'])(
    'of type %s is refused as a whole',
    (type) => {
      expect(readBundle([{ resource: procedure }], type)).toEqual([
        { kind: 'file-refused', code: 'UNSUPPORTED_BUNDLE', field: 'type' },
      ]);
    },
  );

  it('on a line of NDJSON has a row for each deletion, of the line’s number', () => {
    const entry = ['Observation/o1', 'Patient/p1'].map((url) => ({ request: { method: 'DELETE', url } }));
    const rows = readLines(procedure, { resourceType: 'Bundle', type: 'transaction', entry });
    expect(rows.map((row) => ['row' in row ? row.row : 0, tellRow(row)])).toEqual([
      [1, 'procedure 80146002 - 2020-02-03 28800 2020-02-03'],
      [2, 'deletion fhir Observation o1'],
      [2, 'deletion fhir Patient p1'],
    ]);
    expect(tellRow(readLines({ resourceType: 'Bundle', type: 'history', entry: [] })[0])).toBe(
      'UNSUPPORTED_RESOURCE type',
    );
  });

  it('is one resource where the file holds only that', () => {
    expect(tellRow(readAll(new BundleReader(zone), JSON.stringify(procedure, null, 2))[0])).toBe(
      'procedure 80146002 - 2020-02-03 28800 2020-02-03',
    );
  });
});

import { describe, expect, it } from 'vitest';
import { parseDay } from '#site/deidentify/index.ts';
import { RowRefusal } from '../clinical-record.ts';
import { openTimeZone } from '../time-zone.ts';
import { readConsent, researchStudySystem } from './fhir-consent.ts';
import type { ResourceContext } from './fhir-context.ts';
import { FhirMedications } from './fhir-medications.ts';

const actor = (value: string, system = researchStudySystem) => [
  { reference: { identifier: { system, value } } },
];
const period = { start: '2001-01-01', end: '2005-12-31' };
const research = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'HRESCH' }];
const permit = { type: 'permit', period, purpose: research, actor: actor('heart-disease') };
const permitting = { provision: { provision: [permit] } };
const policy = (code: string) => ({ coding: [{ code }] });

const context: ResourceContext = {
  zone: openTimeZone('UTC'),
  fallbackId: null,
  patients: new Map(),
  medications: new FhirMedications(),
};

function read(change: object) {
  const resource = {
    resourceType: 'Consent',
    id: 'c1',
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'research' }] },
    patient: { reference: 'Patient/p1' },
    dateTime: '2001-02-03T10:00:00Z',
    policyRule: policy('OPTIN'),
    ...change,
  };
  const [consent] = readConsent(resource, context).consents;
  return consent;
}

describe('a FHIR consent', () => {
  it('permits by a nested rule for its research study and period (C3)', () => {
    expect(read({ provision: { provision: [permit] } })).toMatchObject({
      decision: 'permit',
      status: 'active',
      researchStudyId: 'heart-disease',
      fromDay: parseDay('2001-01-01'),
      untilDay: parseDay('2005-12-31'),
      statedDay: parseDay('2001-02-03'),
    });
  });

  it('holds no longer than the rule around it', () => {
    const provision = { period: { start: '2002-01-01', end: '2003-12-31' }, provision: [permit] };
    expect(read({ provision })).toMatchObject({
      decision: 'permit',
      fromDay: parseDay('2002-01-01'),
      untilDay: parseDay('2003-12-31'),
    });
  });

  it('permits research in general where it names nobody', () => {
    expect(read({ provision: { provision: [{ type: 'permit' }] } })).toMatchObject({
      decision: 'permit',
      researchStudyId: null,
    });
  });

  it('keeps the research study that the rule around it names', () => {
    const provision = { actor: actor('heart-disease'), provision: [{ type: 'permit' }] };
    expect(read({ provision })).toMatchObject({ decision: 'permit', researchStudyId: 'heart-disease' });
  });

  it('keeps the rules as a tree, with real days and codes as the source has them', () => {
    const imaging = { system: 'http://hl7.org/fhir/resource-types', code: 'ImagingStudy' };
    const deny = { type: 'deny', class: [imaging], dataPeriod: { end: '2000-01-01' } };
    const provision = read({ provision: { provision: [{ ...permit, provision: [deny] }] } })?.provision;
    expect(provision).toMatchObject({
      base: 'deny',
      root: {
        type: null,
        notUnderstood: false,
        children: [{ type: 'permit', fromDay: parseDay('2001-01-01') }],
      },
    });
    expect(provision?.root.children[0]).toMatchObject({
      purposes: ['http://terminology.hl7.org/CodeSystem/v3-ActReason|HRESCH'],
      actors: [{ role: null, reference: `${researchStudySystem}|heart-disease` }],
    });
    expect(provision?.root.children[0]?.children).toMatchObject([
      {
        type: 'deny',
        classes: ['http://hl7.org/fhir/resource-types|ImagingStudy'],
        dataUntilDay: parseDay('2000-01-01'),
      },
    ]);
  });

  it.each<[string, object]>([
    ['an element that the standard has not', { ...permit, strange: true }],
    ['an instance filter', { ...permit, data: [{}] }],
    ['a class without a code', { ...permit, class: [{}] }],
    ['no type', { ...permit, type: undefined }],
    ['a type that is none', { ...permit, type: 'maybe' }],
    ['a period of another form', { ...permit, period: 'always' }],
  ])('marks a rule with %s as not understood', (_, rule) => {
    const provision = read({ provision: { provision: [rule] } })?.provision;
    expect(provision?.root.children[0]?.notUnderstood).toBe(true);
  });

  it.each<[string, object]>([
    ['on the whole', { modifierExtension: [{}], provision: { provision: [permit] } }],
    ['on a rule', { provision: { provision: [{ ...permit, modifierExtension: [{}] }] } }],
    ['on an actor', { provision: { provision: [{ ...permit, actor: [{ modifierExtension: [{}] }] }] } }],
    ['on its policy', { policy: [{ uri: 'urn:x', modifierExtension: [{}] }], ...permitting }],
    ['on a verification', { verification: [{ verified: true, modifierExtension: [{}] }], ...permitting }],
    ['on who agreed', { performer: [{ identifier: { modifierExtension: [{}] } }], ...permitting }],
    ['by rules that it was written under', { implicitRules: 'urn:rules', ...permitting }],
  ])('denies everything with a modifier %s', (_, change) => {
    expect(read(change)?.provision).toMatchObject({ base: 'deny', root: { type: 'deny', children: [] } });
  });

  it('denies everything with more rules than any form has', () => {
    const provision = { provision: Array.from({ length: 1001 }, () => permit) };
    expect(read({ provision })?.provision).toMatchObject({ root: { type: 'deny', children: [] } });
  });

  it('names no research study where it has several permits', () => {
    const provision = { provision: [permit, { ...permit, actor: actor('lungs') }] };
    expect(read({ provision })).toMatchObject({ decision: 'permit', researchStudyId: null });
  });

  it('that is no longer active is taken although it has several permits: it may end one that is known', () => {
    const provision = { provision: [permit, { ...permit, actor: actor('lungs') }] };
    expect(read({ status: 'inactive', provision })).toMatchObject({ status: 'inactive', decision: 'permit' });
  });

  it.each<[string, boolean, object[]]>([
    ['nobody who is named', false, []],
    ['the patient', false, [{ reference: 'Patient/p1' }]],
    ['the patient at a full address', false, [{ reference: 'https://ward.example/fhir/Patient/p1' }]],
    ['the patient and who took it', false, [{ reference: 'Practitioner/7' }, { reference: 'Patient/p1' }]],
    [
      'the patient and an organization by its identifier',
      false,
      [{ reference: 'Patient/p1' }, { type: 'Organization', identifier: { value: '1' } }],
    ],
    ['a related person', true, [{ reference: 'RelatedPerson/r1' }]],
    [
      'the patient and a related person',
      true,
      [{ reference: 'Patient/p1' }, { reference: 'RelatedPerson/r1' }],
    ],
    ['another patient', true, [{ reference: 'Patient/p2' }]],
    ['the patient and another one', true, [{ reference: 'Patient/p1' }, { reference: 'Patient/p2' }]],
    ['a professional alone', true, [{ reference: 'Practitioner/7' }]],
    ['somebody who cannot be found', true, [{ reference: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0' }]],
    ['somebody by name only', true, [{ display: 'Ada Example' }]],
  ])('by %s is by a guardian: %s (C7)', (_, isByGuardian, performer) => {
    expect(read({ provision: { provision: [permit] }, performer })?.isByGuardian).toBe(isByGuardian);
  });

  it.each(['draft', 'proposed', 'rejected', 'inactive', 'entered-in-error'])(
    'keeps its status %s for the evaluation',
    (status) => {
      expect(read({ status, provision: { provision: [permit] } })?.status).toBe(status);
    },
  );

  it.each<[string, object, string, string]>([
    ['for treatment', { scope: { coding: [{ code: 'treatment' }] } }, 'UNSUPPORTED_CONSENT', 'scope'],
    ['without a scope', { scope: undefined }, 'UNSUPPORTED_CONSENT', 'scope'],
    ['of a time that is none', { dateTime: '2001-02-03T99:99 Otto' }, 'BAD_DATE', 'dateTime'],
    ['of a status that is none', { status: 'granted' }, 'BAD_VALUE', 'status'],
    ['without a patient', { patient: undefined }, 'MISSING_FIELD', 'patient'],
    ['of a day that is none', { dateTime: '2001-02-31' }, 'BAD_DATE', 'dateTime'],
    [
      'with an end that is none',
      { provision: { provision: [{ ...permit, period: { end: 'never' } }] } },
      'BAD_DATE',
      'provision.period.end',
    ],
  ])('%s is refused', (_, change, code, field) => {
    let refusal: unknown;
    try {
      read(change);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(RowRefusal);
    expect(refusal).toMatchObject({ code, field });
  });
});

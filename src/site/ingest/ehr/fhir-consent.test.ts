import { describe, expect, it } from 'vitest';
import { parseDay } from '#site/deidentify/index.ts';
import { RowRefusal } from '../clinical-record.ts';
import { openTimeZone } from '../time-zone.ts';
import { readConsent, researchStudySystem } from './fhir-consent.ts';
import { check, type ResourceContext } from './fhir-context.ts';
import { FhirMedications } from './fhir-medications.ts';
import { consentSchema } from './fhir-resource.ts';

const actor = (value: string, system = researchStudySystem) => [
  { reference: { identifier: { system, value } } },
];
const period = { start: '2001-01-01', end: '2005-12-31' };
const research = [{ code: 'HRESCH' }];
const permit = { type: 'permit', period, purpose: research, actor: actor('heart-disease') };
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
  const [consent] = readConsent(check(consentSchema, resource), context).consents;
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

  it.each<[string, object, 'permit' | 'deny']>([
    ['no provision under opt-in', {}, 'deny'],
    ['no provision under opt-out', { policyRule: policy('OPTOUT') }, 'permit'],
    ['no provision and no policy', { policyRule: undefined }, 'deny'],
    ['no provision and an unknown policy', { policyRule: policy('WHATEVER') }, 'deny'],
    ['a root that denies', { provision: { type: 'deny', provision: [permit] } }, 'deny'],
    ['a root that permits with period, purpose and actor', { provision: permit }, 'permit'],
    ['a root that permits without a period', { provision: { ...permit, period: undefined } }, 'deny'],
    ['a root that permits without an actor', { provision: { ...permit, actor: undefined } }, 'deny'],
    ['a root that permits without a purpose', { provision: { ...permit, purpose: undefined } }, 'deny'],
    ['a nested deny beside a permit', { provision: { provision: [permit, { type: 'deny' }] } }, 'deny'],
    [
      'a nested deny of an unread kind',
      { provision: { provision: [permit, { type: 'deny', code: [{}] }] } },
      'deny',
    ],
    [
      'an exception to the exception',
      { provision: { provision: [{ ...permit, provision: [{ type: 'deny' }] }] } },
      'deny',
    ],
    [
      'a permit for another purpose',
      { provision: { provision: [{ ...permit, purpose: [{ code: 'TREAT' }] }] } },
      'deny',
    ],
    [
      'a permit for somebody else',
      { provision: { provision: [{ ...permit, actor: actor('x1', 'urn:other') }] } },
      'deny',
    ],
    [
      'a permit for two actors',
      { provision: { provision: [{ ...permit, actor: [...actor('aa'), ...actor('bb')] }] } },
      'deny',
    ],
    [
      'a permit for some data only',
      { provision: { provision: [{ ...permit, class: [{ code: 'x' }] }] } },
      'deny',
    ],
    [
      'a permit for data of a period',
      { provision: { provision: [{ ...permit, dataPeriod: period }] } },
      'deny',
    ],
    [
      'a permit with a modifier',
      { provision: { provision: [{ ...permit, modifierExtension: [{}] }] } },
      'deny',
    ],
    ['a modifier on the whole', { modifierExtension: [{}], provision: { provision: [permit] } }, 'deny'],
    ['a filter on the whole', { provision: { securityLabel: [{}], provision: [permit] } }, 'deny'],
    [
      'opt-out with a filter on the whole',
      { policyRule: policy('OPTOUT'), provision: { data: [{}] } },
      'deny',
    ],
    [
      'opt-out with a nested permit not understood',
      { policyRule: policy('OPTOUT'), provision: { provision: [{ ...permit, code: [{}] }] } },
      'deny',
    ],
  ])('with %s: %s', (_, change, decision) => expect(read(change)?.decision).toBe(decision));

  it('that is no longer active is taken although it has several permits: it may end one that is known', () => {
    const provision = { provision: [permit, { ...permit, actor: actor('lungs') }] };
    expect(read({ status: 'inactive', provision })).toMatchObject({ status: 'inactive', decision: 'permit' });
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
    [
      'with two permits',
      { provision: { provision: [permit, { ...permit, actor: actor('lungs') }] } },
      'UNSUPPORTED_CONSENT',
      'provision.provision',
    ],
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

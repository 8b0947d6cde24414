import { describe, expect, it } from 'vitest';
import { parseDay } from '#site/deidentify/index.ts';
import { storedFhirConsent } from '#support/stored-fhir-consent.ts';
import { evaluateConsent } from './evaluate-consent.ts';

const actor = (value: string, system = 'https://consilium.example/fhir/research-study') => [
  { reference: { identifier: { system, value } } },
];
const reason = (code: string) => ({
  system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason',
  code,
});
const period = { start: '2001-01-01', end: '2005-12-31' };
const permit = { type: 'permit', period, purpose: [reason('HRESCH')], actor: actor('heart-disease') };
const policy = (code: string) => ({
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code }],
});
const scope = { researchStudyId: 'heart-disease', day: parseDay('2002-02-02') ?? 0 };
const cda = { system: 'urn:ietf:bcp:13', code: 'application/hl7-cda+xml' };
const summary = { system: 'http://loinc.org', code: '34133-9' };
const discharge = { system: 'http://loinc.org', code: '18842-5' };
const clinicalTypes = ['Observation', 'Condition', 'Procedure', 'Encounter', 'MedicationRequest'].concat([
  'MedicationStatement',
  'MedicationAdministration',
  'MedicationDispense',
  'Immunization',
]);
const type = (code: string) => ({ system: 'http://hl7.org/fhir/resource-types', code });

function stored(change: object, consentId = 'c1') {
  const resource = {
    resourceType: 'Consent',
    id: 'c1',
    status: 'active',
    scope: { coding: [{ code: 'research' }] },
    patient: { reference: 'Patient/p1' },
    dateTime: '2001-02-03',
    policyRule: policy('OPTIN'),
    ...change,
  };
  return storedFhirConsent(resource, consentId);
}
const decide = (change: object) => evaluateConsent([stored(change)], scope).decision;

describe('a FHIR consent', () => {
  it.each<[string, object, 'permit' | 'deny']>([
    ['no provision under opt-in', {}, 'deny'],
    ['no provision under opt-out', { policyRule: policy('OPTOUT') }, 'permit'],
    ['no provision and no policy', { policyRule: undefined }, 'deny'],
    ['no provision and an unknown policy', { policyRule: policy('WHATEVER') }, 'deny'],
    ['opt-out of no system', { policyRule: { coding: [{ code: 'OPTOUT' }] } }, 'deny'],
    ['opt-out of another system', { policyRule: { coding: [{ system: 'urn:x', code: 'OPTOUT' }] } }, 'deny'],
    ['opt-out in words', { policyRule: { text: 'OPTOUT' } }, 'deny'],
    [
      'a purpose of no system',
      { provision: { provision: [{ ...permit, purpose: [{ code: 'HRESCH' }] }] } },
      'deny',
    ],
    [
      'a deny for a purpose of no system',
      { provision: { provision: [permit, { type: 'deny', purpose: [{ code: 'TREAT' }] }] } },
      'deny',
    ],
    [
      'a scope of no system',
      { scope: { coding: [{ code: 'research' }] }, provision: { provision: [permit] } },
      'permit',
    ],
    ['a root that denies', { provision: { type: 'deny' } }, 'deny'],
    [
      'a root that denies and an exception to it',
      { provision: { type: 'deny', provision: [permit] } },
      'permit',
    ],
    [
      'a root that denies under opt-out',
      { policyRule: policy('OPTOUT'), provision: { type: 'deny' } },
      'deny',
    ],
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
      { provision: { provision: [{ ...permit, purpose: [reason('TREAT')] }] } },
      'deny',
    ],
    [
      'a permit for somebody else',
      { provision: { provision: [{ ...permit, actor: actor('x1', 'urn:other') }] } },
      'deny',
    ],
    [
      'a permit for two research studies',
      { provision: { provision: [{ ...permit, actor: [...actor('lungs'), ...actor('heart-disease')] }] } },
      'permit',
    ],
    [
      'a permit for some data only',
      { provision: { provision: [{ ...permit, class: [{ code: 'x' }] }] } },
      'deny',
    ],
    [
      'a permit for data of a period',
      { provision: { provision: [{ ...permit, dataPeriod: period }] } },
      'permit',
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
      'permit',
    ],
  ])('with %s: %s', (_, change, decision) => expect(decide(change)).toBe(decision));

  it.each<[string, object[], number, number]>([
    [
      'images permitted, notes denied',
      [{ class: [type('ImagingStudy')] }, { type: 'deny', class: [type('DocumentReference')] }],
      0,
      1,
    ],
    ['all permitted, images denied', [{}, { type: 'deny', class: [type('ImagingStudy')] }], 1, 0],
    ['all permitted, some clinical data denied', [{}, { type: 'deny', class: [type('Condition')] }], 0, 1],
    ['some clinical data permitted', [{ class: [type('Condition')] }], 0, 0],
    ['all permitted, CDA documents denied', [{}, { type: 'deny', class: [cda] }], 0, 1],
    ['all permitted, summaries denied', [{}, { type: 'deny', code: [{ coding: [summary] }] }], 0, 1],
    ...['11506-3', '18842-5', '34117-2', '11488-4'].map((code): [string, object[], number, number] => [
      `all permitted, documents ${code} denied`,
      [{}, { type: 'deny', code: [{ coding: [{ system: 'http://loinc.org', code }] }] }],
      0,
      // Of a consultation note nobody here knows whether it is about images.
      code === '11488-4' ? 0 : 1,
    ]),
    ['discharge summaries permitted', [{ code: [{ coding: [discharge] }] }], 0, 0],
    ['every clinical type permitted', [{ class: clinicalTypes.map(type) }], 1, 0],
    [
      'every clinical type but what was dispensed permitted',
      [{ class: clinicalTypes.filter((name) => name !== 'MedicationDispense').map(type) }],
      0,
      0,
    ],
    ['all permitted, reports denied', [{}, { type: 'deny', class: [type('DiagnosticReport')] }], 0, 1],
    ['all permitted, photographs denied', [{}, { type: 'deny', class: [type('Media')] }], 1, 0],
    ['all permitted, an unheard type denied', [{}, { type: 'deny', class: [type('Unheard')] }], 0, 0],
    ['images and an unheard type permitted', [{ class: [type('ImagingStudy'), type('Unheard')] }], 0, 0],
    ['CDA documents permitted', [{ class: [cda] }], 0, 0],
    ['summaries permitted', [{ code: [{ coding: [summary] }] }], 0, 0],
  ])('with %s gives that data (C5)', (_, rules, clinical, imaging) => {
    const provision = { provision: rules.map((rule) => ({ ...permit, ...rule })) };
    const { data } = evaluateConsent([stored({ provision })], scope);
    expect([data.clinical.length, data.imaging.length]).toEqual([clinical, imaging]);
  });

  it('gives data of the permitted days, without those that an exception denies', () => {
    const deny = { type: 'deny', dataPeriod: { start: '2000-03-01', end: '2000-03-31' } };
    const rule = { ...permit, dataPeriod: { start: '2000-01-01', end: '2000-12-31' }, provision: [deny] };
    const decision = evaluateConsent([stored({ provision: { provision: [rule] } })], scope);
    const days = [
      { from: parseDay('2000-01-01'), until: parseDay('2000-02-29') },
      { from: parseDay('2000-04-01'), until: parseDay('2000-12-31') },
    ];
    expect(decision).toMatchObject({ rule: 'permit', data: { clinical: days, imaging: days } });
    expect(decision.path).toEqual(['root/0', 'root/0/0']);
  });

  it('that denies some data takes it from what another permits, and the path names both (C4)', () => {
    const elsewhere = { ...permit, actor: actor('lungs') };
    const deny = { type: 'deny', class: [type('ImagingStudy')] };
    const denial = { provision: { provision: [elsewhere, deny] } };
    const permitting = { provision: { provision: [permit] } };
    const decision = evaluateConsent([stored(permitting), stored(denial, 'c2')], scope);
    expect(decision).toMatchObject({ consentId: 'c1', rule: 'permit', data: { imaging: [] } });
    expect(decision.path).toEqual(['root/0', 'c2/root/1']);
  });

  it('that only denies is a refusal under opt-in, whatever another permits', () => {
    const denial = { provision: { provision: [{ type: 'deny', class: [type('ImagingStudy')] }] } };
    const decision = evaluateConsent(
      [stored({ provision: { provision: [permit] } }), stored(denial, 'c2')],
      scope,
    );
    expect(decision).toMatchObject({ consentId: 'c2', rule: 'denied' });
  });

  it.each<[string[], string[], string]>([
    [['HRESCH'], ['HRESCH'], 'permit'],
    [['HRESCH'], ['CLINTRL'], 'deny'],
    [['HRESCH'], ['HRESCH', 'CLINTRL'], 'deny'],
    [['HRESCH', 'CLINTRL'], ['HRESCH', 'CLINTRL'], 'permit'],
  ])('that permits %j, asked for %j: %s', (permitted, purposes, decision) => {
    const rule = { ...permit, purpose: permitted.map(reason) };
    const version = stored({ provision: { provision: [rule] } });
    expect(evaluateConsent([version], { ...scope, purposes }).decision).toBe(decision);
  });

  it.each<[string, object]>([
    ['no actor in its list', { actor: [] }],
    ['no class in its list', { class: [] }],
    ['no purpose in its list', { purpose: [] }],
    ['no code in its list', { code: [] }],
    ['no code in a concept', { code: [{ coding: [] }] }],
    ['no action in its list', { action: [] }],
    ['no code in an action', { action: [{ coding: [] }] }],
    ['no security label in its list', { securityLabel: [] }],
    ['a period without begin and end', { period: {} }],
    ['a period of data without begin and end', { dataPeriod: {} }],
    ['a period that ends before it begins', { period: { start: '2005-01-01', end: '2001-01-01' } }],
    ['such a period of data', { dataPeriod: { start: '2005-01-01', end: '2001-01-01' } }],
  ])('does not match in a permit and matches in a deny with %s (C3)', (_, change) => {
    const rule = { ...permit, ...change };
    expect(decide({ provision: { provision: [rule] } })).toBe('deny');
    expect(decide({ policyRule: policy('OPTOUT'), provision: { provision: [rule] } })).toBe('permit');
    const deny = { type: 'deny', ...change };
    expect(decide({ policyRule: policy('OPTOUT'), provision: { provision: [deny] } })).toBe('deny');
    expect(decide({ provision: { provision: [permit, deny] } })).toBe('deny');
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['a list', [{ type: 'deny' }]],
    ['a list of permits', [permit]],
    ['a text', 'deny'],
    ['rules that are no list', { provision: { type: 'deny' } }],
    ['rules that are null', { provision: null }],
    ['rules that are no list, within a rule', { provision: [{ ...permit, provision: { type: 'deny' } }] }],
  ])('whose provision is %s denies, whatever its policy and another consent say (C3)', (_, provision) => {
    for (const code of ['OPTIN', 'OPTOUT']) {
      const versions = [stored({ provision, policyRule: policy(code) }), stored({ provision: permit }, 'c2')];
      expect(evaluateConsent(versions, scope)).toMatchObject({ rule: 'denied', consentId: 'c1' });
    }
  });

  it.each<[string, string, string]>([
    ['HRESCH', 'HRESCH', 'deny'],
    ['CLINTRCH', 'HRESCH', 'deny'],
    ['BIORCH', 'HRESCH', 'deny'],
    ['PurposeOfUse', 'HRESCH', 'deny'],
    ['CLINTRL', 'HRESCH', 'permit'],
    ['TREAT', 'HRESCH', 'permit'],
    ['TREAT', 'CLINTRL', 'deny'],
    ['CLINTRCH', 'CLINTRL', 'deny'],
    ['ETREAT', 'CLINTRL', 'permit'],
    ['HRESCH', 'CLINTRL', 'permit'],
  ])('that denies %s, asked for %s: %s, because purposes contain others', (denied, asked, decision) => {
    const rule = { type: 'deny', purpose: [reason(denied)] };
    const version = stored({ provision: { provision: [{ type: 'permit' }, rule] } });
    expect(evaluateConsent([version], { ...scope, purposes: [asked] }).decision).toBe(decision);
  });

  it.each(['CLINTRCH', 'TREAT', 'PurposeOfUse'])('permits no purpose by %s, which contains it', (code) => {
    const version = stored({ provision: { provision: [{ type: 'permit', purpose: [reason(code)] }] } });
    for (const asked of ['HRESCH', 'CLINTRL'])
      expect(evaluateConsent([version], { ...scope, purposes: [asked] }).decision).toBe('deny');
  });

  it.each<[string, 'permit' | 'deny', 'permit' | 'deny', object]>([
    ['an end within today', 'deny', 'deny', { period: { end: '2002-02-02T06:00:00Z' } }],
    ['an end within tomorrow', 'permit', 'deny', { period: { end: '2002-02-03T06:00:00Z' } }],
    ['an end within yesterday', 'deny', 'permit', { period: { end: '2002-02-01T06:00:00Z' } }],
    ['a begin within today', 'deny', 'deny', { period: { start: '2002-02-02T06:00:00Z' } }],
    ['a begin today elsewhere', 'deny', 'deny', { period: { start: '2002-02-03T01:00:00+09:00' } }],
    ['a begin with today', 'permit', 'deny', { period: { start: '2002-02-02T00:00:00Z' } }],
    ['an end with today', 'permit', 'deny', { period: { end: '2002-02-02T23:59:59Z' } }],
  ])('holds by %s as a permit: %s, beside one as a deny: %s', (_, asPermit, asDeny, rule) => {
    expect(decide({ provision: { provision: [{ type: 'permit', ...rule }] } })).toBe(asPermit);
    const beside = [{ type: 'permit' }, { type: 'deny', ...rule }];
    expect(decide({ provision: { provision: beside } })).toBe(asDeny);
  });

  it('gives data of the days that a period certainly has, without those that another may have', () => {
    const dataPeriod = { start: '2000-03-01T02:00:00+05:00', end: '2000-04-05T22:00:00-05:00' };
    const days = (type: string) => {
      const rules = [{ type, dataPeriod }, ...(type === 'deny' ? [{ type: 'permit' }] : [])];
      return evaluateConsent([stored({ provision: { provision: rules } })], scope).data.clinical;
    };
    expect(days('permit')).toEqual([{ from: parseDay('2000-03-02'), until: parseDay('2000-04-04') }]);
    expect(days('deny')).toEqual([
      { from: null, until: parseDay('2000-02-28') },
      { from: parseDay('2000-04-07'), until: null },
    ]);
  });

  it.each([
    ['a draft', { status: 'draft', provision: { provision: [permit] } }],
    ['another refusal', { provision: { type: 'deny', actor: actor('lungs') } }],
  ])('that refuses by having no rules refuses on after %s', (_, change) => {
    const permitting = stored({ provision: { provision: [permit] } }, 'c2');
    const later = { ...stored({ dateTime: '2001-03-03', ...change }), version: 2 };
    expect(evaluateConsent([permitting, stored({}), later], scope)).toMatchObject({ rule: 'denied' });
  });

  it('that permits another research study denies nothing to this one', () => {
    const others = {
      provision: {
        provision: [
          { ...permit, actor: actor('lungs') },
          { ...permit, actor: actor('liver') },
        ],
      },
    };
    const decision = evaluateConsent(
      [stored({ provision: { provision: [permit] } }), stored(others, 'c2')],
      scope,
    );
    expect(decision.rule).toBe('permit');
  });

  it('holds one object for all that may read everything, and for all that may read nothing', () => {
    const [left, right] = ['c1', 'c2'].map((id) =>
      evaluateConsent([stored({ provision: { provision: [permit] } }, id)], scope),
    );
    expect(left?.data).toBe(right?.data);
  });
});

describe('an actor that is a consortium', () => {
  const named = (value: string) => actor(value, 'https://consilium.example/fhir/consortium');
  const rules = (type: string, value: string) => ({
    provision: {
      provision: [...(type === 'deny' ? [permit] : []), { ...permit, type, actor: named(value) }],
    },
  });

  it.each<[string, object, string | undefined, 'permit' | 'deny']>([
    ['permits this one', rules('permit', 'Hearts'), 'Hearts', 'permit'],
    ['permits no other', rules('permit', 'Others'), 'Hearts', 'deny'],
    ['permits nobody before the site has joined one', rules('permit', 'Hearts'), undefined, 'deny'],
    ['denies this one', rules('deny', 'Hearts'), 'Hearts', 'deny'],
    ['denies no other', rules('deny', 'Others'), 'Hearts', 'permit'],
    ['denies before the site has joined one', rules('deny', 'Others'), undefined, 'deny'],
    [
      'permits beside a research study that is another',
      { provision: { provision: [{ ...permit, actor: [...actor('lungs'), ...named('Hearts')] }] } },
      'Hearts',
      'permit',
    ],
  ])('%s', (_, change, consortium, expected) => {
    expect(evaluateConsent([stored(change)], { ...scope, consortium }).decision).toBe(expected);
  });
});

// FHIR consents drawn from a seed: rules within rules, with filters that match, that do not and that nobody understands.
import { utf8 } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { createKeystream } from '#federation/crypto/keystream.ts';

type Draw = (bound: number) => number;
const terminology = 'http://terminology.hl7.org/CodeSystem';
const dates = ['2019-01-01', '2020-06-15', '2021-01-01', '2021-12-31', '2023-03-03', '2030-01-01'];
const types = 'http://hl7.org/fhir/resource-types';
const wholeClinical = 'Observation Condition Procedure Encounter MedicationRequest MedicationStatement'
  .concat(' MedicationAdministration MedicationDispense Immunization')
  .split(' ')
  .map((code) => ({ system: types, code }));
const imaging = [{ system: types, code: 'ImagingStudy' }];
const classes = [
  imaging,
  wholeClinical,
  [...imaging, ...wholeClinical],
  [{ system: types, code: 'Observation' }],
  [{ system: types, code: 'DocumentReference' }],
  [{ system: types, code: 'Unheard' }],
];
const concept = (system: string, code: string) => ({
  coding: [{ system: `${terminology}/${system}`, code }],
});

const policies = [
  ...['OPTIN', 'OPTIN', 'OPTIN', 'OPTOUT', 'OPTOUT', 'OPTINR', 'ODD'].map((code) =>
    concept('v3-ActCode', code),
  ),
  { coding: [{ code: 'OPTOUT' }] },
];

/** Never the same for two seeds; always for one. */
export function drawConsent(seed: string): Record<string, unknown> {
  const keystream = createKeystream(sha256(utf8(seed)));
  const draw: Draw = (bound) => keystream.nextBelow(bound);
  return {
    resourceType: 'Consent',
    id: seed.replaceAll(' ', '-'),
    status: draw(12) === 0 ? 'inactive' : 'active',
    scope: concept('consentscope', 'research'),
    patient: { reference: 'Patient/p1' },
    dateTime: draw(15) === 0 ? '2031-01-01' : '2020-01-01',
    ...(draw(8) === 0 ? {} : { policyRule: pick(draw, policies) }),
    ...(draw(15) === 0 ? pick(draw, modifiers) : {}),
    ...(draw(12) === 0 ? {} : { provision: drawRule(draw, 0) }),
    ...(draw(30) === 0
      ? { provision: pick(draw, [null, [{ type: 'deny' }], { provision: { type: 'deny' } }]) }
      : {}),
  };
}

const modifiers = [
  { modifierExtension: [{ url: 'urn:x' }] },
  { policy: [{ uri: 'urn:policy', modifierExtension: [{ url: 'urn:x' }] }] },
  { implicitRules: 'urn:rules' },
];

function drawRule(draw: Draw, depth: number): Record<string, unknown> {
  const type = depth === 0 ? pick(draw, [undefined, undefined, undefined, 'permit', 'deny']) : drawType(draw);
  const period = () => {
    const [from, until] = [draw(dates.length), draw(dates.length)];
    return { start: dates[Math.min(from, until)], end: dates[Math.max(from, until)] };
  };
  const some = (chance: number, element: () => object): object => (draw(chance) === 0 ? element() : {});
  const children = depth > 3 ? 0 : draw(depth === 0 ? 4 : 3);
  return {
    ...(type === undefined ? {} : { type }),
    ...some(4, () => ({ period: { start: dates[draw(2)], end: dates[2 + draw(4)] } })),
    ...some(3, () => ({ dataPeriod: period() })),
    ...some(3, () => ({
      purpose: pick(draw, [['HRESCH'], ['HRESCH', 'TREAT'], ['TREAT'], ['CLINTRCH'], ['ODD']]).map(
        (code) => ({
          ...(draw(12) === 0 ? {} : { system: `${terminology}/v3-ActReason` }),
          code,
        }),
      ),
    })),
    ...some(3, () => ({ actor: [drawActor(draw), ...(draw(4) === 0 ? [drawActor(draw)] : [])] })),
    ...some(4, () => ({ class: pick(draw, classes) })),
    ...some(12, () => ({ code: [{ coding: pick(draw, classes) }] })),
    ...some(14, () => ({ securityLabel: [{ system: 'urn:x', code: 'R' }] })),
    ...some(8, () => ({ action: [concept('consentaction', pick(draw, ['use', 'access', 'disclose']))] })),
    ...some(16, () => pick(draw, [{ data: [{ meaning: 'instance' }] }, { strange: true }])),
    ...some(16, () => pick(draw, forbidden)),
    ...(children === 0
      ? {}
      : { provision: Array.from({ length: children }, () => drawRule(draw, depth + 1)) }),
  };
}

/** What FHIR does not let stand in a rule, and a period that ends before it begins. */
const forbidden = [
  ...['purpose', 'actor', 'class', 'code', 'securityLabel', 'action'].map((name) => ({ [name]: [] })),
  { code: [{ coding: [] }] },
  { action: [{ coding: [] }] },
  { period: {} },
  { dataPeriod: {} },
  { period: { start: '2030-01-01', end: '2019-01-01' } },
  { dataPeriod: { start: '2030-01-01', end: '2019-01-01' } },
];

function drawType(draw: Draw): string | undefined {
  return draw(20) === 0 ? undefined : pick(draw, ['permit', 'permit', 'deny']);
}

const actors = [
  ['research-study', 'heart'],
  ['research-study', 'heart'],
  ['research-study', 'heart'],
  ['research-study', 'lungs'],
  ['consortium', 'Hearts of Europe'],
  ['consortium', 'Others'],
] as const;

function drawActor(draw: Draw): object {
  const own = 'https://consilium.example/fhir';
  const [kind, value] = pick(draw, actors);
  const system = draw(10) === 0 ? 'urn:other' : `${own}/${kind}`;
  const role = pick(draw, ['IRCP', 'IRCP', 'IRCP', 'IRCP', 'AUT']);
  return {
    ...(draw(3) === 0 ? {} : { role: concept('v3-ParticipationType', role) }),
    reference: { identifier: { system, value } },
  };
}

function pick<T>(draw: Draw, choices: readonly [T, ...T[]] | readonly T[]): T {
  return choices[draw(choices.length)] as T;
}

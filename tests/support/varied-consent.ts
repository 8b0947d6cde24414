// FHIR consents drawn from a seed, varied in what drawn-consent.ts holds still: systems of all kinds, several codings, times of day,
// partial dates, verification, policies, plain references, roles, resources and labels named, rules five deep.
import { utf8 } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { createKeystream } from '#federation/crypto/keystream.ts';

interface Drawing {
  readonly draw: (bound: number) => number;
  /** Whether it may say what the rules leave open: there one reader may be stricter than another. */
  readonly isOpen: boolean;
  readonly isOptOut: boolean;
}

const terminology = 'http://terminology.hl7.org/CodeSystem';
const study = 'https://consilium.example/fhir/research-study';
const type = (code: string) => ({ system: 'http://hl7.org/fhir/resource-types', code });
const act = (code: string) => ({ system: `${terminology}/v3-ActCode`, code });
const reason = (code: string) => ({ system: `${terminology}/v3-ActReason`, code });
const action = (code: string) => ({ system: `${terminology}/consentaction`, code });
const participation = (code: string) => ({ system: `${terminology}/v3-ParticipationType`, code });
const loinc = (code: string) => ({ system: 'http://loinc.org', code });
const odd = { system: 'urn:odd', code: 'odd' };
const research = { system: `${terminology}/consentscope`, code: 'research' };
const wholeClinical = 'Observation Condition Procedure Encounter MedicationRequest MedicationStatement'
  .concat(' MedicationAdministration MedicationDispense Immunization')
  .split(' ')
  .map(type);

/** Never the same for two seeds; always for one. */
export function drawVariedConsent(seed: string, isOpen: boolean): Record<string, unknown> {
  const keystream = createKeystream(sha256(utf8(seed)));
  const draw = (bound: number) => keystream.nextBelow(bound);
  const policy = pick({ draw }, [...policies, ...(isOpen ? openPolicies : [])]);
  const drawing = { draw, isOpen, isOptOut: JSON.stringify(policy).includes('OPTOUT') };
  return {
    resourceType: 'Consent',
    id: seed.replaceAll(' ', '-'),
    status: pick(drawing, [...Array.from({ length: 8 }, () => 'active'), 'inactive', 'draft']),
    scope: { coding: draw(9) === 0 ? [odd, research] : [research] },
    patient: { reference: 'Patient/p1' },
    ...(draw(10) === 0 ? {} : { dateTime: pick(drawing, isOpen ? openTimes : times) }),
    ...(draw(5) === 0 ? { verification: [{ verified: draw(2) === 0 }] } : {}),
    ...policy,
    ...(draw(10) === 0 ? {} : { provision: drawRule(drawing, 0) }),
  };
}

const optIn = { policyRule: { coding: [act('OPTIN')] } };
const optOut = { policyRule: { coding: [act('OPTOUT')] } };
const policies = [
  optIn,
  optIn,
  optIn,
  optOut,
  optOut,
  { policyRule: { coding: [act('OPTOUTE')] } },
  { policyRule: { coding: [act('OPTINR')] } },
  { policyRule: { coding: [odd, act('OPTIN')] } },
  { policyRule: { coding: [act('OPTIN'), act('OPTOUT')] } },
  { policyRule: { coding: [{ system: 'urn:odd', code: 'OPTOUT' }] } },
  { policyRule: { text: 'opt out' } },
  { policyRule: { coding: [] } },
  { policy: [{ uri: 'urn:policy' }] },
  {},
];
const openPolicies = [{ policyRule: { coding: [odd, act('OPTOUT')] } }];
const times = ['2020-01-01', '2020-01-01', '2020-01-01T10:30:00+01:00'];
const openTimes = [...times, '2020', '2020-01', '2031-01-01', '2022-05-05T23:30:00Z'];

function drawRule(drawing: Drawing, depth: number): Record<string, unknown> {
  const { draw, isOpen } = drawing;
  const some = (chance: number, element: () => object): object => (draw(chance) === 0 ? element() : {});
  const children = depth > 4 ? 0 : draw(depth === 0 ? 4 : 3);
  const classes = [wholeClinical, [...wholeClinical, type('ImagingStudy')], drawList(drawing, lists.class)];
  return {
    ...pick(drawing, ruleTypes(drawing, depth)),
    ...some(4, () => ({ period: drawPeriod(drawing) })),
    ...some(4, () => ({ dataPeriod: drawPeriod(drawing) })),
    ...some(4, () => ({ purpose: drawList(drawing, lists.purpose) })),
    ...some(4, () => ({ actor: drawList(drawing, lists.actor) })),
    ...some(4, () => ({ class: pick(drawing, classes) })),
    ...some(12, () => ({ code: drawList(drawing, lists.code) })),
    ...some(14, () => ({ securityLabel: [odd] })),
    ...some(6, () => ({ action: drawList(drawing, lists.action) })),
    ...some(40, () => ({ extension: [{ url: 'urn:x' }] })),
    ...(isOpen ? some(15, () => pick(drawing, unforeseen)) : {}),
    ...(children === 0
      ? some(12, () => ({ provision: [] }))
      : { provision: Array.from({ length: children }, () => drawRule(drawing, depth + 1)) }),
  };
}

const unforeseen = [
  { data: [{ meaning: 'instance', reference: { reference: 'Observation/1' } }] },
  { strange: true },
  { _type: {} },
  { modifierExtension: [{ url: 'urn:x' }] },
];

function ruleTypes({ isOpen, isOptOut }: Drawing, depth: number): object[] {
  const [permit, deny] = [{ type: 'permit' }, { type: 'deny' }];
  if (depth === 0) return [{}, {}, {}, permit, ...(isOptOut && !isOpen ? [] : [deny])];
  return [permit, permit, permit, deny, deny, ...(isOpen ? [{}, { type: 'maybe' }] : [])];
}

const starts = [
  '2018-01-01',
  '2019-01-01T00:00:00Z',
  '2020-03-10T10:00:00Z',
  '2020-06-15',
  '2022-05-05',
  '2022-08-09T23:30:00-05:00',
];
const ends = [
  '2019-01-01',
  '2021-12-31',
  '2022-05-05',
  '2022-11-11T16:00:00+02:00',
  '2023-03-03T23:59:59Z',
  '2030-01-01',
];
const partialDates = ['2020', '2020-06', '2022-05', '2030'];

function drawPeriod(drawing: Drawing): object {
  const { draw, isOpen } = drawing;
  const [start, end] = [pick(drawing, starts), pick(drawing, ends)];
  const isPartial = isOpen && draw(8) === 0;
  if (isPartial) return { [draw(2) === 0 ? 'start' : 'end']: pick(drawing, partialDates) };
  if (draw(4) === 0) return { start };
  return draw(3) === 0 || start > end ? { end } : { start, end };
}

function actor(value: string, role: object = { coding: [participation('IRCP')] }): object {
  return { role, reference: { identifier: { system: study, value } } };
}

function consortium(value: string): object {
  return actorOf({ identifier: { system: 'https://consilium.example/fhir/consortium', value } });
}

function actorOf(reference: object): object {
  return { role: { coding: [participation('IRCP')] }, reference };
}

/** What a filter may name, and what it may name besides where more than the rules say is drawn. */
interface Choices {
  readonly agreed: readonly object[];
  readonly open: readonly object[];
}

const concept = (...coding: object[]) => ({ coding });
const lists = {
  purpose: {
    agreed: ['HRESCH', 'HRESCH', 'HRESCH', 'CLINTRL', 'TREAT', 'HMARKT', 'PurposeOfUse', 'NONE']
      .map(reason)
      .concat(odd),
    open: [reason('CAREMGT'), reason('CLINTRCH'), {}],
  },
  actor: {
    agreed: [
      ...[actor('heart'), actor('heart'), actor('heart'), actor('lungs'), actor('lungs')],
      ...[consortium('Hearts of Europe'), consortium('Hearts of Europe'), consortium('Others')],
      actor('heart', concept(participation('PRCP'))),
      actor('heart', concept({ system: `${terminology}/v3-RoleCode`, code: 'GRANTEE' })),
      actorOf({ reference: 'ResearchStudy/heart' }),
      actorOf({ reference: 'Organization/f001' }),
      actorOf({ identifier: { value: 'heart' } }),
      actorOf({ identifier: { system: 'urn:odd', value: 'heart' } }),
      { role: concept(participation('IRCP')) },
    ],
    open: [
      actor('heart', concept(participation('AUT'))),
      actor('lungs', concept(participation('AUT'))),
      actor('heart', concept(odd, participation('IRCP'))),
      actor('heart', { text: 'receives' }),
    ],
  },
  class: {
    agreed: [
      ...['ImagingStudy', 'ImagingStudy', 'Observation', 'DocumentReference', 'DiagnosticReport'].map(type),
      { code: 'ImagingStudy' },
      odd,
    ],
    open: [{}],
  },
  code: {
    agreed: ['11506-3', '18842-5', '718-7'].map((code) => concept(loinc(code))),
    open: [{ text: 'blood' }, concept(loinc('34133-9')), concept(loinc('34133-9'), odd)],
  },
  action: {
    agreed: [
      ...['use', 'use', 'use', 'disclose', 'collect'].map((code) => concept(action(code))),
      concept(action('disclose'), odd),
      concept({ code: 'use' }),
    ],
    open: [concept(action('access')), concept(action('use'), odd), { text: 'use' }],
  },
} satisfies Record<string, Choices>;

/** One of the choices; two of them say together what the rules leave open. */
function drawList(drawing: Drawing, { agreed, open }: Choices): object[] {
  if (!drawing.isOpen) return [pick(drawing, agreed)];
  return Array.from({ length: 1 + (drawing.draw(3) === 0 ? 1 : 0) }, () =>
    pick(drawing, [...agreed, ...open]),
  );
}

function pick<T>({ draw }: Pick<Drawing, 'draw'>, choices: readonly T[]): T {
  return choices[draw(choices.length)] as T;
}

// The German Medical Informatics Initiative's broad consent (security.md C4, C5). Its consents are laid out as the examples of
// its consent module (github.com/medizininformatik-initiative/kerndatensatzmodul-consent): a root that denies, and permits with the policies
// of one period each.
import { describe, expect, it } from 'vitest';
import { utf8 } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { createKeystream } from '#federation/crypto/keystream.ts';
import { parseDay } from '#site/deidentify/index.ts';
import { type ReferenceQuestion, referencePermits } from '#support/reference-consent.ts';
import { storedFhirConsent } from '#support/stored-fhir-consent.ts';
import { evaluateConsent } from './evaluate-consent.ts';

const system = 'urn:oid:2.16.840.1.113883.3.1937.777.24.5.3';
const policies = (...numbers: number[]) =>
  numbers.map((number) => ({ coding: [{ system, code: `2.16.840.1.113883.3.1937.777.24.5.3.${number}` }] }));
const whole = { start: '2020-09-01', end: '2050-08-31' };
const collecting = { start: '2020-09-01', end: '2025-08-31' };
const collection = { type: 'permit', period: collecting, code: policies(6, 7, 19) };
const use = { type: 'permit', period: whole, code: policies(8) };
const samples = { type: 'permit', period: whole, code: policies(20, 22) };
const earlier = { type: 'permit', period: whole, code: policies(45) };
const deny = (...numbers: number[]) => ({ type: 'deny', period: whole, code: policies(...numbers) });

function broadConsent(provision: readonly object[], change: object = {}) {
  return {
    resourceType: 'Consent',
    id: 'broad',
    status: 'active',
    scope: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'research' }],
    },
    patient: { reference: 'Patient/p1' },
    dateTime: '2020-09-01',
    policyRule: { text: 'in words' },
    provision: { type: 'deny', period: whole, provision },
    ...change,
  };
}

const dayOf = (date: string): number => parseDay(date) ?? Number.NaN;
const dates = ['2015-01-01', '2020-08-31', '2020-09-01', '2025-08-31', '2025-09-01'];

/** The days of data that may be read, on a day. */
function permittedDates(
  consents: readonly object[],
  today: string,
  dataClass: 'clinical' | 'imaging' = 'clinical',
) {
  const versions = consents.map((consent, index) => storedFhirConsent(consent, `c${index}`));
  const { data } = evaluateConsent(versions, { researchStudyId: 'heart', day: dayOf(today) });
  const isIn = (day: number) =>
    data[dataClass].some(({ from, until }) => (from ?? day) <= day && day <= (until ?? day));
  return dates.filter((date) => isIn(dayOf(date)));
}

describe('a broad consent', () => {
  const collected = ['2020-09-01', '2025-08-31'];
  const before = ['2015-01-01', '2020-08-31'];

  it.each<[string, object[], string, string[]]>([
    [
      'permits for thirty years data of the five in which it was collected',
      [collection, use, samples],
      '2040-01-01',
      collected,
    ],
    ['permits nothing before it begins', [collection, use], '2020-08-31', []],
    ['permits nothing once it has ended', [collection, use], '2050-09-01', []],
    ['permits no use of what may be collected only', [collection, samples], '2021-01-01', []],
    ['permits nothing where no collection is permitted', [use], '2021-01-01', []],
    ['permits nothing by its module alone', [{ ...use, code: policies(1) }], '2021-01-01', []],
    ['permits nothing for samples alone', [samples], '2021-01-01', []],
    [
      'permits earlier data with the policy for them',
      [collection, use, earlier],
      '2021-01-01',
      [...before, ...collected],
    ],
    ['permits no earlier data by it alone', [collection, earlier], '2021-01-01', []],
    [
      'permits no earlier data by one of another time',
      [collection, use, { ...earlier, period: { start: '2030-01-01' } }],
      '2031-01-01',
      collected,
    ],
    [
      'says nothing about use by a policy that is not known',
      [collection, { ...use, code: policies(8, 999) }],
      '2021-01-01',
      [],
    ],
    [
      'says nothing about use with a code of another system',
      [
        collection,
        {
          ...use,
          code: [
            ...policies(8),
            { coding: [{ system: 'https://ths-greifswald.de/fhir/CodeSystem/gics/Policy', code: 'MDAT' }] },
          ],
        },
      ],
      '2021-01-01',
      [],
    ],
    [
      'says nothing about use by a number of another system',
      [
        collection,
        {
          ...use,
          code: [{ coding: [{ system: 'urn:oid:1.2.3', code: '2.16.840.1.113883.3.1937.777.24.5.3.8' }] }],
        },
      ],
      '2021-01-01',
      [],
    ],
    ['denies with a deny of use', [collection, use, deny(8)], '2021-01-01', []],
    ['denies with a deny of the module', [collection, use, deny(1)], '2021-01-01', []],
    ['denies with a deny of processing', [collection, use, deny(7)], '2021-01-01', []],
    ['denies with a deny that is not known', [collection, use, deny(999)], '2021-01-01', []],
    [
      'denies of collecting the days of the deny',
      [collection, use, { ...deny(6), period: { start: '2022-01-01', end: '2025-12-31' } }],
      '2040-01-01',
      ['2020-09-01'],
    ],
    ['denies earlier data and no other', [collection, use, earlier, deny(44)], '2021-01-01', collected],
    [
      'does not care about a deny of samples, insurers and contact',
      [collection, use, deny(18, 10, 26)],
      '2021-01-01',
      collected,
    ],
  ])('%s', (_, rules, today, expected) => {
    for (const dataClass of ['clinical', 'imaging'] as const)
      expect(permittedDates([broadConsent(rules)], today, dataClass)).toEqual(expected);
  });

  it('is ended by a withdrawal in another consent', () => {
    const withdrawal = broadConsent([deny(1)], { dateTime: '2022-01-01' });
    expect(permittedDates([broadConsent([collection, use]), withdrawal], '2023-01-01')).toEqual([]);
  });

  it('says the same to an evaluation written from the rules, for 400 drawn ones', () => {
    let permitted = 0;
    for (let index = 0; index < 400; index += 1) {
      const consent = broadConsent(drawRules(`broad ${index}`));
      for (const today of ['2021-01-01', '2040-01-01']) {
        const question: Omit<ReferenceQuestion, 'dataDate'> = {
          researchStudyId: 'heart',
          purpose: 'HRESCH',
          dataClass: 'imaging',
          today,
        };
        const own = permittedDates([consent], today, 'imaging');
        const other = dates.filter((dataDate) => referencePermits([consent], { ...question, dataDate }));
        expect(other, JSON.stringify({ today, consent })).toEqual(own);
        permitted += own.length;
      }
    }
    expect(permitted).toBeGreaterThan(100);
  });
});

function drawRules(seed: string): object[] {
  const keystream = createKeystream(sha256(utf8(seed)));
  const draw = (bound: number) => keystream.nextBelow(bound);
  const numbers = [6, 6, 6, 8, 8, 8, 7, 1, 9, 45, 46, 18, 26, 999];
  const periods = [whole, whole, collecting, { start: '2024-01-01' }, undefined];
  return Array.from({ length: 2 + draw(4) }, () => {
    const period = periods[draw(periods.length)];
    const codes = Array.from({ length: 1 + draw(3) }, () => numbers[draw(numbers.length)] ?? 0);
    return {
      type: draw(5) === 0 ? 'deny' : 'permit',
      code: policies(...codes),
      ...(period === undefined ? {} : { period }),
      ...(draw(6) === 0 ? { purpose: [{ code: 'TREAT' }] } : {}),
    };
  });
}

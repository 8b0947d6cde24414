import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDay } from '#site/deidentify/index.ts';
import { drawConsent } from '#support/drawn-consent.ts';
import { type ReferenceQuestion, referencePermits } from '#support/reference-consent.ts';
import { storedFhirConsent } from '#support/stored-fhir-consent.ts';
import { type ConsentDecision, evaluateConsent } from './evaluate-consent.ts';

const dayOf = (date: string): number => parseDay(date) ?? Number.NaN;
/** On each side of every edge that a drawn consent can have. */
const dataDates = [
  '2018-01-01',
  '2018-12-31',
  '2019-01-01',
  '2020-06-14',
  '2020-06-15',
  '2020-12-31',
  '2021-01-01',
].concat(['2021-01-02', '2021-12-31', '2022-01-01', '2023-03-03', '2023-03-04', '2030-01-01', '2030-01-02']);
const todays = ['2020-07-01', '2022-05-05', '2026-11-21'];
const classes = ['clinical', 'imaging'] as const;
const studies = ['heart', 'lungs'];

function allows(decision: ConsentDecision, { dataClass, dataDate }: ReferenceQuestion): boolean {
  const day = dayOf(dataDate);
  return decision.data[dataClass].some(
    ({ from, until }) => (from === null || from <= day) && (until === null || day <= until),
  );
}

/** Each answer of the site's evaluation beside the reference's. */
function* compare(consents: Record<string, unknown>[]) {
  const versions = consents.map((consent, index) => storedFhirConsent(consent, `c${index}`));
  for (const today of todays) {
    for (const researchStudyId of studies) {
      const consortium = today < '2022' ? undefined : 'Hearts of Europe';
      const decision = evaluateConsent(versions, { researchStudyId, consortium, day: dayOf(today) });
      for (const dataClass of classes) {
        for (const dataDate of dataDates) {
          const question = { researchStudyId, consortium, purpose: 'HRESCH', dataClass, today, dataDate };
          yield {
            question,
            decision,
            own: allows(decision, question),
            other: referencePermits(consents, question),
          };
        }
      }
    }
  }
}

describe('consent trees', () => {
  it.each([
    ['200 consents', 200, 1],
    ['200 pairs of consents', 200, 2],
  ])('of %s say the same to a second, independent evaluation', (name, count, size) => {
    const seen = { permitted: 0, denied: 0 };
    for (let index = 0; index < count; index += 1) {
      const consents = Array.from({ length: size }, (_, part) => drawConsent(`${name} ${index} ${part}`));
      for (const { question, decision, own, other } of compare(consents)) {
        expect(own, JSON.stringify({ question, consents, decision })).toBe(other);
        seen[own ? 'permitted' : 'denied'] += 1;
      }
    }
    expect(seen.permitted).toBeGreaterThan(500);
    expect(seen.denied).toBeGreaterThan(500);
  });

  it('are permitted exactly where some data are, and say which rules decided', () => {
    for (let index = 0; index < 200; index += 1) {
      const version = storedFhirConsent(drawConsent(`permit ${index}`));
      const decision = evaluateConsent([version], { researchStudyId: 'heart', day: dayOf('2022-05-05') });
      const ranges = [...decision.data.clinical, ...decision.data.imaging];
      expect(decision.decision).toBe(ranges.length > 0 ? 'permit' : 'deny');
      if (decision.decision === 'permit') expect(decision.path[0]).toMatch(/^root(?:\/\d+)*$/);
    }
  });

  it('permit no more with a deny added anywhere, and the order of reading changes nothing (C15)', () => {
    let permitted = 0;
    for (let index = 0; index < 200; index += 1) {
      const consents = [0, 1].map((part) => drawConsent(`deny ${index} ${part}`));
      const extra = { type: 'deny', ...(index % 3 === 0 ? { class: [imagingClass] } : {}) };
      const [before, turned, after] = [
        consents,
        consents.toReversed(),
        [addRule(consents[0], extra, index), consents[1]],
      ]
        .map((some) => some.map((consent) => storedFhirConsent(consent ?? {}, String(consent?.id))))
        .map((versions) => evaluateConsent(versions, { researchStudyId: 'heart', day: dayOf('2022-05-05') }));
      if (before === undefined || after === undefined) throw new Error('decisions');
      expect(turned).toEqual(before);
      for (const dataClass of classes) {
        for (const dataDate of dataDates) {
          const question = { researchStudyId: 'heart', purpose: '', today: '', dataClass, dataDate };
          if (allows(before, question)) permitted += 1;
          else expect(allows(after, question), JSON.stringify({ index, consents, extra })).toBe(false);
        }
      }
    }
    expect(permitted).toBeGreaterThan(200);
  });
});

const imagingClass = { system: 'http://hl7.org/fhir/resource-types', code: 'ImagingStudy' };

/** With the rule added to the root or, by turns, to the first rule within it. */
function addRule(consent: Record<string, unknown> = {}, rule: object, turn: number): Record<string, unknown> {
  const copy = structuredClone(consent) as { provision?: Nested };
  if (copy.provision === undefined) copy.provision = {};
  // Where rules stand in another form, there is no place for one: it denies everything already.
  const { provision: rules = [] } = copy.provision ?? { provision: null };
  if (!Array.isArray(rules) || Array.isArray(copy.provision)) return consent;
  const place = turn % 2 === 0 ? copy.provision : (copy.provision.provision?.[0] ?? copy.provision);
  place.provision = [...(place.provision ?? []), rule as Nested];
  return copy as Record<string, unknown>;
}

interface Nested {
  provision?: Nested[];
}

const examples = path.join(process.env.CONSILIUM_DATA ?? '', 'fhir-r4-examples');
const hasExamples = process.env.CONSILIUM_DATA !== undefined && existsSync(examples);
if (!hasExamples)
  process.stderr.write("FHIR's own examples of consents not tested: CONSILIUM_DATA has none\n");

describe.skipIf(!hasExamples)("FHIR's own examples of consents", () => {
  const files = hasExamples ? globSync(path.join(examples, 'Consent-*.json')) : [];
  const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;

  it('give no permission as they stand: none is for research', () => {
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) expect(() => storedFhirConsent(read(file))).toThrow('UNSUPPORTED_CONSENT');
  });

  it('say the same to both evaluations when they are for research', () => {
    const scope = {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'research' }],
    };
    for (const file of files) {
      for (const { question, own, other } of compare([{ ...read(file), scope }])) {
        expect(own, JSON.stringify({ file: path.basename(file), question })).toBe(other);
      }
    }
  });
});

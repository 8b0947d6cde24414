// The evaluation of consents beside that of a second author who had read the rules only (security.md C1-C5, C15).
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDay } from '#site/deidentify/index.ts';
import { RowRefusal } from '#site/ingest/clinical-record.ts';
import { drawConsent } from '#support/drawn-consent.ts';
import { linkConsents } from '#support/linked-consents.ts';
import { type SecondAuthorQuestion, secondAuthorPermits } from '#support/second-consent-author.ts';
import { storedFhirConsent } from '#support/stored-fhir-consent.ts';
import { drawVariedConsent } from '#support/varied-consent.ts';
import type { ConsentVersion } from './consent-version.ts';
import { evaluateConsent } from './evaluate-consent.ts';

type Consent = Record<string, unknown>;
const dayOf = (date: string): number => parseDay(date) ?? Number.NaN;
/** On each side of edges that a drawn consent can have, and on them. */
const dataDates = ['2017-06-06', '2019-01-01', '2020-03-10', '2020-06-15', '2022-01-01', '2022-05-05'].concat(
  ['2022-08-09', '2022-08-10', '2022-11-11', '2023-03-03', '2023-03-04', '2030-01-02'],
);
/** Nobody has come of age: what a guardian permits holds. */
const majorityDay = dayOf('2099-01-01');
const todays = ['2020-06-15', '2022-05-05', '2023-03-03'];
const classes = ['clinical', 'imaging'] as const;

/** A consent that is refused at the door is not in the store and permits nothing. */
function stored(consent: Consent, index: number): ConsentVersion[] {
  try {
    return [storedFhirConsent(consent, `c${index}`)];
  } catch (error) {
    if (error instanceof RowRefusal) return [];
    throw error;
  }
}

/** Who asks and for what. */
const asking = [
  { researchStudyId: 'heart', purpose: 'HRESCH' },
  { researchStudyId: 'heart', purpose: 'CLINTRL' },
  { researchStudyId: 'lungs', purpose: 'HRESCH' },
].map((who) => ({ ...who, consortium: 'Hearts of Europe' }));
const questions = asking.flatMap((who) => todays.map((today) => ({ ...who, today })));

/** Each answer of the site's evaluation beside the second author's. */
function* compare(consents: readonly Consent[]) {
  const versions = consents.flatMap(stored);
  for (const asked of questions) {
    const { researchStudyId, consortium, purpose, today } = asked;
    const scope = { researchStudyId, consortium, day: dayOf(today), purposes: [purpose], majorityDay };
    const { data } = evaluateConsent(versions, scope);
    for (const dataClass of classes) {
      for (const dataDate of dataDates) {
        const question: SecondAuthorQuestion = { ...asked, dataClass, dataDate };
        const day = dayOf(dataDate);
        const own = data[dataClass].some(
          ({ from, until }) => (from === null || from <= day) && (until === null || day <= until),
        );
        yield { own, other: secondAuthorPermits(consents, question), question };
      }
    }
  }
}

/** Asserts for each answer that it is the same, or no wider where only that can be asked; how many permit. */
function expectAgreement(consents: readonly Consent[], extent: 'same' | 'no wider'): number {
  let permitted = 0;
  for (const { own, other, question } of compare(consents)) {
    if (other) permitted += 1;
    if (own === other || (extent === 'no wider' && !own)) continue;
    expect.fail(JSON.stringify({ own, other, question, consents }));
  }
  return permitted;
}

describe('a second author, who had read the rules only, answers', () => {
  it('the same for 1,000 consents of what the rules say', () => {
    let permitted = 0;
    for (let index = 0; index < 1_000; index += 1) {
      permitted += expectAgreement([drawVariedConsent(`agreed ${index}`, false)], 'same');
    }
    expect(permitted).toBeGreaterThan(5_000);
  });

  it('no stricter than the site for 600 consents of what the rules leave open', () => {
    let permitted = 0;
    for (let index = 0; index < 600; index += 1) {
      permitted += expectAgreement([drawVariedConsent(`open ${index}`, true)], 'no wider');
    }
    expect(permitted).toBeGreaterThan(3_000);
  });

  it('the same for 400 pairs of consents that each permit something or say that they refuse', () => {
    let permitted = 0;
    for (let index = 0; index < 400; index += 1) {
      const pair = [0, 1].map((part) => drawVariedConsent(`pair ${index} ${part}`, false));
      if (pair.every(isDecided)) permitted += expectAgreement(pair, 'same');
    }
    expect(permitted).toBeGreaterThan(1_000);
  });

  it('no stricter than the site for 600 threesomes that may replace one another, some of the future', () => {
    let permitted = 0;
    for (let index = 0; index < 600; index += 1) {
      const three = [0, 1, 2].map((part) => drawVariedConsent(`three ${index} ${part}`, false));
      if (three.every(isDecided))
        permitted += expectAgreement(linkConsents(`three ${index}`, three), 'no wider');
    }
    expect(permitted).toBeGreaterThan(500);
  });

  it('no stricter than the site for 600 consents and pairs of the other comparison, with their roles named', () => {
    let permitted = 0;
    for (let index = 0; index < 600; index += 1) {
      const consents = [0, 1]
        .slice(index % 2)
        .map((part) => nameRoles(drawConsent(`drawn ${index} ${part}`)));
      if (consents.length === 2 && !consents.every(isDecided)) continue;
      permitted += expectAgreement(consents, 'no wider');
    }
    expect(permitted).toBeGreaterThan(2_000);
  });
});

/** Opts in with a permit in it, or opts out. What else a consent may be, one may take for a refusal, another for silence. */
function isDecided({ policyRule, provision }: Consent): boolean {
  const policy = JSON.stringify(policyRule ?? {});
  if (!/v3-ActCode","code":"OPT(?:IN|OUT)/.test(policy)) return false;
  const isOptIn = policy.includes('OPTIN');
  const nested = JSON.stringify((provision as Consent | undefined)?.provision ?? []);
  return !isOptIn || nested.includes('"type":"permit"');
}

/**
 * With the role of each actor, of whom it may be left out in that drawing; without its codes, which are classes.
 */
function nameRoles(consent: Consent): Consent {
  const role = {
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }],
  };
  return JSON.parse(JSON.stringify(consent), (name, value: unknown) => {
    if (name === 'code' && Array.isArray(value)) return undefined;
    return name === 'actor' ? (value as object[]).map((actor) => ({ role, ...actor })) : value;
  }) as Consent;
}

const examples = path.join(process.env.CONSILIUM_DATA ?? '', 'fhir-r4-examples');
const hasExamples = process.env.CONSILIUM_DATA !== undefined && existsSync(examples);

describe.skipIf(!hasExamples)("FHIR's own examples, for research instead", () => {
  const scope = {
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'research' }],
  };
  const files = hasExamples ? globSync(path.join(examples, 'Consent-*.json')) : [];

  it.each(files.map((file) => path.basename(file)))('%s says the same to both', (name) => {
    const consent = JSON.parse(readFileSync(path.join(examples, name), 'utf8')) as Consent;
    expectAgreement([{ ...consent, scope }], 'same');
  });
});

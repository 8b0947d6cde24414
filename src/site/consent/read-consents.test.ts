// A subject is decided on its own shifted day, also where that day is not worked out.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { longestOffsetDays } from '#site/deidentify/index.ts';
import type { ConsentVersion } from './consent-version.ts';
import { evaluateConsent } from './evaluate-consent.ts';
import { decideVersions } from './read-consents.ts';

const today = 20_000;
const atMs = today * 86_400_000;

/** Days at which a comparison turns, for the offsets that a subject may have. */
const day = fc
  .tuple(fc.constantFrom(-2, -1, 0, 1, 2), fc.integer({ min: -2, max: 2 }))
  .map(([longest, more]) => today + longest * longestOffsetDays + more);
const version = fc.record({
  consentId: fc.constantFrom('c1', 'c2'),
  version: fc.integer({ min: 1, max: 3 }),
  researchStudyId: fc.constantFrom(null, 'heart'),
  status: fc.constantFrom('active', 'inactive'),
  decision: fc.constantFrom<('permit' | 'deny')[]>('permit', 'deny'),
  isByGuardian: fc.constant(false),
  statedDay: fc.option(day),
  statedUntilDay: fc.constant(null),
  verifiedDay: fc.option(day),
  fromDay: fc.option(day),
  untilDay: fc.option(day),
  provision: fc.constant(null),
  source: fc.constantFrom('fhir', 'steward'),
});
const offset = fc.constantFrom(-longestOffsetDays, -1, 1, longestOffsetDays);

describe('the day on which a subject is decided', () => {
  it('decides as its own shifted day does, whatever the offset', () => {
    fc.assert(
      fc.property(fc.array(version, { maxLength: 3 }), offset, fc.boolean(), (versions, shift, verified) => {
        const days = { shiftDay: (_: string, real: number) => real + shift, birthDayOf: () => undefined };
        const terms = { purposes: ['HRESCH'], requiresVerification: verified };
        const scope = { researchStudyId: 'heart', terms, atMs, days, subjectId: 's' };
        expect(decideVersions(versions, scope)).toEqual(
          evaluateConsent(versions, {
            researchStudyId: 'heart',
            ...terms,
            day: today + shift,
            majorityDay: null,
          }),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('is not worked out where every day of the consent is far from it', () => {
    let asked = 0;
    const shiftDay = (_: string, real: number): number => {
      asked += 1;
      return real;
    };
    const consent = fc.sample(version, 1)[0] as ConsentVersion;
    const far = { ...consent, statedDay: today - 1_000, verifiedDay: null, fromDay: null, untilDay: null };
    const days = { shiftDay, birthDayOf: () => undefined };
    const scope = { researchStudyId: 'heart', terms: undefined, atMs, days, subjectId: 's' };
    decideVersions([far], scope);
    expect(asked).toBe(0);
    decideVersions([far, { ...far, untilDay: today + longestOffsetDays }], scope);
    expect(asked).toBe(1);
  });
});

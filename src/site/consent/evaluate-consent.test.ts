import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConsentProvision } from '#site/store/index.ts';
import type { ConsentVersion } from './consent-version.ts';
import { evaluateConsent } from './evaluate-consent.ts';

const today = 1000;
const scope = { researchStudyId: 'heart', day: today };

function version(changes: Partial<ConsentVersion> = {}): ConsentVersion {
  return {
    consentId: 'c1',
    version: 1,
    researchStudyId: 'heart',
    status: 'active',
    decision: 'permit',
    isByGuardian: false,
    statedDay: today - 100,
    fromDay: null,
    untilDay: null,
    provision: null,
    source: 'fhir',
    ...changes,
  };
}
const deny = (changes: Partial<ConsentVersion> = {}) => version({ decision: 'deny', ...changes });

describe('evaluating the consents of a subject', () => {
  it.each<[string, ConsentVersion[], string]>([
    ['no consent at all', [], 'no-consent'],
    ['a permit', [version()], 'permit'],
    ['a permit for research in general', [version({ researchStudyId: null })], 'permit'],
    ['a permit for another research study', [version({ researchStudyId: 'lungs' })], 'no-consent'],
    ['a permit on its last day', [version({ untilDay: today })], 'permit'],
    ['a permit on the day after', [version({ untilDay: today - 1 })], 'expired'],
    ['a permit on its first day', [version({ fromDay: today })], 'permit'],
    ['a permit that begins tomorrow', [version({ fromDay: today + 1 })], 'not-yet-valid'],
    ['a permit stated in the future', [version({ statedDay: today + 1 })], 'not-yet-valid'],
    ['a permit without dates', [version({ statedDay: null })], 'permit'],
    ['a draft', [version({ status: 'draft' })], 'inactive'],
    ['a record entered in error', [version({ status: 'entered-in-error' })], 'inactive'],
    ['a first deny', [deny()], 'denied'],
    [
      'a deny for another research study',
      [version(), deny({ consentId: 'c2', researchStudyId: 'lungs' })],
      'permit',
    ],
    [
      'a general deny beside a permit for this one',
      [version(), deny({ consentId: 'c2', researchStudyId: null })],
      'denied',
    ],
    [
      'a deny that is older than a permit of another consent',
      [version(), deny({ consentId: 'c2', statedDay: 1 })],
      'denied',
    ],
    ['a deny that follows its own permit', [version(), deny({ version: 2, statedDay: today })], 'withdrawn'],
    ['a permit that follows its own deny', [deny(), version({ version: 2, statedDay: today })], 'permit'],
    [
      'a withdrawal and a new grant on one day',
      [
        version(),
        deny({ version: 2, statedDay: today, source: 'steward' }),
        version({ version: 3, statedDay: today, source: 'steward' }),
      ],
      'permit',
    ],
    [
      'an old export read after a withdrawal',
      [deny({ statedDay: 900 }), version({ version: 2, statedDay: 800 })],
      'withdrawn',
    ],
    ['a later permit dated in the future', [deny(), version({ version: 2, statedDay: today + 9 })], 'denied'],
    [
      'a narrower deny after an open one',
      [deny(), deny({ version: 2, statedDay: 950, untilDay: 960 })],
      'denied',
    ],
    ['a deny that has ended and no permit', [deny({ untilDay: today - 1 })], 'denied'],
    [
      'a permit ended by a deny that begins tomorrow',
      [version(), deny({ version: 2, fromDay: today + 1 })],
      'withdrawn',
    ],
    [
      'a retracted deny beside a permit',
      [
        version({ consentId: 'c2' }),
        deny(),
        deny({ version: 2, status: 'entered-in-error', statedDay: today - 99 }),
      ],
      'permit',
    ],
    [
      'a deny retracted on the day it was stated: an old file could say so again',
      [version({ consentId: 'c2' }), deny(), deny({ version: 2, status: 'entered-in-error' })],
      'denied',
    ],
    [
      'a deny followed by a draft',
      [version({ consentId: 'c2' }), deny(), deny({ version: 2, status: 'draft', statedDay: today })],
      'denied',
    ],
    ['a retracted permit', [version(), version({ version: 2, status: 'inactive' })], 'withdrawn'],
    ['a permit that the source ended', [version({ status: 'inactive' })], 'withdrawn'],
    ['a deny that the source ended', [deny({ status: 'inactive' })], 'inactive'],
    ['a permit that the source calls rejected', [version({ status: 'rejected' })], 'denied'],
    ['a deny that the source calls rejected', [deny({ status: 'rejected' })], 'denied'],
    [
      'a draft that became active on its day',
      [version({ status: 'draft' }), version({ version: 2 })],
      'permit',
    ],
  ])('%s', (_, versions, rule) => {
    expect(evaluateConsent(versions, scope).rule).toBe(rule);
    expect(evaluateConsent(versions, scope).decision).toBe(rule === 'permit' ? 'permit' : 'deny');
  });

  const steward = { source: 'steward', version: 2 } as const;
  it.each<[string, ConsentVersion[], string]>([
    [
      'that states no day, after a withdrawal',
      [
        version({ statedDay: null }),
        deny({ ...steward, statedDay: today }),
        version({ version: 3, statedDay: null }),
      ],
      'withdrawn',
    ],
    [
      'stated on the day of the withdrawal',
      [
        version({ statedDay: today }),
        deny({ ...steward, statedDay: today }),
        version({ version: 3, statedDay: today }),
      ],
      'withdrawn',
    ],
    [
      'stated in the future, once that day has come',
      [
        version({ statedDay: today }),
        // A withdrawal is never dated before what it ends.
        deny({ ...steward, statedDay: today }),
        version({ version: 3, statedDay: today, untilDay: today + 50 }),
      ],
      'withdrawn',
    ],
    [
      'that the source had changed to a deny of the same day',
      [version(), deny({ version: 2 }), version({ version: 3 })],
      'withdrawn',
    ],
    [
      'that the source had ended by its status',
      [version(), version({ version: 2, status: 'inactive' }), version({ version: 3 })],
      'withdrawn',
    ],
    [
      'that a steward had replaced with a shorter one',
      [
        version({ statedDay: null }),
        version({ ...steward, statedDay: today, untilDay: today - 1 }),
        version({ version: 3, statedDay: null }),
      ],
      'expired',
    ],
    [
      'of a day after the withdrawal: a consent given anew',
      [version(), deny({ ...steward, statedDay: today - 2 }), version({ version: 3, statedDay: today - 1 })],
      'permit',
    ],
    [
      'with a deny that states no day, after a steward recorded a consent',
      [
        deny({ statedDay: null }),
        version({ ...steward, statedDay: today }),
        deny({ version: 3, statedDay: null }),
      ],
      'withdrawn',
    ],
    [
      'with a deny that states no day, before a steward recorded a consent',
      [deny({ statedDay: null }), version({ ...steward, statedDay: today })],
      'permit',
    ],
  ])('reading an export %s', (_, versions, rule) => {
    expect(evaluateConsent(versions, scope).rule).toBe(rule);
    expect(evaluateConsent(versions.toReversed(), scope).rule).toBe(rule);
  });

  it('looks at every research study together when none is asked for', () => {
    const versions = [version(), deny({ consentId: 'c2', researchStudyId: 'lungs' })];
    expect(evaluateConsent(versions, { researchStudyId: null, day: today }).rule).toBe('denied');
  });

  it('names the permit that holds longest', () => {
    const versions = [version({ untilDay: today + 5 }), version({ consentId: 'c2', untilDay: today + 50 })];
    expect(evaluateConsent(versions, scope)).toMatchObject({ consentId: 'c2', version: 1 });
  });
});

const guardian = (changes: Partial<ConsentVersion> = {}) => version({ isByGuardian: true, ...changes });
const ofPerson = { consentId: 'c2', statedDay: today - 1 };

/** A rule that permits clinical data; one that denies images. */
function provisionOf(...types: ('permit' | 'deny')[]): ConsentProvision {
  const open = { fromDay: null, untilDay: null, dataFromDay: null, dataUntilDay: null, notUnderstood: false };
  const lists = { purposes: [], actors: [], classes: [], codes: [], securityLabels: [], actions: [] };
  const imaging = ['http://hl7.org/fhir/resource-types|ImagingStudy'];
  const rules = types.map((type) => ({
    ...open,
    ...lists,
    type,
    children: [],
    classes: type === 'deny' ? imaging : [],
  }));
  return { base: 'deny', root: { ...open, ...lists, type: null, children: rules } };
}

describe('a consent by a guardian (C7)', () => {
  it.each<[string, ConsentVersion[], number | null, string]>([
    ['on the day before majority', [guardian()], today + 1, 'permit'],
    ['on the day of majority', [guardian()], today, 'majority-reached'],
    ['after majority', [guardian()], today - 900, 'majority-reached'],
    ['of somebody whose birth date is not known', [guardian()], null, 'majority-unknown'],
    ['that has ended before majority', [guardian({ untilDay: today - 1 })], today + 1, 'expired'],
    ['by its rules', [guardian({ provision: provisionOf('permit') })], today + 1, 'permit'],
    [
      'by its rules, after majority',
      [guardian({ provision: provisionOf('permit') })],
      today,
      'majority-reached',
    ],
    ['renewed by the person', [guardian(), version(ofPerson)], today - 50, 'permit'],
    [
      'renewed by the person in the same record',
      [guardian(), version({ version: 2, statedDay: today - 1 })],
      today - 50,
      'permit',
    ],
    [
      'renewed by a guardian of somebody of age',
      [guardian(), guardian({ version: 2, statedDay: today - 1 })],
      today - 50,
      'majority-reached',
    ],
    ['that denies, after majority', [guardian({ decision: 'deny' })], today - 50, 'denied'],
    [
      'that denies, beside a permit of the person',
      [guardian({ decision: 'deny' }), version(ofPerson)],
      today - 50,
      'denied',
    ],
    [
      'that permits what a guardian had denied before, once the person permits too',
      [guardian({ decision: 'deny' }), guardian({ version: 2, statedDay: today - 80 }), version(ofPerson)],
      today - 50,
      'permit',
    ],
    [
      'that permits what somebody of age had denied',
      [
        version({ decision: 'deny' }),
        guardian({ version: 2, statedDay: today - 10 }),
        version({ consentId: 'c2', statedDay: today - 90 }),
      ],
      today - 500,
      'denied',
    ],
  ])('%s', (_, versions, majorityDay, rule) => {
    const decision = evaluateConsent(versions, { ...scope, majorityDay });
    expect(decision.rule).toBe(rule);
    expect(decision.decision).toBe(rule === 'permit' ? 'permit' : 'deny');
    expect(evaluateConsent(versions.toReversed(), { ...scope, majorityDay })).toEqual(decision);
  });

  it('keeps what it denies when what it permits has ended', () => {
    const versions = [guardian({ provision: provisionOf('permit', 'deny') }), version(ofPerson)];
    const { decision, data } = evaluateConsent(versions, { ...scope, majorityDay: today });
    expect(decision).toBe('permit');
    expect(data).toEqual({ clinical: [{ from: null, until: null }], imaging: [] });
  });

  it('says in its path why it does not hold', () => {
    expect(evaluateConsent([guardian()], { ...scope, majorityDay: today }).path).toEqual([
      'majority-reached',
    ]);
    expect(evaluateConsent([guardian()], scope).path).toEqual(['majority-unknown']);
  });
});

const day = fc.option(fc.integer({ min: today - 4, max: today + 4 }), { nil: null });
const anyVersion = fc.record({
  consentId: fc.constantFrom('c1', 'c2', 'c3'),
  researchStudyId: fc.constantFrom('heart', 'lungs', null),
  status: fc.constantFrom('active', 'active', 'active', 'inactive', 'entered-in-error'),
  decision: fc.constantFrom('permit' as const, 'permit' as const, 'deny' as const),
  isByGuardian: fc.constantFrom(false, false, true),
  statedDay: day,
  fromDay: day,
  untilDay: day,
  provision: fc.constant(null),
  source: fc.constantFrom('csv', 'steward'),
});

/** Numbers the versions of each consent in the order of the list, as an import does. */
function numbered(versions: readonly Omit<ConsentVersion, 'version'>[]): ConsentVersion[] {
  const counts = new Map<string, number>();
  return versions.map((entry) => {
    const next = (counts.get(entry.consentId) ?? 0) + 1;
    counts.set(entry.consentId, next);
    return { ...entry, version: next };
  });
}

describe.each([
  ['a minor', today + 1],
  ['somebody who came of age amid the days that are drawn', today - 2],
])('the rules of consent (C15) for %s', (_name, majorityDay) => {
  const ageScope = { ...scope, majorityDay };
  it('an added deny never turns a deny into a permit, wherever it is added', () => {
    const permitCount = { before: 0 };
    fc.assert(
      fc.property(fc.array(anyVersion, { maxLength: 6 }), anyVersion, (versions, extra) => {
        const before = numbered(versions);
        const added = { ...extra, decision: 'deny' as const, status: 'active' };
        const after = numbered([...versions, added]);
        if (evaluateConsent(before, ageScope).decision === 'permit') permitCount.before += 1;
        else expect(evaluateConsent(after, ageScope).decision).toBe('deny');
      }),
      { numRuns: 3000, seed: 15 },
    );
    expect(permitCount.before).toBeGreaterThan(100);
  });

  it('a deny in force that begins at once always ends permission', () => {
    fc.assert(
      fc.property(fc.array(anyVersion, { maxLength: 6 }), (versions) => {
        const open = {
          fromDay: null,
          untilDay: null,
          statedDay: today + 4,
          provision: null,
          researchStudyId: null,
          source: 'steward',
          isByGuardian: false,
        };
        const added = { consentId: 'c1', status: 'active', decision: 'deny' as const, ...open };
        expect(evaluateConsent(numbered([...versions, added]), ageScope).decision).toBe('deny');
      }),
      { numRuns: 1000, seed: 15 },
    );
  });

  it('the order of reading changes nothing', () => {
    fc.assert(
      fc.property(fc.array(anyVersion, { maxLength: 6 }), fc.infiniteStream(fc.nat()), (versions, order) => {
        const read = numbered(versions);
        const shuffled = read
          .map((entry) => ({ entry, key: order.next().value }))
          .sort((a, b) => a.key - b.key);
        expect(
          evaluateConsent(
            shuffled.map(({ entry }) => entry),
            ageScope,
          ),
        ).toEqual(evaluateConsent(read, ageScope));
      }),
      { numRuns: 1000, seed: 15 },
    );
  });

  it('the order of import changes no decision where every version says when it was stated', () => {
    fc.assert(
      fc.property(fc.array(anyVersion, { maxLength: 6 }), fc.infiniteStream(fc.nat()), (versions, order) => {
        const dated = versions.map((entry, index) => ({ ...entry, statedDay: today - 50 + index }));
        const shuffled = dated
          .map((entry) => ({ entry, key: order.next().value }))
          .sort((a, b) => a.key - b.key);
        const other = numbered(shuffled.map(({ entry }) => entry));
        expect(evaluateConsent(other, ageScope).decision).toBe(
          evaluateConsent(numbered(dated), ageScope).decision,
        );
      }),
      { numRuns: 1000, seed: 15 },
    );
  });
});

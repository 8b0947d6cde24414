import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { areaUnderCurve } from './area-under-curve.ts';
import { concordanceIndex } from './concordance-index.ts';
import { diceBySubject } from './dice-by-subject.ts';

const score = fc.integer({ min: 0, max: 6 }); // few different ones: many ties
const bit = fc.integer({ min: 0, max: 1 });
const half = (left: number, right: number): number => (left > right ? 1 : left === right ? 0.5 : 0);

describe('the area under the curve', () => {
  it.each<[string, number[], number[], number | null]>([
    ['perfect', [0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], 1],
    ['upside down', [0.9, 0.1], [0, 1], 0],
    ['three of four pairs', [0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 0.75],
    ['all tied', [0.5, 0.5, 0.5], [0, 1, 1], 0.5],
    ['one label alone', [0.1, 0.2], [1, 1], null],
    ['nothing', [], [], null],
  ])('of %s', (_, scores, labels, expected) => {
    expect(areaUnderCurve(scores, labels)).toBe(expected);
  });

  it('is the share of pairs in the right order, ties as one half', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(score, bit), { maxLength: 40 }), (rows) => {
        const ones = rows.filter(([, label]) => label === 1);
        const zeros = rows.filter(([, label]) => label === 0);
        const pairs = ones.flatMap(([high]) => zeros.map(([low]) => half(high, low)));
        const expected =
          pairs.length === 0 ? null : pairs.reduce((sum, pair) => sum + pair, 0) / pairs.length;
        const found = areaUnderCurve(
          rows.map(([value]) => value),
          rows.map(([, label]) => label),
        );
        if (expected === null) expect(found).toBeNull();
        else expect(found).toBeCloseTo(expected, 12);
      }),
    );
  });
});

describe('the concordance index', () => {
  it.each<[string, number[], number[], number | null]>([
    ['hazards that order the events', [3, 2, 1], [1, 1, 2, 1, 3, 1], 1],
    ['hazards the other way round', [1, 2, 3], [1, 1, 2, 1, 3, 1], 0],
    ['a pair that the end of observation hides', [1, 2], [1, 0, 2, 1], null],
    ['an event at the time another is last seen', [2, 1], [1, 1, 1, 0], 1],
    ['two events at one time', [2, 1], [1, 1, 1, 1], null],
    ['equal hazards', [1, 1], [1, 1, 2, 1], 0.5],
  ])('of %s', (_, scores, timesAndEvents, expected) => {
    expect(concordanceIndex(scores, { timesAndEvents })).toBe(expected);
  });

  it('is the share of known pairs in the right order, ties as one half', () => {
    const subject = fc.record({ score, time: fc.integer({ min: 1, max: 6 }), event: bit });
    fc.assert(
      fc.property(fc.array(subject, { maxLength: 30 }), (subjects) => {
        const pairs = subjects.flatMap((early) =>
          early.event === 0
            ? []
            : subjects
                .filter((late) => late.time > early.time || (late.time === early.time && late.event === 0))
                .map((late) => half(early.score, late.score)),
        );
        const expected =
          pairs.length === 0 ? null : pairs.reduce((sum, pair) => sum + pair, 0) / pairs.length;
        const found = concordanceIndex(
          subjects.map((one) => one.score),
          { timesAndEvents: subjects.flatMap(({ time, event }) => [time, event]) },
        );
        if (expected === null) expect(found).toBeNull();
        else expect(found).toBeCloseTo(expected, 12);
      }),
    );
  });
});

describe('Dice of a subject', () => {
  it('is over all of its images together, in the order of the subjects', () => {
    const masks = [1, 1, 0, 0, /**/ 1, 0, 0, 0, /**/ 1, 1, 1, 1];
    const probabilities = [0.9, 0.1, 0.1, 0.1, /**/ 0.9, 0.9, 0.9, 0.5, /**/ 0.9, 0.9, 0.9, 0.9];
    // Subject 4 has the first two images: 1 + 1 pixels shared of 1 + 3 predicted and 2 + 1 drawn. Subject 2 has the last: all.
    expect([...diceBySubject({ probabilities, masks, count: 3, subjects: [4, 4, 2] })]).toEqual([1, 4 / 7]);
    expect([...diceBySubject({ probabilities, masks, count: 3 })]).toEqual([2 / 3, 0.5, 1]);
  });

  it('of an empty mask is 1 where nothing is predicted, else 0', () => {
    const masks = [0, 0, 0, 0];
    expect([...diceBySubject({ probabilities: [0.5, 0, 0.6, 0], masks, count: 2 })]).toEqual([1, 0]);
  });
});

import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Engine, loadEngine } from '#site/training/engine.ts';
import { coxLikelihoodTerms } from './cox-likelihood.ts';
import { coxLosses, MAX_RISK_SET } from './cox-losses.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await loadEngine('wasm');
});

type Ties = 'breslow' | 'efron';

/** As a batch on the engine, in float32. */
function batchTerms(scores: number[], survival: number[], ties: Ties, weights?: number[]): number[] {
  const { tf } = engine;
  const losses = tf.tidy(() =>
    coxLosses(tf, ties, {
      outputs: tf.tensor2d(scores, [scores.length, 1]),
      targets: tf.tensor2d(survival, [scores.length, 2]),
      weights: weights === undefined ? undefined : tf.tensor1d(weights),
    }),
  );
  const values = [...losses.dataSync()];
  losses.dispose();
  return values;
}

const wholeTerms = (scores: number[], survival: number[], ties: Ties) => [
  ...coxLikelihoodTerms(scores, { timesAndEvents: survival }, ties),
];

// Four subjects with hazards 1, 2, 3, 4. A has its event on day 1, B and C both on day 2, D is seen until day 3 without one.
//   Day 1: everybody is at risk, 1 + 2 + 3 + 4 = 10.        A: log(10 / 1)
//   Day 2: B, C and D are at risk, 2 + 3 + 4 = 9.
//     Breslow takes 9 for both.                             B: log(9 / 2), C: log(9 / 3)
//     Efron takes 9 for the first of the two, and for the second 9 less half of what is tied, 9 - (2 + 3) / 2 = 6.5.
//                                                           B: log(9 / 2), C: log(6.5 / 3)
//   D has no event.                                         D: 0
const hazards = [1, 2, 3, 4].map(Math.log);
const tied = [1, 1, 2, 1, 2, 1, 3, 0];
const byHand = {
  breslow: [Math.log(10), Math.log(9 / 2), Math.log(9 / 3), 0],
  efron: [Math.log(10), Math.log(9 / 2), Math.log(6.5 / 3), 0],
};

describe.each([
  ['of a batch', batchTerms],
  ['of all rows at once', wholeTerms],
] as const)('the partial likelihood %s', (_, terms) => {
  it.each(['breslow', 'efron'] as const)('is what is worked out by hand, with ties by %s', (ties) => {
    const found = terms(hazards, tied, ties);
    for (const [at, expected] of byHand[ties].entries()) expect(found[at]).toBeCloseTo(expected, 6);
  });

  it('does not overflow, and loses no risk set beside a hazard that dwarfs it', () => {
    // Hazards of e^1000 and e^-1000 are no numbers of a computer; the differences of their logarithms are.
    expect(terms([1000, 0, -1000], [3, 1, 2, 1, 1, 1], 'efron')).toEqual([0, 1000, 2000]);
    // The first subject's hazard is e^500; after its event two of e^-500 are left, of which one has the next event: log 2.
    expect(terms([500, -500, -500], [1, 1, 2, 1, 3, 0], 'breslow')[1]).toBeCloseTo(Math.LN2, 6);
  });

  it('of nobody with an event is 0', () => {
    expect(terms([1, 2], [1, 0, 2, 0], 'efron')).toEqual([0, 0]);
  });
});

describe('a batch of survival times', () => {
  it('has the likelihood of all rows at once, whatever the ties', () => {
    const row = fc.record({
      score: fc.double({ min: -5, max: 5, noNaN: true }),
      time: fc.integer({ min: 1, max: 5 }),
      event: fc.integer({ min: 0, max: 1 }),
    });
    const rows = fc.array(row, { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(rows, fc.constantFrom<Ties>('breslow', 'efron'), (subjects, ties) => {
        const scores = subjects.map(({ score }) => Math.fround(score));
        const survival = subjects.flatMap(({ time, event }) => [time, event]);
        const expected = wholeTerms(scores, survival, ties);
        for (const [at, value] of batchTerms(scores, survival, ties).entries())
          expect(value).toBeCloseTo(expected[at] ?? Number.NaN, 4);
      }),
      { numRuns: 40 },
    );
  });

  it.each(['breslow', 'efron'] as const)('leaves a row of weight 0 out of every risk set (%s)', (ties) => {
    const padded = batchTerms([...hazards, 9], [...tied, 2, 1], ties, [1, 1, 1, 1, 0]);
    for (const [at, expected] of [...byHand[ties], 0].entries()) expect(padded[at]).toBeCloseTo(expected, 6);
  });

  it.each(['breslow', 'efron'] as const)(
    'stays finite where a row of weight 0 repeats the last event (%s)',
    (ties) => {
      // As a short batch is filled up: behind the one event at its time, of which Efron would leave nothing.
      const padded = batchTerms([0.5, -0.5, -0.5, -0.5], [1, 1, 2, 1, 2, 1, 2, 1], ties, [1, 1, 0, 0]);
      const alone = batchTerms([0.5, -0.5], [1, 1, 2, 1], ties);
      expect(padded.map((value) => value + 0)).toEqual([...alone, 0, 0]);
    },
  );

  it('multiplies losses, not hazards, by other weights', () => {
    const quarter = batchTerms([...hazards, 9], [...tied, 2, 1], 'efron', [0.25, 0.25, 0.25, 0.25, 0]);
    for (const [at, expected] of byHand.efron.entries()) expect(quarter[at]).toBeCloseTo(expected / 4, 6);
  });

  it('is refused where it would be a square too large', () => {
    const count = MAX_RISK_SET + 1;
    expect(() => batchTerms(Array(count).fill(0), Array(2 * count).fill(1), 'efron')).toThrow(
      expect.objectContaining({ code: 'RISK_SET_TOO_LARGE' }),
    );
  });
});

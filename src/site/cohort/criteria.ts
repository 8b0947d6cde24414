// Inclusion and exclusion: for each row, whether it meets a criterion of the plan.
import type { Criterion, DayWindow, FactCriterion } from '#federation/records/data-elements.ts';
import type { CodeFacts, IndexDays } from './code-facts.ts';
import { eachSlice, type FactUse } from './fact-use.ts';
import { codedShape, quantityShape } from './fact-value.ts';

/** By row, 1 where the criterion is met. */
export type Met = Uint8Array;

export interface CriterionSource {
  readonly index: IndexDays;
  /** The plan's window, for criteria that have none of their own. */
  readonly windowDays: DayWindow;
  /** By row; NaN where unknown. Whole years on the index day. */
  readonly ages: () => Float64Array;
  /** By row: administrative gender. */
  readonly sexes: () => readonly (string | null)[];
  /** Rows and days of imaging series that the criterion asks for. */
  readonly series: (
    criterion: Extract<Criterion, { kind: 'imaging' }>,
  ) => Iterable<{ readonly row: number; readonly day: number | null }>;
}

export interface ReadCriterion {
  readonly met: Met;
  /** What has still to read facts before `met` holds. */
  readonly use: FactUse | undefined;
}

export function readCriterion(criterion: Criterion, source: CriterionSource): ReadCriterion {
  const { index } = source;
  const met = new Uint8Array(index.days.length);
  switch (criterion.kind) {
    case 'fact':
      return { met, use: factUse(criterion, met, source) };
    case 'age': {
      const { min, max } = criterion;
      for (const [row, age] of source.ages().entries())
        met[row] = Number(age >= (min ?? 0) && age <= (max ?? Number.POSITIVE_INFINITY));
      return { met, use: undefined };
    }
    case 'sex':
      for (const [row, sex] of source.sexes().entries()) met[row] = Number(sex === criterion.equals);
      return { met, use: undefined };
    case 'imaging': {
      const { before, after } = criterion.windowDays ?? source.windowDays;
      for (const { row, day } of source.series(criterion)) {
        // A study without a day cannot be shown to lie in the window.
        const distance = day === null ? Number.NaN : day - (index.days[row] ?? 0);
        if (distance >= -before && distance <= after) met[row] = 1;
      }
      return { met, use: undefined };
    }
  }
}

function factUse(criterion: FactCriterion, met: Met, { index, windowDays }: CriterionSource): FactUse {
  const { code, atLeast } = criterion;
  const ownWindow = criterion.windowDays ?? windowDays;
  const counts = countingOf(criterion);
  return {
    code,
    windowDays: ownWindow,
    take: (facts) =>
      eachSlice({ facts, index, windowDays: ownWindow }, (row, { first, end }) => {
        let count = 0;
        for (let at = first; at < end; at += 1) count += Number(counts(facts, at));
        met[row] = Number(count >= atLeast);
      }),
  };
}

/** Whether a fact has the value that the criterion asks for. One in another kind of unit has not. */
function countingOf({ value }: FactCriterion): (facts: CodeFacts, at: number) => boolean {
  if (value === null) return () => true;
  if (value.kind === 'coded') {
    const shape = codedShape(value.oneOf);
    return (facts, at) => shape.valueOf(facts, at) === 1;
  }
  const shape = quantityShape(value.unit);
  const { min, max } = value;
  return (facts, at) => {
    const found = shape.valueOf(facts, at);
    return found >= (min ?? Number.NEGATIVE_INFINITY) && found <= (max ?? Number.POSITIVE_INFINITY);
  };
}

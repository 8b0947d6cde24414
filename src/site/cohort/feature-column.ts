// Columns of the feature matrix, and the label's, as uses of facts: one value for each row, NaN where there is none.
import type {
  DayWindow,
  FeatureSpecification,
  LabelSpecification,
  ValueAggregation,
} from '#federation/records/data-elements.ts';
import { aggregateValues } from './aggregate-values.ts';
import type { CodeFacts, IndexDays } from './code-facts.ts';
import { eachSlice, type FactSlice, type FactUse } from './fact-use.ts';
import { booleanShape, codedShape, quantityShape, type ValueShape } from './fact-value.ts';

export interface Column {
  /** By row. */
  readonly values: Float64Array;
  /** Rows that have values in the window but none in a unit that converts: NaN for that reason. */
  readonly unitRefusals: Set<number>;
}

export function createColumn(rowCount: number): Column {
  return { values: new Float64Array(rowCount).fill(Number.NaN), unitRefusals: new Set() };
}

export interface ColumnSource {
  readonly index: IndexDays;
  /** The plan's window, for those who have none of their own. */
  readonly windowDays: DayWindow;
}

/** How a feature's column is filled from facts; undefined for one that is not (age, sex). */
export function featureUse(
  feature: FeatureSpecification,
  column: Column,
  { index, windowDays: planWindow }: ColumnSource,
): FactUse | undefined {
  if (feature.kind === 'age' || feature.kind === 'sex') return undefined;
  const windowDays = feature.windowDays ?? planWindow;
  const { code } = feature;
  if (feature.kind === 'occurrence') {
    const { aggregation } = feature;
    return {
      code,
      windowDays,
      take: (facts) => {
        column.values.fill(aggregation === 'missing' ? 1 : 0);
        eachSlice({ facts, index, windowDays }, (row, { first, end }) => {
          column.values[row] = { count: end - first, present: 1, missing: 0 }[aggregation];
        });
      },
    };
  }
  const aggregation = feature.kind === 'quantity' ? feature.aggregation : 'last';
  const shape = shapeOf(feature);
  return { code, windowDays, take: valueColumn({ column, index, windowDays, shape, aggregation }) };
}

function shapeOf(
  feature: Extract<FeatureSpecification, { kind: 'quantity' | 'boolean' | 'indicator' }>,
): ValueShape {
  if (feature.kind === 'quantity') return quantityShape(feature.unit);
  return feature.kind === 'boolean' ? booleanShape : codedShape([feature.equals]);
}

/** What a row without a value gets, where the plan says so. A value in a wrong unit is there: nothing takes its place. */
export function fillMissing(feature: FeatureSpecification, { values, unitRefusals }: Column): void {
  const filling = feature.kind === 'occurrence' ? null : feature.whenMissing;
  if (filling === null) return;
  for (const [row, value] of values.entries())
    if (Number.isNaN(value) && !unitRefusals.has(row)) values[row] = filling;
}

/** How the label's column is filled from facts; none for a segmentation. */
export function labelUses(
  label: LabelSpecification,
  column: Column,
  { index, windowDays: planWindow }: ColumnSource,
): FactUse[] {
  if (label.kind === 'segmentation') return [];
  if (label.kind === 'occurrence') return occurrenceLabelUses(label, column, index);
  const { code, aggregation } = label;
  const windowDays = label.windowDays ?? planWindow;
  const fill = valueColumn({ column, index, windowDays, shape: quantityShape(label.unit), aggregation });
  const take = (facts: CodeFacts): void => {
    fill(facts);
    for (const [row, value] of column.values.entries())
      if (!Number.isNaN(value)) column.values[row] = Number(value > label.greaterThan);
  };
  return [{ code, windowDays, take }];
}

/** An event counts wherever it was seen; its absence only where the subject was still seen when the horizon ended. */
function occurrenceLabelUses(
  { code, equals, windowDays, followUp }: Extract<LabelSpecification, { kind: 'occurrence' }>,
  { values }: Column,
  index: IndexDays,
): FactUse[] {
  const shape = equals === null ? undefined : codedShape([equals]);
  const event: FactUse = {
    code,
    windowDays,
    take: (facts) => {
      if (followUp === null) values.fill(0);
      eachSlice({ facts, index, windowDays }, (row, { first, end }) => {
        for (let at = first; at < end; at += 1)
          if (shape === undefined || shape.valueOf(facts, at) === 1) values[row] = 1;
      });
    },
  };
  if (followUp === null) return [event];
  const afterHorizon = { before: -windowDays.after, after: 36_500 };
  const seen: FactUse = {
    code: followUp,
    windowDays: afterHorizon,
    take: (facts) => {
      eachSlice({ facts, index, windowDays: afterHorizon }, (row) => {
        if (values[row] !== 1) values[row] = 0;
      });
    },
  };
  return [event, seen];
}

interface ValueColumn {
  readonly column: Column;
  readonly index: IndexDays;
  readonly windowDays: DayWindow;
  readonly shape: ValueShape;
  readonly aggregation: ValueAggregation;
}

function valueColumn({
  column,
  index,
  windowDays,
  shape,
  aggregation,
}: ValueColumn): (facts: CodeFacts) => void {
  const reading = { days: new Int32Array(16), values: new Float64Array(16), count: 0 };
  return (facts) => {
    eachSlice({ facts, index, windowDays }, (row, slice) => {
      const { first, end } = slice;
      if (end - first > reading.days.length) {
        reading.days = new Int32Array(2 * (end - first));
        reading.values = new Float64Array(2 * (end - first));
      }
      reading.count = 0;
      for (let at = first; at < end; at += 1) {
        const value = shape.valueOf(facts, at);
        if (Number.isNaN(value)) continue;
        reading.days[reading.count] = facts.days[at] ?? 0;
        reading.values[reading.count] = value;
        reading.count += 1;
      }
      if (reading.count > 0) column.values[row] = aggregateValues(aggregation, reading);
      else if (hasRefusal(shape, facts, slice)) column.unitRefusals.add(row);
    });
  };
}

function hasRefusal(shape: ValueShape, facts: CodeFacts, { first, end }: FactSlice): boolean {
  for (let at = first; at < end; at += 1) if (shape.isRefused(facts, at)) return true;
  return false;
}

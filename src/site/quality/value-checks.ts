// Values of a code in the unit in which a plan reads them: which do not convert, are negative among positive ones, or far from the rest.
import type { DataElements } from '#federation/records/data-elements.ts';
import { codeKey, type FactCode, type Word } from '#site/cohort/index.ts';
import { convertUnit, IngestError } from '#site/ingest/index.ts';
import type { ScannedFacts } from './code-scan.ts';
import { formatBound, isPositiveQuantity, plausibleRange } from './plausible-range.ts';
import type { QualityFinding } from './quality-report.ts';
import { showTally, Tally } from './tally.ts';

/** A quantity that the plan reads. */
export interface Quantity {
  readonly name: string;
  readonly code: FactCode;
  /** UCUM. */
  readonly unit: string;
  /** A value that the plan itself calls suspect is counted apart. */
  readonly flagValue: number | null;
}

/** One for each code and unit, named after the first that reads it. */
export function quantitiesOf({ features, label, criteria }: DataElements): Quantity[] {
  const found: Quantity[] = features.flatMap((one) => (one.kind === 'quantity' ? [one] : []));
  if (label.kind === 'threshold') found.push({ ...label, flagValue: null });
  for (const one of [...criteria.include, ...criteria.exclude])
    if (one.kind === 'fact' && one.value?.kind === 'range')
      found.push({ name: one.name, code: one.code, unit: one.value.unit, flagValue: null });
  const keyOf = (one: Quantity) => `${codeKey(one.code)} ${one.unit}`;
  return [...new Map(found.toReversed().map((one) => [keyOf(one), one])).values()].toReversed();
}

export interface ValueCheck {
  readonly quantity: Quantity;
  readonly facts: ScannedFacts;
  readonly word: (wordId: number) => Word | undefined;
  /** Subjects of the report. */
  readonly subjectCount: number;
}

export function checkValues(check: ValueCheck): QualityFinding[] {
  const { name, unit, flagValue } = check.quantity;
  const { values, subjectNos, withCode, refused, refusedUnits } = convertAll(check);
  const isPositive = isPositiveQuantity(values);
  const range = plausibleRange(values);
  const negative = new Tally();
  const farOut = new Tally();
  for (const [at, value] of values.entries()) {
    const subjectNo = subjectNos[at] ?? 0;
    if (value === flagValue) continue;
    if (isPositive && value < 0) negative.add(subjectNo);
    else if (range !== undefined && (value < range.low || value > range.high)) farOut.add(subjectNo);
  }
  const finding = (
    code: QualityFinding['code'],
    tally: Tally,
    { severity, detail }: Pick<QualityFinding, 'severity' | 'detail'>,
  ): QualityFinding[] =>
    tally.recordCount === 0
      ? []
      : [
          {
            code,
            severity,
            about: name,
            ...showTally(tally, [withCode.subjectCount, check.subjectCount]),
            detail,
          },
        ];
  const bounds = range === undefined ? '' : `${formatBound(range.low)} – ${formatBound(range.high)} ${unit}`;
  return [
    ...finding('unit-not-convertible', refused, {
      severity: 'problem',
      detail: `${[...refusedUnits].sort().join(', ')} → ${unit}`,
    }),
    ...finding('value-negative', negative, { severity: 'problem', detail: unit }),
    ...finding('value-far-out', farOut, { severity: 'warning', detail: bounds }),
  ];
}

interface ConvertedValues {
  readonly values: Float64Array;
  /** Of whom the values are. */
  readonly subjectNos: Int32Array;
  readonly withCode: Tally;
  readonly refused: Tally;
  readonly refusedUnits: ReadonlySet<string>;
}

function convertAll({ quantity, facts, word }: ValueCheck): ConvertedValues {
  const values = new Float64Array(facts.count);
  const subjectNos = new Int32Array(facts.count);
  const [withCode, refused, refusedUnits] = [new Tally(), new Tally(), new Set<string>()];
  let count = 0;
  for (let at = 0; at < facts.count; at += 1) {
    const number = facts.numbers[at] ?? Number.NaN;
    const subjectNo = facts.subjectNos[at] ?? 0;
    withCode.add(subjectNo);
    if (Number.isNaN(number)) continue;
    const found = word(facts.wordIds[at] ?? 0);
    const value = found?.kind === 'unit' ? convert(number, found.code, quantity.unit) : Number.NaN;
    if (Number.isNaN(value)) {
      refused.add(subjectNo);
      refusedUnits.add(found?.kind === 'unit' ? found.code : '-');
      continue;
    }
    values[count] = value;
    subjectNos[count] = subjectNo;
    count += 1;
  }
  return { values: values.slice(0, count), subjectNos, withCode, refused, refusedUnits };
}

function convert(value: number, from: string, to: string): number {
  try {
    return convertUnit(value, from, to);
  } catch (error) {
    if (error instanceof IngestError) return Number.NaN;
    throw error;
  }
}

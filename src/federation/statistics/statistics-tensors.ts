// Released statistics as the tensors of an update, of one shape for every site of a plan, and back with every check that a receiver
// makes: what one site sends keeps no round from closing and no small count gets further.
import type { FeatureStatistics, ReleasedStatistics } from '#federation/records/site-statistics.ts';
import {
  areNearestParts,
  areSumsOfData,
  MAX_SUM,
  MAX_SUM_OF_SQUARES,
  SUM_PARTS,
} from '#federation/statistics/exact-sums.ts';
import type { ColumnLayout, StatisticsLayout } from '#federation/statistics/statistics-layout.ts';
import { requireTensor, type TensorManifest } from '#federation/tensors/manifest.ts';
import type { Tensor, TensorMap } from '#federation/tensors/tensor.ts';
import { badTensors } from '#federation/tensors/tensor-error.ts';

/** Stands for a withheld count. */
const WITHHELD = -1;
const PER_CELL = 3;
const PER_COLUMN = 2 * SUM_PARTS;

export function statisticsManifest({ columns, maximumCells }: StatisticsLayout): TensorManifest {
  const width = columns.length;
  const shapes: readonly (readonly [string, readonly number[]])[] = [
    ['cells', [width, maximumCells, PER_CELL]],
    ['count', [1]],
    ['hasSums', [width]],
    ['labelCount', [1]],
    ['missingCount', [width]],
    ['oneCount', [width]],
    ['sums', [width, 2, SUM_PARTS]],
  ];
  return shapes.map(([name, shape]) => ({ dtype: 'F64', name: `statistics/${name}`, shape }));
}

export function encodeStatistics(layout: StatisticsLayout, released: ReleasedStatistics): TensorMap {
  const tensors = new Map<string, Tensor & { readonly data: Float64Array }>(
    statisticsManifest(layout).map(({ name, shape }) => {
      const length = shape.reduce((product, extent) => product * extent, 1);
      return [name, { shape, data: new Float64Array(length) }];
    }),
  );
  const set = (name: string, at: number, values: readonly number[]) =>
    tensors.get(`statistics/${name}`)?.data.set(values, at);
  set('count', 0, [released.exampleCount]);
  set('labelCount', 0, [released.labelCount ?? WITHHELD]);
  for (const [column, feature] of released.features.entries()) {
    set('missingCount', column, [feature.missingCount]);
    if (feature.kind === 'counted') set('oneCount', column, [feature.oneCount ?? WITHHELD]);
    else {
      const { sums, cells } = feature;
      set('hasSums', column, [sums === null ? 0 : 1]);
      set('sums', column * PER_COLUMN, sums === null ? [] : [...sums.sum, ...sums.sumOfSquares]);
      const flat = cells.flatMap(({ from, to, count }) => [from, to, count]);
      set('cells', column * layout.maximumCells * PER_CELL, flat);
    }
  }
  return tensors;
}

/**
 * What a payload with the manifest of `statisticsManifest` says.
 * @throws TensorError BAD_TENSORS where a count is small, or the numbers are not what `encodeStatistics` writes of any rows.
 */
export function decodeStatistics(layout: StatisticsLayout, payload: TensorMap): ReleasedStatistics {
  const read = (name: string, at: number, length = 1) => [
    ...requireTensor(payload, `statistics/${name}`).data.slice(at, at + length),
  ];
  const [exampleCount = Number.NaN] = read('count', 0);
  if (!isCount(exampleCount)) throw badTensors('not a count', { tensor: 'statistics/count' });
  const counts = { exampleCount, minimumCell: layout.minimumCell };
  const features = layout.columns.map((column, index): FeatureStatistics => {
    const [missingCount = Number.NaN] = read('missingCount', index);
    if (!isCount(missingCount) || missingCount % layout.minimumCell !== 0)
      throw badTensors('missing count not rounded', { feature: column.name });
    const shown = { name: column.name, missingCount };
    if (column.bins === undefined)
      return { kind: 'counted', ...shown, oneCount: readCount(read('oneCount', index), counts, column.name) };
    const flat = read('cells', index * layout.maximumCells * PER_CELL, layout.maximumCells * PER_CELL);
    const sums = read('sums', index * PER_COLUMN, PER_COLUMN);
    const [hasSums] = read('hasSums', index);
    return {
      kind: 'measured',
      ...shown,
      cells: readCells(flat, counts, column),
      sums: readSums(sums, { hasSums, exampleCount, feature: column.name }),
    };
  });
  for (const group of layout.groups)
    requireTable(
      group.map((column) => features[column]),
      counts,
    );
  const labelCount = readCount(read('labelCount', 0), counts, 'label');
  const decoded = { exampleCount, labelCount, features };
  requireSameTensors(encodeStatistics(layout, decoded), payload);
  return decoded;
}

interface CellCounts {
  readonly exampleCount: number;
  readonly minimumCell: number;
}

/** Neither those with 1 nor those without may be few. */
function readCount(
  [found = Number.NaN]: readonly number[],
  counts: CellCounts,
  feature: string,
): number | null {
  if (found === WITHHELD) return null;
  if (!isCount(found) || found > counts.exampleCount) throw badTensors('not a count', { feature });
  for (const cell of [found, counts.exampleCount - found])
    if (cell > 0 && cell < counts.minimumCell) throw badTensors('small cell', { feature });
  return found;
}

/** Nor may those be few who have none of the codes of a value, or one whose count is withheld beside others. */
function requireTable(
  group: readonly (FeatureStatistics | undefined)[],
  { exampleCount, minimumCell }: CellCounts,
): void {
  const counts = group.map((feature) => (feature?.kind === 'counted' ? feature.oneCount : null));
  const shown = counts.filter((count) => count !== null);
  if (shown.length === 0) return;
  const rest = exampleCount - shown.reduce((total, count) => total + count, 0);
  const isWhole = shown.length === counts.length && rest === 0;
  if (rest < minimumCell && !isWhole)
    throw badTensors('small count beside others', { feature: group[0]?.name });
}

function readCells(flat: readonly number[], { exampleCount, minimumCell }: CellCounts, column: ColumnLayout) {
  const feature = column.name;
  const [first, last] = [column.bins?.first ?? 0, column.bins?.last ?? 0];
  const cells: { from: number; to: number; count: number }[] = [];
  for (let at = 0; at < flat.length; at += PER_CELL) {
    const [from = Number.NaN, to = Number.NaN, count = Number.NaN] = flat.slice(at, at + PER_CELL);
    if (count === 0) break;
    const after = cells.at(-1)?.to ?? first - 1;
    const isPlaced = [from, to].every(Number.isInteger) && from > after && to >= from && to <= last;
    if (!isPlaced || !isCount(count)) throw badTensors('not a cell', { feature });
    if (count < minimumCell) throw badTensors('small cell', { feature });
    cells.push({ from, to, count });
  }
  const total = cells.reduce((sum, { count }) => sum + count, 0);
  if (total !== 0 && total !== exampleCount)
    throw badTensors('cells of other rows', { feature, expected: exampleCount, found: total });
  return cells;
}

interface StatedSums {
  readonly hasSums: number | undefined;
  readonly exampleCount: number;
  readonly feature: string;
}

function readSums(parts: readonly number[], { hasSums, exampleCount: count, feature }: StatedSums) {
  if (hasSums !== 1) return null;
  const sum = parts.slice(0, SUM_PARTS);
  const sumOfSquares = parts.slice(SUM_PARTS);
  const isBounded =
    sum.every((part) => Math.abs(part) <= MAX_SUM) &&
    sumOfSquares.every((part) => Math.abs(part) <= MAX_SUM_OF_SQUARES);
  // Two sites whose sums overflow only together would keep the round open, and the one that came second would be blamed for it.
  if (!isBounded) throw badTensors('sums too large', { feature });
  if (![sum, sumOfSquares].every(areNearestParts)) throw badTensors('sums in other parts', { feature });
  if (!areSumsOfData({ count, sum, sumOfSquares })) throw badTensors('sums of no data', { feature });
  return { sum, sumOfSquares };
}

/** One form only: what is not shown in the record must not be in the payload either. */
function requireSameTensors(expected: TensorMap, found: TensorMap): void {
  for (const [name, { data }] of expected) {
    const other = requireTensor(found, name).data;
    if (!data.every((value, index) => Object.is(value, other[index])))
      throw badTensors('not in its one form', { tensor: name });
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

// The statistics of an update in words, one line for each feature: what a steward reads at a terminal before deciding.
import type { DisclosureReport } from '#ipc/schema.ts';

type Statistics = NonNullable<DisclosureReport['statistics']>;
type Feature = Statistics['features'][number];
type Cell = Extract<Feature, { kind: 'measured' }>['cells'][number];

export function describeStatistics(statistics: Statistics | null): string[] {
  if (statistics === null) return [];
  const { exampleCount, labelCount, features } = statistics;
  return [
    `  label: ${shown(labelCount)} of ${exampleCount}`,
    ...features.map((one) => describe(one, exampleCount)),
  ];
}

function describe(feature: Feature, exampleCount: number): string {
  const missing = feature.missingCount === 0 ? '' : `, missing ${feature.missingCount} or more`;
  if (feature.kind === 'counted')
    return `  ${feature.name}: ${shown(feature.oneCount)} of ${exampleCount}${missing}`;
  const cells = feature.cells.length === 0 ? 'withheld' : feature.cells.map(describeCell).join('; ');
  return `  ${feature.name}: sums ${feature.sums === null ? 'withheld' : 'exact'}, cells ${cells}${missing}`;
}

function describeCell({ lower, upper, count }: Cell): string {
  const rounded = (bound: number) => String(Number(bound.toPrecision(4)));
  if (lower === null) return upper === null ? `${count}` : `${count} up to ${rounded(upper)}`;
  return upper === null
    ? `${count} above ${rounded(lower)}`
    : `${count} in ${rounded(lower)} to ${rounded(upper)}`;
}

function shown(count: number | null): string {
  return count === null ? 'withheld' : String(count);
}

import { expect, it } from 'vitest';
import { describeStatistics } from './reported-statistics.ts';

it('a steward reads every number of the statistics that would leave, and what is withheld', () => {
  const cells = [
    { from: -9, to: 3, count: 12, lower: null, upper: 41.236 },
    { from: 4, to: 5, count: 10, lower: 41.236, upper: 50 },
    { from: 6, to: 9, count: 11, lower: 50, upper: null },
  ];
  const features = [
    { kind: 'measured' as const, name: 'age', missingCount: 5, sums: null, cells },
    { kind: 'counted' as const, name: 'sex', missingCount: 0, oneCount: null },
    { kind: 'counted' as const, name: 'exang', missingCount: 0, oneCount: 12 },
  ];
  expect(describeStatistics({ exampleCount: 33, labelCount: 20, features })).toEqual([
    '  label: 20 of 33',
    '  age: sums withheld, cells 12 up to 41.24; 10 in 41.24 to 50; 11 above 50, missing 5 or more',
    '  sex: withheld of 33',
    '  exang: 12 of 33',
  ]);
  expect(describeStatistics(null)).toEqual([]);
});

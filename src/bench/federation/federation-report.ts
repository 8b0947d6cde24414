// The bench's result as a report.
import type { Chart, ReportSection, ReportTable } from '../report/index.ts';
import { formatInterval } from './baseline.ts';
import { displayName, type FederationBench, planMethodName } from './federation-bench.ts';
import { flambyFedAvgPublished } from './reference-methods.ts';
import type { Spread } from './score.ts';

export function federationSections(bench: FederationBench): ReportSection[] {
  return [
    {
      heading: `Accuracy on all ${bench.testRowCount.all} test rows`,
      paragraphs: [
        'Share of right answers at a probability of 0.5, mean and standard deviation over the seeds. Pooled training puts all hospitals’ rows in one place; ' +
          'it is there to compare with and is what a federation avoids.',
        'All test rows together are normalised with the statistics of all training rows, for this plan with what its statistics round releases of them. A hospital’s own test rows are normalised as the model’s ' +
          'training rows were: with its own statistics for FedAvg as FLamby runs it and for a hospital alone, with those of all hospitals elsewhere.',
        `The spread over seeds says nothing about how few test rows there are: ${intervalNote(bench)} A difference inside such an interval is none that this data can show.`,
      ],
      charts: [accuracyChart(bench)],
      tables: [accuracyTable(bench), methodTable(bench)],
    },
    { heading: 'Loss by round', charts: [lossChart(bench)], tables: [lossTable(bench)] },
    { heading: 'Checks', tables: [checkTable(bench)] },
  ];
}

/** One sentence under the title. */
export function federationSummary({ engine, seeds, seconds }: FederationBench): string {
  const first = seeds[0];
  const seedText = seeds.length === 1 ? `seed ${first}` : `seeds ${first} to ${seeds.at(-1)}`;
  return `Heart disease, four hospitals, ${seedText}. Engine: ${engine.name} ${engine.version} (${engine.reason}). ${seconds.toFixed(0)} s.`;
}

function accuracyChart({ methods }: FederationBench): Chart {
  return {
    kind: 'intervals',
    caption:
      'Accuracy on the test rows of all hospitals, by method. Bars: one standard deviation over the seeds.',
    rows: methods.map(({ method, pooledTest }) => ({
      label: method,
      value: pooledTest.mean,
      spread: pooledTest.sd,
      accent: method === planMethodName,
    })),
    references: [
      { label: `published FedAvg ${flambyFedAvgPublished.accuracy}`, value: flambyFedAvgPublished.accuracy },
    ],
    digits: 3,
  };
}

/** How wide a 95 % interval is at an accuracy of 0.8, for all rows and for the fewest. */
function intervalNote({ testRowCount: { all, bySite } }: FederationBench): string {
  const fewest = Math.min(...Object.values(bySite));
  return `an accuracy of 0.80 has the 95 % interval ${formatInterval(0.8, all)} on ${all} rows, and ${formatInterval(0.8, fewest)} on ${fewest} rows (Wilson).`;
}

function methodTable({ methods }: FederationBench): ReportTable {
  return {
    caption: 'What each row is',
    columns: ['Method', 'How it was made'],
    rows: methods.map(({ method, description }) => [method, description]),
  };
}

function accuracyTable({ methods, testRowCount }: FederationBench): ReportTable {
  const siteIds = Object.keys(methods[0]?.bySite ?? {});
  return {
    caption: 'Accuracy on the test rows of all hospitals and of each',
    columns: ['Method', 'All', '95 % interval', ...siteIds.map(displayName)],
    rows: methods.map(({ method, pooledTest, bySite }) => [
      method,
      formatSpread(pooledTest),
      formatInterval(pooledTest.mean, testRowCount.all),
      ...siteIds.map((siteId) => (bySite[siteId] === undefined ? '–' : formatSpread(bySite[siteId]))),
    ]),
  };
}

/** One value has no spread. */
function formatSpread({ mean, sd, values }: Spread): string {
  if (values.length < 2) return mean.toFixed(4);
  return `${mean.toFixed(4)} ± ${sd.toFixed(4)}`;
}

function lossChart({ lossByRound }: FederationBench): Chart {
  return {
    kind: 'lines',
    caption: 'Mean loss of the hospitals’ training rows after their local updates, before averaging.',
    xLabel: 'round',
    yLabel: 'loss in nats',
    lines: Object.entries(lossByRound).map(([label, losses]) => ({
      label,
      points: losses.map((loss, at) => [at + 1, loss] as const),
    })),
  };
}

function lossTable({ lossByRound }: FederationBench): ReportTable {
  const methods = Object.keys(lossByRound);
  const roundCount = Math.max(0, ...Object.values(lossByRound).map((losses) => losses.length));
  return {
    caption: 'The same as numbers, in nats',
    columns: ['Round', ...methods],
    rows: Array.from({ length: roundCount }, (_, at) => [
      at + 1,
      ...methods.map((method) => lossByRound[method]?.[at]?.toFixed(4) ?? '–'),
    ]),
  };
}

function checkTable({ checks }: FederationBench): ReportTable {
  return {
    caption: 'What this bench must show',
    columns: ['Check', 'Expected', 'Found', 'Result'],
    rows: checks.map(({ name, expected, found, passed }) => [
      name,
      expected,
      found,
      passed ? 'passed' : 'FAILED',
    ]),
  };
}

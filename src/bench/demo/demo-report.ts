// What the demo found, as report.json and report.html.
import { formatInterval } from '#bench/federation/baseline.ts';
import { referenceSettings } from '#bench/federation/reference-methods.ts';
import { type WrittenReport, writeReport } from '#bench/report/index.ts';
import type { IngestSummary } from '#ipc/schema.ts';
import { type DemoFigures, demoFigures } from './demo-figures.ts';
import { demoHospitals } from './demo-hospitals.ts';
import type { DemoReferences } from './demo-references.ts';
import type { DemoRounds } from './demo-rounds.ts';

export interface DemoFindings {
  readonly rounds: DemoRounds;
  readonly references: DemoReferences;
  readonly ingested: readonly IngestSummary[];
  /** Whether every log verified: each site's own, each site's exported one offline, the consortium's with its models recomputed. */
  readonly audit: { readonly verified: boolean; readonly leafCounts: Readonly<Record<string, number>> };
  readonly durationMs: number;
}

function modelRows(figures: DemoFigures): (string | number)[][] {
  const row = (model: string, accuracy: number, made: string) => [
    model,
    accuracy.toFixed(3),
    formatInterval(accuracy, figures.testRows),
    made,
  ];
  return [
    ...figures.sites.map(({ siteId, name }) =>
      row(
        `${name} alone`,
        figures.localPooledTest[siteId] ?? Number.NaN,
        `Its own training rows, normalised by themselves. ${referenceSettings}.`,
      ),
    ),
    row(
      'Majority class',
      figures.majorityPooledTest,
      'No model: always the class that is more frequent in all training rows.',
    ),
    row(
      'Federated',
      figures.federatedPooledTest,
      'As the signed plan says: rows stay at the hospitals, normalised with the shared statistics of the statistics round.',
    ),
    row(
      'All data in one place',
      figures.pooledPooledTest,
      `All training rows, normalised together. ${referenceSettings}.`,
    ),
  ];
}

/** What a kind of sent bytes is, for a reader. */
export function sentKindName(kind: string): string {
  const names: Readonly<Record<string, string>> = {
    enrolment: 'Enrolment',
    'log-checkpoint': 'Log checkpoints',
    request: 'Request lines and headers',
    update: 'Sealed updates',
  };
  return names[kind] ?? kind;
}

export function writeDemoReport(outDirectory: string, findings: DemoFindings): WrittenReport {
  const { rounds, references, ingested, audit } = findings;
  const figures = demoFigures(findings);
  const share = (value: number) => value.toFixed(3);
  const bytesSent = demoHospitals.map(({ siteId }) => ({
    siteId,
    byKind: rounds.bytesSent.get(siteId) ?? {},
  }));
  const kinds = [...new Set(bytesSent.flatMap(({ byKind }) => Object.keys(byKind)))].sort();
  const trained = rounds.rounds.filter(({ lossAfter }) => lossAfter !== null);
  return writeReport({
    outDirectory,
    title: 'Four hospitals, one model',
    summary:
      'Heart disease from tabular records: what each hospital can do alone, what they do together, and what left each of them.',
    data: {
      researchStudyId: rounds.researchStudyId,
      engine: references.engine,
      durationMs: findings.durationMs,
      sites: demoHospitals.map(({ siteId, name, format }, index) => ({
        siteId,
        name,
        format,
        ingest: { ...ingested[index], files: undefined },
      })),
      metrics: {
        pooled: { pooledTest: figures.pooledPooledTest, bySite: references.pooled.bySite, onlyInADemo: true },
        majority: references.majority,
        federated: {
          pooledTest: figures.federatedPooledTest,
          bySite: Object.fromEntries(figures.sites.map(({ siteId, federated }) => [siteId, federated])),
        },
        local: figures.sites.map(({ siteId, local }) => ({
          siteId,
          pooledTest: figures.localPooledTest[siteId],
          ownTest: local,
        })),
        testRows: figures.testRows,
      },
      rounds: rounds.rounds,
      bytesSent,
      audit,
    },
    sections: [
      {
        heading: 'Accuracy on test rows',
        paragraphs: [
          `All ${figures.testRows} test rows. "All data in one place" is a reference run: it is possible in this demo only, because the data of the four hospitals is public.`,
          'The rows are not trained alike: "alone" and "all data in one place" have FLamby’s settings, "federated" those of the signed plan. The table of all test rows says how each was made. All test rows together are normalised with the statistics of all training rows; a hospital’s own are normalised as the rows were that the model was trained on.',
          'The data is small. A 95 % interval (Wilson) says how far a figure can be trusted with so many rows; a difference inside it is none that this data can show. "Majority class" is no model at all.',
        ],
        charts: [
          {
            kind: 'intervals',
            caption: 'Share of right answers on all test rows',
            digits: 3,
            rows: [
              ...figures.sites.map(({ siteId, name }) => ({
                label: `${name} alone`,
                value: figures.localPooledTest[siteId] ?? Number.NaN,
              })),
              { label: 'Majority class', value: figures.majorityPooledTest },
              { label: 'Federated', value: figures.federatedPooledTest, accent: true },
              { label: 'All data in one place', value: figures.pooledPooledTest },
            ],
          },
        ],
        tables: [
          {
            caption: "Each hospital's own test rows",
            columns: [
              'Hospital',
              'Test rows',
              'Majority class',
              'Alone',
              'Federated',
              'Its 95 % interval',
              'All data in one place',
            ],
            rows: figures.sites.map(({ name, testRows, majority, local, federated, pooled }) => [
              name,
              testRows,
              share(majority),
              share(local),
              share(federated),
              formatInterval(federated, testRows),
              share(pooled),
            ]),
          },
          {
            caption: 'All test rows',
            columns: ['Model', 'Accuracy', '95 % interval', 'How it was made'],
            rows: modelRows(figures),
          },
        ],
      },
      {
        heading: 'Loss by round',
        charts: [
          {
            kind: 'lines',
            caption: 'Mean loss on the training rows of all sites, before and after local training',
            xLabel: 'Round',
            yLabel: 'Loss (nats)',
            lines: [
              { label: 'before', points: trained.map(({ round, lossBefore }) => [round, lossBefore ?? 0]) },
              { label: 'after', points: trained.map(({ round, lossAfter }) => [round, lossAfter ?? 0]) },
            ],
          },
        ],
        tables: [
          {
            caption: 'Rounds',
            columns: ['Round', 'Kind', 'Seconds', 'Loss before', 'Loss after'],
            rows: rounds.rounds.map(({ round, kind, durationMs, lossBefore, lossAfter }) => [
              round,
              kind,
              (durationMs / 1000).toFixed(1),
              lossBefore?.toFixed(4) ?? '–',
              lossAfter?.toFixed(4) ?? '–',
            ]),
          },
        ],
      },
      {
        heading: 'What left each hospital',
        paragraphs: [
          'Bytes before TLS over all syncs, without the enrolment before them. Sealed updates and log checkpoints are request bodies. The rest is the request lines and header fields of every request, most of them questions whether a round is open or published: addresses, digests, signatures.',
          'No patient record is among them. A sealed update holds the approved numbers and their signed statement with its counts, losses and digests; only the consortium can open it.',
        ],
        tables: [
          {
            caption: 'Bytes sent',
            columns: ['Hospital', ...kinds.map(sentKindName)],
            rows: bytesSent.map(({ siteId, byKind }) => [siteId, ...kinds.map((kind) => byKind[kind] ?? 0)]),
          },
        ],
      },
      {
        heading: 'What came in',
        tables: [
          {
            caption: 'Imports',
            columns: ['Hospital', 'Format', 'Files', 'Patients', 'Facts', 'Consents'],
            rows: demoHospitals.map(({ name, format }, index) => {
              const { accepted = 0, rows = {} } = ingested[index] ?? {};
              return [name, format, accepted, rows.patient ?? 0, rows.measurement ?? 0, rows.consent ?? 0];
            }),
          },
        ],
      },
      {
        heading: 'Audit logs',
        paragraphs: [
          audit.verified ? 'Every log verified, also offline from its export.' : 'A LOG DID NOT VERIFY.',
        ],
        tables: [
          {
            caption: 'Entries',
            columns: ['Log', 'Entries'],
            rows: Object.entries(audit.leafCounts).map(([name, count]) => [name, count]),
          },
        ],
      },
    ],
  });
}

// What the demo found, as report.json and report.html.
import { type WrittenReport, writeReport } from '#bench/report/index.ts';
import type { IngestSummary } from '#ipc/schema.ts';
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

export interface DemoSiteFigures {
  readonly siteId: string;
  readonly name: string;
  readonly testRows: number;
  readonly local: number;
  readonly federated: number;
  readonly pooled: number;
}

/** The table that the demo prints: accuracy at 0.5 on test rows. */
export interface DemoFigures {
  readonly sites: readonly DemoSiteFigures[];
  readonly testRows: number;
  readonly federatedPooledTest: number;
  readonly pooledPooledTest: number;
  readonly localPooledTest: Readonly<Record<string, number>>;
}

export function demoFigures({
  rounds,
  references,
}: Pick<DemoFindings, 'rounds' | 'references'>): DemoFigures {
  const sites = demoHospitals.map(({ siteId, name }) => ({
    siteId,
    name,
    testRows: references.testRowCount.get(siteId) ?? 0,
    local: references.local.get(siteId)?.bySite[siteId] ?? Number.NaN,
    federated: rounds.evaluations.get(siteId)?.accuracy ?? Number.NaN,
    pooled: references.pooled.bySite[siteId] ?? Number.NaN,
  }));
  const evaluations = [...rounds.evaluations.values()];
  const testRows = evaluations.reduce((total, { exampleCount }) => total + exampleCount, 0);
  return {
    sites,
    testRows,
    federatedPooledTest: evaluations.reduce((total, { correctCount }) => total + correctCount, 0) / testRows,
    pooledPooledTest: references.pooled.pooledTest,
    localPooledTest: Object.fromEntries(
      [...references.local].map(([siteId, { pooledTest }]) => [siteId, pooledTest]),
    ),
  };
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
              { label: 'Federated', value: figures.federatedPooledTest, accent: true },
              { label: 'All data in one place', value: figures.pooledPooledTest },
            ],
          },
        ],
        tables: [
          {
            caption: "Each hospital's own test rows",
            columns: ['Hospital', 'Test rows', 'Alone', 'Federated', 'All data in one place'],
            rows: figures.sites.map(({ name, testRows, local, federated, pooled }) => [
              name,
              testRows,
              share(local),
              share(federated),
              share(pooled),
            ]),
          },
          {
            caption: 'All test rows',
            columns: ['Model', 'Accuracy'],
            rows: [
              ...figures.sites.map(({ siteId, name }) => [
                `${name} alone`,
                share(figures.localPooledTest[siteId] ?? Number.NaN),
              ]),
              ['Federated', share(figures.federatedPooledTest)],
              ['All data in one place', share(figures.pooledPooledTest)],
            ],
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
              lossBefore?.toFixed(4) ?? '-',
              lossAfter?.toFixed(4) ?? '-',
            ]),
          },
        ],
      },
      {
        heading: 'What left each hospital',
        paragraphs: [
          'Bytes of request bodies by kind. No patient record is among them; updates are sealed to the consortium.',
        ],
        tables: [
          {
            caption: 'Bytes sent',
            columns: ['Hospital', ...kinds],
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
              return [name, format, accepted, rows.patient ?? 0, rows.fact ?? 0, rows.consent ?? 0];
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

// A small research study that this release supports: two features, one statistics, one training and one evaluation round.
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';

const code = (name: string) => ({
  system: 'https://consilium.example/fhir/CodeSystem/sample',
  code: name,
  display: name,
});

type LogisticRegression = Extract<ResearchStudyPlan['model'], { kind: 'logistic-regression' }>;

export const samplePlan: ResearchStudyPlan & { readonly model: LogisticRegression } = {
  researchStudyId: 'sample-study',
  version: 1,
  title: 'Sample',
  summary: 'A research study for tests.',
  legalBasis: 'none: synthetic data',
  agreementDigest: null,
  ethicsNumber: null,
  purposes: ['HRESCH'],
  participants: [
    { siteId: 'cleveland', name: 'Cleveland' },
    { siteId: 'hungary', name: 'Hungary' },
  ],
  dataElements: {
    indexEvent: { kind: 'fact', code: code('split'), which: 'first' },
    windowDays: { before: 0, after: 0 },
    criteria: { include: [], exclude: [] },
    split: { kind: 'coded', code: code('split'), training: 'train', holdout: 'test' },
    features: [
      {
        kind: 'quantity',
        name: 'chol',
        code: code('chol'),
        unit: 'mg/dL',
        aggregation: 'last',
        windowDays: null,
        whenMissing: null,
        flagValue: 0,
      },
      { kind: 'boolean', name: 'exang', code: code('exang'), windowDays: null, whenMissing: null },
    ],
    label: {
      kind: 'threshold',
      name: 'grade',
      code: code('grade'),
      unit: '1',
      greaterThan: 0,
      aggregation: 'last',
      windowDays: null,
    },
  },
  imaging: null,
  minimumCohort: { training: 10, evaluation: 5, reason: 'small on purpose' },
  normalisation: { scope: 'federated' },
  statistics: { minimumCell: 5, maximumCells: 8, histograms: [], noise: null },
  model: { kind: 'logistic-regression', inputCount: 2, initialisation: { kind: 'zeros' } },
  training: { optimizer: { kind: 'sgd', learningRate: 0.1 }, batchSize: 4, localUpdates: 10 },
  rounds: ['statistics', 'training', 'evaluation'],
  aggregation: { strategy: 'fedavg', weighting: 'example-count' },
  limits: { maxUpdateBytes: 1_000_000, maxUpdateNorm: 10, maxClockSkewMs: 300_000 },
  privacy: null,
  secureAggregation: null,
  optOutLists: [],
  withdrawal: { remedy: 'rebuild-model' },
  approval: { requiredStewards: 1 },
  retentionDays: 3650,
  publishedAt: '2026-11-01T00:00:00.000Z',
};

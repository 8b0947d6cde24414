// The plan of `consilium bench cohort`: as many measured features as are asked for, one label, one index event.
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { loadPlan } from '../federation/plan-method.ts';
import { heartAssets } from '../package-root.ts';

const system = 'https://consilium.example/fhir/CodeSystem/bench';

/** Codes of the generated facts, all in this system. */
export const benchCodes = {
  system,
  split: 'split',
  training: 'train',
  holdout: 'test',
  label: 'label',
  feature: (index: number) => `feature-${index}`,
} as const;

const reference = (code: string) => ({ system, code, display: code });

/** The shipped plan with other data elements. */
export function createCohortPlan(featureCount: number): ResearchStudyPlan {
  const plan = loadPlan(heartAssets);
  return {
    ...plan,
    researchStudyId: 'bench',
    dataElements: {
      ...plan.dataElements,
      indexEvent: { kind: 'fact', code: reference(benchCodes.split), which: 'first' },
      windowDays: { before: 30, after: 0 },
      split: {
        kind: 'coded',
        code: reference(benchCodes.split),
        training: benchCodes.training,
        holdout: benchCodes.holdout,
      },
      features: Array.from({ length: featureCount }, (_, index) => ({
        kind: 'quantity' as const,
        name: `feature_${index}`,
        code: reference(benchCodes.feature(index)),
        unit: 'mg/dL',
        aggregation: 'last' as const,
        windowDays: null,
        whenMissing: null,
        flagValue: null,
      })),
      label: {
        kind: 'threshold',
        name: 'label',
        code: reference(benchCodes.label),
        unit: 'mg/dL',
        greaterThan: 100,
        aggregation: 'last',
        windowDays: null,
      },
    },
  };
}

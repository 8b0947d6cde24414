// Cohort rows as the engine takes them: normalised by the plan's scope, in the order of the pseudonyms.
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import type { CohortMatrix } from '#site/cohort/index.ts';
import { type Normalisation, normaliseFeatures } from '#site/model/index.ts';
import type { Examples } from '#site/ports.ts';
import { normalisationOf } from '#site/statistics/index.ts';
import { SiteError } from './site-error.ts';

export interface NormalisationSource {
  readonly plan: ResearchStudyPlan;
  /** The global model; carries the federation's mean and scale once a statistics round was closed. */
  readonly model: TensorMap;
  /** The training rows, whose own mean and scale count where the plan's scope is the site. */
  readonly trainingRows: () => CohortMatrix;
}

/** @throws SiteError NORMALISATION_MISSING when the plan wants the federation's and the model has none. */
export function chooseNormalisation({ plan, model, trainingRows }: NormalisationSource): Normalisation {
  if (plan.normalisation.scope === 'site') return normalisationOf(trainingRows());
  const mean = model.get('normalisation/mean')?.data;
  const scale = model.get('normalisation/scale')?.data;
  const width = plan.dataElements.features.length;
  if (mean?.length !== width || scale?.length !== width) {
    throw new SiteError(
      'NORMALISATION_MISSING',
      'The global model carries no normalisation for these features.',
      {
        details: { expected: width, found: mean?.length ?? null },
      },
    );
  }
  return { mean, scale };
}

export function createExamples(matrix: CohortMatrix, normalisation: Normalisation): Examples {
  const { values, labels, count, width } = matrix;
  return { features: normaliseFeatures(values, normalisation), labels, count, shape: [width] };
}

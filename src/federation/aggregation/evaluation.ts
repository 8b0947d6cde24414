// What the sites measured of one global model, site by site.
import { countOf, inSiteOrder, type SiteUpdate, scalarOf } from '#federation/aggregation/site-update.ts';
import type { GlobalModel } from '#federation/records/global-model.ts';
import { badTensors } from '#federation/tensors/tensor-error.ts';

/** Sorted by site id. @throws TensorError BAD_TENSORS when a site's numbers contradict each other or its statement. */
export function collectEvaluations(updates: readonly SiteUpdate[]): NonNullable<GlobalModel['evaluation']> {
  return inSiteOrder(updates).map(({ siteId, exampleCount: stated, payload }) => {
    const exampleCount = countOf(payload, 'evaluation/exampleCount');
    const correctCount = countOf(payload, 'evaluation/correctCount');
    const lossSum = scalarOf(payload, 'evaluation/lossSum');
    if (exampleCount !== stated) {
      throw badTensors('count differs from the statement', { siteId, expected: stated, found: exampleCount });
    }
    if (correctCount > exampleCount) throw badTensors('more correct than examples', { siteId });
    if (!(lossSum >= 0 && Number.isFinite(lossSum))) throw badTensors('negative loss', { siteId });
    return { siteId, exampleCount, correctCount, lossSum };
  });
}

// Statistics of a round leave once: two answers with cells and counts tell, by their difference, of whoever came, went or was corrected
// in between, however many they are.
import { equalBytes } from '#base/bytes.ts';
import type { RoundOpening } from '#federation/records/round.ts';
import type { Store } from '#site/store/index.ts';
import { UpdateError } from './update-error.ts';

export interface StatisticsCheck {
  readonly opening: RoundOpening;
  /** What would leave. */
  readonly payload: Uint8Array;
}

/**
 * Stops differencing of counts and cells: the consortium opens the round again after patients came or went. Of two cohorts that differ by
 * ten patients, the counts of a code may differ by one. The same bytes may leave again.
 * @throws UpdateError STATISTICS_DIFFERENCE.
 */
export function refuseStatisticsDifference(store: Store, { opening, payload }: StatisticsCheck): void {
  if (opening.kind !== 'statistics') return;
  const isOther = listDisclosed(store, opening).some((earlier) => !equalBytes(earlier, payload));
  if (!isOther) return;
  throw new UpdateError(
    'STATISTICS_DIFFERENCE',
    'The statistics differ from those that were sent before in this round; the difference would show single patients.',
  );
}

/** Payloads of the round that are sealed or received, or were offered: what came of that is not this site's to know. */
function listDisclosed(store: Store, { researchStudyId, round }: RoundOpening): Uint8Array[] {
  const rows = store.all(
    store.query
      .selectFrom('model_update')
      .innerJoin('outbox', 'outbox.update_id', 'model_update.update_id')
      .select('model_update.payload')
      .where('model_update.research_study_id', '=', researchStudyId)
      .where('model_update.round', '=', round)
      .where((where) =>
        where.or([
          where('model_update.state', 'in', ['sealed', 'received']),
          where('outbox.attempt_count', '>', 0),
        ]),
      ),
  );
  return rows.map(({ payload }) => payload);
}

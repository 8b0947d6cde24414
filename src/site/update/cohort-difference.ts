// Two answers about nearly the same patients give away those who differ: no statistics or evaluation update is built whose
// cohort is that close to one that has left (C14). Training updates are not held to it (docs/threat-model.md).
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import type { RoundKind, RoundOpening } from '#federation/records/round.ts';
import { SUPPRESSION_LIMIT } from '#site/cohort/index.ts';
import type { Store } from '#site/store/index.ts';
import { UpdateError } from './update-error.ts';

/** Whose rows the tensors of a kind are made of; undefined where nothing but trained weights leaves. */
const partOf: Readonly<Record<RoundKind, 'training' | 'holdout' | undefined>> = {
  statistics: 'training',
  evaluation: 'holdout',
  training: undefined,
};

export interface DifferenceCheck {
  readonly opening: RoundOpening;
  readonly plan: ResearchStudyPlan;
  /** The cohort of the update to be built. */
  readonly cohortId: string;
}

/**
 * Stops differencing: the consortium opens a round again, or evaluates again, after a few patients came or went, and takes
 * one number from the other. Fewer than the suppression limit is a small cell like any other. What was corrected of the same patients is no
 * matter of this check: statistics leave again as they were or not at all (statistics-difference.ts).
 * @throws UpdateError COHORT_DIFFERENCE.
 */
export function refuseCohortDifference(store: Store, { opening, plan, cohortId }: DifferenceCheck): void {
  const part = partOf[opening.kind];
  if (part === undefined) return;
  const rounds = plan.rounds.flatMap((kind, index) => (kind === opening.kind ? [index + 1] : []));
  for (const earlier of listDisclosed(store, opening.researchStudyId, rounds)) {
    const { least, most } = countDifferent(store, { cohortId, earlier, part });
    if (most === 0 || least >= SUPPRESSION_LIMIT) continue;
    throw new UpdateError(
      'COHORT_DIFFERENCE',
      'The cohort differs by so few patients from one that was sent before that the difference would show them.',
      // How many they are is itself a small cell.
      { details: { part, expected: SUPPRESSION_LIMIT, found: null } },
    );
  }
}

interface DisclosedCohort {
  readonly cohort_id: string;
  readonly erased_training: number;
  readonly erased_holdout: number;
}

/** Every cohort whose update is sealed or received, or was offered: what came of that is not this site's to know. */
function listDisclosed(store: Store, researchStudyId: string, rounds: readonly number[]): DisclosedCohort[] {
  return store.all(
    store.query
      .selectFrom('model_update')
      .innerJoin('training_run', 'training_run.run_id', 'model_update.run_id')
      .innerJoin('cohort', 'cohort.cohort_id', 'training_run.cohort_id')
      .innerJoin('outbox', 'outbox.update_id', 'model_update.update_id')
      .select(['cohort.cohort_id', 'cohort.erased_training', 'cohort.erased_holdout'])
      .where('model_update.research_study_id', '=', researchStudyId)
      .where('model_update.round', 'in', [...rounds])
      .where((where) =>
        where.or([
          where('model_update.state', 'in', ['sealed', 'received']),
          where('outbox.attempt_count', '>', 0),
        ]),
      ),
  );
}

interface ComparedCohorts {
  readonly cohortId: string;
  readonly earlier: DisclosedCohort;
  readonly part: 'training' | 'holdout';
}

/**
 * How many are in one of the two and not in the other. Of members that were erased since only the number is known: some of the new ones
 * may be they again, so it is between two numbers.
 */
function countDifferent(
  store: Store,
  { cohortId, earlier, part }: ComparedCohorts,
): { readonly least: number; readonly most: number } {
  const countOnlyIn = store.prepareColumn(
    `SELECT count(*) FROM cohort_member AS member WHERE cohort_id = ? AND part = ? AND NOT EXISTS (SELECT 1 FROM cohort_member AS other
    WHERE other.cohort_id = ? AND other.subject_no = member.subject_no AND other.part = member.part)`,
  );
  const onlyHere = countOnlyIn.get(cohortId, part, earlier.cohort_id) as number;
  const onlyThere = countOnlyIn.get(earlier.cohort_id, part, cohortId) as number;
  const erased = part === 'training' ? earlier.erased_training : earlier.erased_holdout;
  return { least: onlyThere + Math.abs(erased - onlyHere), most: onlyThere + erased + onlyHere };
}

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
 * one sum from the other. Fewer than the suppression limit is a small cell like any other.
 * @throws UpdateError COHORT_DIFFERENCE.
 */
export function refuseCohortDifference(store: Store, { opening, plan, cohortId }: DifferenceCheck): void {
  const part = partOf[opening.kind];
  if (part === undefined) return;
  const rounds = plan.rounds.flatMap((kind, index) => (kind === opening.kind ? [index + 1] : []));
  const members = pseudonymsOf(loadMembers(store, cohortId), part);
  for (const earlier of listDisclosed(store, opening.researchStudyId, rounds)) {
    const difference = countDifferent(members, pseudonymsOf(earlier, part));
    if (difference === 0 || difference >= SUPPRESSION_LIMIT) continue;
    throw new UpdateError(
      'COHORT_DIFFERENCE',
      'The cohort differs by so few patients from one that was sent before that the difference would show them.',
      // How many they are is itself a small cell.
      { details: { part, expected: SUPPRESSION_LIMIT, found: null } },
    );
  }
}

/** Members of every cohort whose update is sealed or received, or was offered: what came of that is not this site's to know. */
function listDisclosed(store: Store, researchStudyId: string, rounds: readonly number[]): string[] {
  const rows = store.all(
    store.query
      .selectFrom('model_update')
      .innerJoin('training_run', 'training_run.run_id', 'model_update.run_id')
      .innerJoin('cohort', 'cohort.cohort_id', 'training_run.cohort_id')
      .innerJoin('outbox', 'outbox.update_id', 'model_update.update_id')
      .select('cohort.members')
      .where('model_update.research_study_id', '=', researchStudyId)
      .where('model_update.round', 'in', [...rounds])
      .where((where) =>
        where.or([
          where('model_update.state', 'in', ['sealed', 'received']),
          where('outbox.attempt_count', '>', 0),
        ]),
      ),
  );
  return rows.map(({ members }) => members);
}

/** How many are in one of the two and not in the other. */
function countDifferent(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  const shared = [...left].filter((pseudonym) => right.has(pseudonym)).length;
  return left.size + right.size - 2 * shared;
}

function loadMembers(store: Store, cohortId: string): string {
  const query = store.query.selectFrom('cohort').select('members').where('cohort_id', '=', cohortId);
  return store.get(query)?.members ?? '[]';
}

/** `members` is the JSON that the cohort stage stores. */
function pseudonymsOf(members: string, part: 'training' | 'holdout'): Set<string> {
  const stored = JSON.parse(members) as readonly { readonly pseudonym: string; readonly part: string }[];
  return new Set(stored.filter((member) => member.part === part).map(({ pseudonym }) => pseudonym));
}

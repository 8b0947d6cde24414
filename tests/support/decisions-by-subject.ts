// What was decided of each subject, by its id: tests name subjects as the site's screens do.
import type { ConsentDecision, ConsentDecisions } from '#site/consent/index.ts';
import type { Store } from '#site/store/index.ts';

/** Of those that have a consent or opted out, in the order of their ids. */
export function decisionsBySubject(store: Store, decisions: ConsentDecisions): Map<string, ConsentDecision> {
  const subjects = store.prepareRows('SELECT subject_no, subject_id FROM subject ORDER BY subject_id').all();
  return new Map(
    (subjects as [number, string][]).flatMap(([subjectNo, subjectId]) => {
      const decision = decisions.get(subjectNo);
      return decision === undefined ? [] : [[subjectId, decision]];
    }),
  );
}

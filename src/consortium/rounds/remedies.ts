// Remedies that sites asked for after a withdrawal (security.md C11), and what became of them.
import type { ConsortiumStore, RemedyRequestRow } from '#consortium/store/index.ts';

/** The last remedy that was carried out; undefined before the first. */
export function lastRemedy(store: ConsortiumStore, researchStudyId: string) {
  const query = store.query.selectFrom('remedy').selectAll().where('research_study_id', '=', researchStudyId);
  return store.get(query.orderBy('number', 'desc').limit(1));
}

/** DSSE of a remedy, for the sites; undefined where there is none of that number. */
export function findRemedy(
  store: ConsortiumStore,
  researchStudyId: string,
  number: number,
): Uint8Array | undefined {
  const query = store.query.selectFrom('remedy').select('envelope');
  return store.get(query.where('research_study_id', '=', researchStudyId).where('number', '=', number))
    ?.envelope;
}

/** Requests that the operator has to carry out, oldest first. */
export function pendingRequests(store: ConsortiumStore, researchStudyId: string): RemedyRequestRow[] {
  const requests = store.query
    .selectFrom('remedy_request')
    .selectAll()
    .where('research_study_id', '=', researchStudyId);
  const waiting = requests.where('carried_out_at', 'is', null).where('dismissed_at', 'is', null);
  return store.all(waiting.orderBy('received_at'));
}

/** DSSE for the site that asked; undefined where nobody of it asked, null while it waits. */
export function findAnswer(
  store: ConsortiumStore,
  { siteId, requestDigest }: { readonly siteId: string; readonly requestDigest: string },
): Uint8Array | null | undefined {
  const query = store.query.selectFrom('remedy_request').select('answer');
  return store.get(query.where('site_id', '=', siteId).where('request_digest', '=', requestDigest))?.answer;
}

/** Sites that left the research study after a withdrawal. */
export function sitesThatLeft(store: ConsortiumStore, researchStudyId: string): Set<string> {
  const requests = store.query
    .selectFrom('remedy_request')
    .select('site_id')
    .where('research_study_id', '=', researchStudyId);
  return new Set(store.all(requests.where('kind', '=', 'leave-study')).map((row) => row.site_id));
}

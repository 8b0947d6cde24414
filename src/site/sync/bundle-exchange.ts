// Answers a site's questions from an offline bundle: the consortium answered them when it wrote it.
import { BugError } from '#base/coded-error.ts';
import { answerFile } from '#federation/sync-contract/bundle-files.ts';
import type { Bundle } from '#federation/sync-contract/open-bundle.ts';
import { routes } from '#federation/sync-contract/routes.ts';
import { SyncError } from '#federation/sync-contract/sync-error.ts';
import type { Exchange } from './consortium-client.ts';

/** Asks as over HTTPS; what the bundle lacks is NOT_FOUND. */
export function createBundleExchange(bundle: Bundle, researchStudyId: string): Exchange {
  return async ({ route, parameters = {}, maxResponseBytes }) => {
    if (routes[route].method !== 'GET') throw new BugError('a bundle takes nothing');
    const asked = parameters.researchStudyId ?? researchStudyId;
    const answer =
      asked === researchStudyId
        ? await bundle.find(answerFile(route, parameters), maxResponseBytes)
        : undefined;
    if (answer !== undefined) return answer;
    // As the server says with 204.
    if (route === 'openRound' || route === 'remedyAnswer') return new Uint8Array();
    throw new SyncError('NOT_FOUND', 'The bundle does not hold what this site needs; ask for a new one.', {
      details: { route },
    });
  };
}

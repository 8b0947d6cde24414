// Carries out what sites asked for after a withdrawal: the models since the first round that held a patient count no longer, and the
// rounds since then are run again, or none is (docs/adr/0023). Nothing is deleted: what was published stays what can be made again.
import { toHex } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { BugError } from '#base/coded-error.ts';
import type { SignedTrust } from '#consortium/enrolment/index.ts';
import { findModel, findPlan, latestModel } from '#consortium/publish/index.ts';
import {
  type ConsortiumStore,
  type Foundation,
  type RemedyRequestRow,
  signAnswer,
} from '#consortium/store/index.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { encodeStatement, signStatement } from '#federation/records/record.ts';
import { type Remedy, remedyRecord } from '#federation/records/remedy.ts';
import { answersInBlock, answerTo } from '#federation/records/remedy-answer.ts';
import { type CarriedOutRemedy, carriedOutRemedy } from '#federation/records/withdrawal-remedy.ts';
import { endRound, findOpenRound, unknownResearchStudy } from './open-round.ts';
import { lastRemedy, pendingRequests } from './remedies.ts';
import { RoundError } from './round-error.ts';

/** What the operator is told. */
export interface CarriedOut {
  readonly researchStudyId: string;
  /** Of the last remedy. */
  readonly number: number;
  readonly kind: CarriedOutRemedy;
  /** The first round whose model counts no longer; null where none was left that would. */
  readonly fromRound: number | null;
  readonly requestCount: number;
}

/**
 * Answers all requests that wait, with one remedy. An open round ends: what it has received was made from a model that counts no
 * longer.
 * @throws RoundError RESEARCH_STUDY_UNKNOWN, NO_REMEDY_PENDING.
 */
export function carryOutRemedy(
  foundation: Foundation,
  trust: SignedTrust,
  researchStudyId: string,
): CarriedOut {
  const { store } = foundation;
  return store.transaction(() => {
    const published = findPlan(store, trust, researchStudyId);
    const latest = latestModel(store, researchStudyId);
    if (published === undefined || latest === undefined) throw unknownResearchStudy(researchStudyId);
    const requests = pendingRequests(store, researchStudyId);
    if (requests.length === 0)
      throw new RoundError('NO_REMEDY_PENDING', 'No site waits for a remedy in this research study.');
    // The same in every version of the plan (`requireSameMeaning`).
    const kind = carriedOutRemedy.parse(published.plan.withdrawal.remedy);
    const asked = Math.min(...requests.map((request) => request.from_round));
    const number = (lastRemedy(store, researchStudyId)?.number ?? 0) + 1;
    const answered = { researchStudyId, kind, requestCount: requests.length };
    markCarriedOut(store, requests);
    const answer = (remedy: number, nonces: ReadonlyMap<string, string>): void => {
      for (const request of requests) {
        const nonce = nonces.get(request.request_digest) ?? null;
        signAnswer(foundation, request, { outcome: 'carried-out', remedy, nonce });
      }
    };
    const isOpen = (findOpenRound(store, researchStudyId)?.round ?? 0) >= asked;
    // An earlier remedy may have taken back all of it.
    if (kind === 'rebuild-model' && asked > latest.round && !isOpen) {
      answer(number - 1, new Map());
      return { ...answered, number: number - 1, fromRound: null };
    }
    const fromRound = Math.min(asked, latest.round + 1);
    const { planDigest } = published;
    const nonces = new Map(requests.map((request) => [request.request_digest, toHex(systemRandom(32))]));
    const answers = nameAnswers(nonces);
    publishRemedy(foundation, { researchStudyId, planDigest, number, kind, fromRound, answers });
    answer(number, nonces);
    return { ...answered, number, fromRound };
  });
}

/** Sorted, in whole blocks: neither whose the requests are nor how many there are can be told. */
function nameAnswers(nonces: ReadonlyMap<string, string>): string[] {
  const answers = [...nonces].map(([requestDigest, nonce]) => answerTo(requestDigest, nonce));
  while (answers.length % answersInBlock !== 0) answers.push(toHex(systemRandom(32)));
  return answers.sort();
}

function publishRemedy(
  { store, signers, log }: Foundation,
  claims: Omit<Remedy, 'decidedAt' | 'modelDigest'>,
): void {
  const { researchStudyId, number, kind, fromRound } = claims;
  const base = findModel(store, researchStudyId, fromRound - 1);
  if (base === undefined) throw new BugError('no model counts before the first round of a remedy');
  const decidedAt = isoTime(store.clock.nowMs());
  const predicate: Remedy = { ...claims, modelDigest: base.model_digest, decidedAt };
  const open = findOpenRound(store, researchStudyId);
  if (open !== undefined) endRound(store, open, 'abandoned');
  store.run(
    store.query.insertInto('remedy').values({
      research_study_id: researchStudyId,
      number,
      kind,
      from_round: fromRound,
      envelope: signStatement(encodeStatement(remedyRecord, { predicate }), [signers.model]),
      decided_at: decidedAt,
    }),
  );
  log.append({
    actor: 'operator',
    action: 'remedy-carried-out',
    outcome: 'success',
    researchStudyId,
    round: fromRound,
    detail: { number, kind, modelDigest: base.model_digest, abandonedRound: open?.round ?? null },
  });
  log.checkpoint();
}

function markCarriedOut(store: ConsortiumStore, requests: readonly RemedyRequestRow[]): void {
  const carriedOutAt = isoTime(store.clock.nowMs());
  const digests = requests.map((request) => request.request_digest);
  store.run(
    store.query
      .updateTable('remedy_request')
      .set({ carried_out_at: carriedOutAt })
      .where('request_digest', 'in', digests),
  );
}

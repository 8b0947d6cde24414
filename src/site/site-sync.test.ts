import { describe, expect, it } from 'vitest';
import { silentLogger } from '#base/logger.ts';
import { aggregateRound } from '#federation/aggregation/aggregate-round.ts';
import { SyncError } from '#federation/sync-contract/sync-error.ts';
import { encodeSafetensors, parseSafetensors } from '#federation/tensors/safetensors.ts';
import { decide } from '#site/approval/index.ts';
import { systemActor } from '#site/audit/index.ts';
import { openCohorts } from '#site/cohort/index.ts';
import { openConsents } from '#site/consent/index.ts';
import { listEvaluations } from '#site/evaluation/index.ts';
import { findUpdate, reviewUpdate } from '#site/update/index.ts';
import { ada, initialDigest, initialTensors, personKeys, siteId } from '#support/enrolled-site.ts';
import { createCountingHost } from '#support/round-site.ts';
import { samplePlan } from '#support/sample-plan.ts';
import { sampleStatisticsTensors } from '#support/sample-statistics.ts';
import { addFact, agesOf, plainDays } from '#support/stored-subjects.ts';
import { createSyncingSite, publish, type SyncingSite, statisticsModel } from '#support/syncing-site.ts';
import { runRound } from './round.ts';
import { openExchange } from './site-exchange.ts';
import { type SyncStages, syncSite } from './site-sync.ts';

const { researchStudyId } = samplePlan;
const codeNamed = (code: string) => ({ system: 'https://consilium.example/fhir/CodeSystem/sample', code });

/** Forty patients to train on and ten to test with, under the sample plan. */
function createStages(site: SyncingSite): SyncStages {
  const { store, auditLog, people } = site;
  for (let index = 0; index < 50; index += 1) {
    const subjectId = `patient-${index}`;
    store.run(
      store.query
        .insertInto('subject')
        .values({ subject_id: subjectId, sex: null, added_at: '2026-11-01T00:00:00.000Z' }),
    );
    addFact(store, subjectId, { code: codeNamed('split'), coded: index < 40 ? 'train' : 'test' });
    addFact(store, subjectId, {
      code: codeNamed('chol'),
      number: 200 + index,
      unit: 'mg/dL',
    });
    addFact(store, subjectId, { code: codeNamed('exang'), number: index % 2 });
    addFact(store, subjectId, { code: codeNamed('grade'), number: index % 3, unit: '1' });
  }
  const consents = openConsents({ store, auditLog, days: plainDays, linkageKey: new Uint8Array(32) });
  for (let index = 0; index < 50; index += 1) {
    consents.grant({ subjectId: `patient-${index}`, researchStudyId, untilDate: null }, ada);
  }
  const cohorts = openCohorts({
    store,
    auditLog,
    consents,
    ages: agesOf(store),
    pseudonymKey: people.researchStudyKey,
  });
  return { ...site, cohorts, trainingHost: createCountingHost(), logger: silentLogger };
}

async function runAndApprove(stages: SyncStages): Promise<string> {
  const run = {
    researchStudyId,
    actor: systemActor,
    signal: new AbortController().signal,
    onEvent: () => {},
  };
  const { updateId } = await runRound(stages, run);
  const { reportDigest } = reviewUpdate(stages, updateId, ada);
  decide({
    ...stages,
    updateId,
    reportDigest,
    decision: 'approve',
    reason: null,
    person: ada,
    signer: personKeys.ada,
  });
  return updateId;
}

/** The model of round 1 that the consortium makes of this very update and of another site's. */
function publishStatisticsOf(site: SyncingSite, updateId: string): void {
  const { payload } = site.store.get(
    site.store.query.selectFrom('model_update').select('payload').where('update_id', '=', updateId),
  ) ?? { payload: new Uint8Array() };
  const { tensors, statistics } = aggregateRound({
    kind: 'statistics',
    plan: samplePlan,
    base: parseSafetensors(initialTensors, { maxBytes: initialTensors.length }),
    updates: [
      { siteId, exampleCount: 40, payload: parseSafetensors(payload, { maxBytes: payload.length }) },
      { siteId: 'hungary', exampleCount: 60, payload: sampleStatisticsTensors(60) },
    ],
  });
  publish(site, encodeSafetensors(tensors), { ...statisticsModel(updateId), statistics });
}

describe('a sync of a site', () => {
  it('seals and sends what was approved, then evaluates the new model on the holdout', async () => {
    const site = createSyncingSite();
    const stages = createStages(site);
    await syncSite(stages, systemActor);
    // The initial model carries no normalisation yet: there is nothing to evaluate it with.
    expect(listEvaluations(site.store, researchStudyId)).toEqual([]);
    const updateId = await runAndApprove(stages);
    const { sent } = await syncSite(stages, systemActor);
    expect(sent).toMatchObject([{ updateId, outcome: 'received' }]);
    publishStatisticsOf(site, updateId);
    site.transport.state.openRound = undefined;
    const { received } = await syncSite(stages, systemActor);
    expect(received).toContainEqual({ record: 'global-model', researchStudyId, round: 1 });
    expect(listEvaluations(site.store, researchStudyId)).toMatchObject([
      { round: 1, exampleCount: 10, correctCount: 5 },
    ]);
    // Nothing is said of a model that a remedy has taken back.
    const remedy = {
      research_study_id: researchStudyId,
      number: 1,
      kind: 'rebuild-model',
      from_round: 1,
      model_digest: initialDigest,
      envelope: new Uint8Array(),
      accepted_at: '2026-11-21T08:00:00.000Z',
    } as const;
    site.store.run(site.store.query.insertInto('remedy').values(remedy));
    expect(listEvaluations(site.store, researchStudyId)).toEqual([]);
    site.close();
  });

  it('is one at a time: who asks while one is under way is given its result', async () => {
    const site = createSyncingSite();
    const { sync } = openExchange(createStages(site));
    const [first, second] = await Promise.all([sync(systemActor), sync(ada)]);
    expect(second).toBe(first);
    expect(site.transport.requests.filter((request) => request === 'GET /v1/trust-list')).toHaveLength(1);
    expect((await sync(systemActor)).received).toEqual([]);
    site.close();
  });

  it('can be asked for again after one that failed', async () => {
    const site = createSyncingSite();
    const { sync } = openExchange(createStages(site));
    site.transport.intercept = () => {
      throw new SyncError('CONNECTION_FAILED', 'no network');
    };
    await expect(sync(systemActor)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    site.transport.intercept = () => undefined;
    const { received } = await sync(systemActor);
    expect(received).toContainEqual({ record: 'global-model', researchStudyId, round: 0 });
    site.close();
  });

  it('sends nothing of a patient who withdrew between the sealing and a later sync (C9)', async () => {
    const site = createSyncingSite();
    const stages = createStages(site);
    await syncSite(stages, systemActor);
    const updateId = await runAndApprove(stages);
    site.transport.intercept = (_request, path) => {
      if (path === '/v1/trust-list') throw new SyncError('CONNECTION_FAILED', 'no network');
      return undefined;
    };
    await expect(syncSite(stages, systemActor)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    expect(findUpdate(site.store, updateId).state).toBe('sealed');
    site.transport.intercept = () => undefined;
    const consents = openConsents({ ...site, days: plainDays, linkageKey: new Uint8Array(32) });
    consents.withdraw({ subjectId: 'patient-7', researchStudyId }, ada);
    expect((await syncSite(stages, systemActor)).sent).toEqual([
      { updateId, outcome: 'refused', code: 'CONSENT_CHANGED', bytes: 0 },
    ]);
    expect(site.transport.requests.filter((request) => request.startsWith('PUT'))).toEqual([]);
    const again = await runAndApprove(stages);
    expect((await syncSite(stages, systemActor)).sent).toMatchObject([
      { updateId: again, outcome: 'received' },
    ]);
    site.close();
  });

  it('sends nothing of a patient who withdrew after the approval (C9)', async () => {
    const site = createSyncingSite();
    const stages = createStages(site);
    await syncSite(stages, systemActor);
    const updateId = await runAndApprove(stages);
    const consents = openConsents({ ...site, days: plainDays, linkageKey: new Uint8Array(32) });
    consents.withdraw({ subjectId: 'patient-7', researchStudyId }, ada);
    const { sent } = await syncSite(stages, systemActor);
    expect(sent).toEqual([{ updateId, outcome: 'refused', code: 'CONSENT_CHANGED', bytes: 0 }]);
    expect(site.transport.requests.filter((request) => request.startsWith('PUT'))).toEqual([]);
    const again = await runAndApprove(stages);
    expect((await syncSite(stages, systemActor)).sent).toMatchObject([
      { updateId: again, outcome: 'received' },
    ]);
    site.close();
  });
});

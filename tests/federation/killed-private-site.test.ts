// A research study with differential privacy between real processes, and kill -9 of a site that trains: a run that left no draft cost
// nothing, one that did is charged once, and the ledger is what the consortium was told.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rdpEpsilon } from '#federation/privacy/rdp-accountant.ts';
import { parseEnvelope } from '#federation/records/envelope.ts';
import { modelUpdateRecord } from '#federation/records/model-update.ts';
import type { PrivacySpecification } from '#federation/records/privacy-plan.ts';
import { parseStatement } from '#federation/records/statement.ts';
import { listSpends } from '#site/update/index.ts';
import { readSiteStore } from '#support/stored-profiles.ts';
import {
  researchStudyId,
  smallTraining,
  startTestFederation,
  type TestFederation,
} from '#support/test-federation.ts';

const killed = 'cleveland';
const other = 'switzerland';
/** Some seconds of private steps. */
const stepCount = 3_000;
const privacy: PrivacySpecification = {
  mechanism: 'dp-sgd',
  unit: 'patient',
  adjacency: 'add-or-remove-one-patient',
  clippingNorm: 1,
  noiseMultiplier: 8,
  samplingRate: 0.05,
  delta: 1e-3,
  epsilonBudget: 8,
  accountant: 'rdp',
};
const cost = { noiseMultiplier: 8, samplingRate: 0.05, steps: stepCount };
let federation: TestFederation;

beforeAll(async () => {
  federation = await startTestFederation({
    siteIds: [killed, other],
    plan: {
      privacy,
      training: {
        ...smallTraining,
        optimizer: { kind: 'sgd', learningRate: 0.001 },
        localUpdates: stepCount,
      },
      rounds: ['statistics', 'training', 'training', 'evaluation'],
    },
  });
});
afterAll(async () => {
  await federation.stop();
  federation.remove();
});

/** What the site's ledger holds, and what its statements of training rounds say, oldest first. */
function readLedger(siteId: string) {
  return readSiteStore(federation.site(siteId), (store) => {
    const rows = store.all(store.query.selectFrom('model_update').select('envelope').orderBy('built_at'));
    const statements = rows
      .map(({ envelope }) => parseStatement(modelUpdateRecord, parseEnvelope(envelope).payload).predicate)
      .flatMap(({ privacy: stated }) => stated ?? []);
    return { spends: listSpends(store, researchStudyId), statements };
  });
}

const epsilonOf = (rounds: number) =>
  rdpEpsilon([{ ...cost, steps: rounds * stepCount }], privacy.delta).epsilon;

describe('a site that is killed while it trains privately', () => {
  it('has spent nothing: nobody saw what it made', async () => {
    await federation.playRound();
    await federation.openRound();
    const { reached } = federation.site(killed);
    await reached.client.sync();
    const run = await reached.client.round.run({ researchStudyId });
    for (let reports = 0; reports < 2; ) {
      const next = await run.next();
      if (next.done === true) throw new Error('the round ended before it could be killed');
      if (next.value.kind === 'progress') reports += 1;
    }
    await federation.killSite(killed);
    expect(readLedger(killed).spends).toEqual([]);
  });

  it('is charged once for the round that it runs again, over another kill', async () => {
    await federation.restartSite(killed);
    const { report } = await federation.prepareUpdate(killed);
    expect(report.privacy).toMatchObject({ epsilonTotal: epsilonOf(1), epsilonBudget: 8, unit: 'patient' });
    await federation.killSite(killed);
    expect(readLedger(killed).spends).toEqual([cost]);
    await federation.restartSite(killed);
    await federation.prepareUpdate(other);
    await federation.finishRound();
  });

  it('goes on counting in the next round, and the consortium takes what it says', async () => {
    await federation.playRound();
    const { spends, statements } = readLedger(killed);
    expect(spends).toEqual([cost, cost]);
    expect(statements.map(({ epsilonTotal }) => epsilonTotal)).toEqual([epsilonOf(1), epsilonOf(2)]);
    await federation.playRound();
    const { rounds } = await federation.status();
    expect(rounds.map(({ round, state }) => `${round} ${state}`)).toEqual([
      '1 closed',
      '2 closed',
      '3 closed',
      '4 closed',
    ]);
    expect(rounds.every(({ received }) => received.length === 2)).toBe(true);
  });
});

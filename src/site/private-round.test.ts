// A training round of a plan with differential privacy: what it costs is checked before, charged with the draft, stated and shown.
import { describe, expect, it } from 'vitest';
import { rdpEpsilon } from '#federation/privacy/rdp-accountant.ts';
import { modelUpdateRecord } from '#federation/records/model-update.ts';
import { verifyRecord } from '#federation/records/record.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { disclosureReport } from '#ipc/schema.ts';
import { decide } from '#site/approval/index.ts';
import { listSpends, listUpdates } from '#site/update/index.ts';
import { ada, personKeys, siteId } from '#support/enrolled-site.ts';
import { refusalCode } from '#support/refusal-code.ts';
import { createRoundSite, type RoundSite, researchStudyId } from '#support/round-site.ts';
import { runRound } from './round.ts';

const actor = { name: 'Ina Vest', role: 'investigator' } as const;
const delta = 1e-3;
const cost = { noiseMultiplier: 1.2, samplingRate: 0.1, steps: 10 };
const epsilonOf = (rounds: number) => rdpEpsilon([{ ...cost, steps: cost.steps * rounds }], delta).epsilon;

function privatePlan(changes: object = {}): Partial<ResearchStudyPlan> {
  return {
    privacy: {
      mechanism: 'dp-sgd',
      unit: 'patient',
      adjacency: 'add-or-remove-one-patient',
      clippingNorm: 1,
      noiseMultiplier: cost.noiseMultiplier,
      samplingRate: cost.samplingRate,
      delta,
      epsilonBudget: 8,
      accountant: 'rdp',
      ...changes,
    },
  };
}

function openSite(changes: object = {}): RoundSite {
  const site = createRoundSite({ plan: privatePlan(changes) });
  site.open('training');
  return site;
}

async function run(site: RoundSite) {
  const signal = new AbortController().signal;
  const { updateId } = await runRound(site, { researchStudyId, actor, signal, onEvent: () => {} });
  const row = site.store.get(
    site.store.query.selectFrom('model_update').selectAll().where('update_id', '=', updateId),
  );
  if (row === undefined) throw new Error('no row');
  const trust = site.agreement.trustedKeys();
  const { predicate } = verifyRecord(modelUpdateRecord, row.envelope, {
    trust,
    atMs: site.clock.nowMs(),
    siteId,
  });
  return { updateId, row, predicate, report: disclosureReport.parse(JSON.parse(row.report)) };
}

function refuse(site: RoundSite, updateId: string): void {
  const reportDigest = site.store.get(
    site.store.query.selectFrom('model_update').select('report_digest').where('update_id', '=', updateId),
  )?.report_digest;
  decide({
    ...site,
    updateId,
    reportDigest: reportDigest ?? '',
    decision: 'refuse',
    reason: 'not this one',
    person: ada,
    signer: personKeys.ada,
  });
}

describe('a training round with differential privacy', () => {
  it('trains privately and says what it cost, in the statement, the report and the log', async () => {
    const site = openSite();
    const { predicate, report } = await run(site);
    expect(site.trainingHost.jobs).toMatchObject([
      { privacy: { clippingNorm: 1, noiseMultiplier: 1.2, samplingRate: 0.1 } },
    ]);
    const promise = {
      unit: 'patient',
      adjacency: 'add-or-remove-one-patient',
      accountant: 'rdp',
      delta,
      epsilonThisRound: epsilonOf(1),
      epsilonTotal: epsilonOf(1),
    };
    expect(predicate.privacy).toEqual({ mechanism: 'dp-sgd', clippingNorm: 1, ...cost, ...promise });
    expect(report.privacy).toEqual({ ...promise, epsilonBudget: 8, isAboveWarning: false });
    expect(report.notices).toEqual(['no-secure-aggregation']);
    expect(site.events()).toContain('privacy-spend success');
    expect(listSpends(site.store, researchStudyId)).toEqual([cost]);
    site.close();
  });

  it('keeps the losses, which have no noise, out of statement, report, record and log', async () => {
    const site = openSite();
    const { predicate, report } = await run(site);
    expect(predicate.metrics).toEqual({ before: null, after: null, calibration: null });
    expect(report.metrics).toEqual({ lossBefore: null, lossAfter: null });
    const stored = site.store.get(site.store.query.selectFrom('training_run').select('result'));
    expect(JSON.parse(stored?.result ?? '')).toMatchObject({
      lossBefore: null,
      lossAfter: null,
      lossCurve: [],
    });
    const lines = site.store.all(site.store.query.selectFrom('audit_detail').select('detail'));
    // The counting host says 0.7 and 0.6.
    expect(lines.filter(({ detail }) => /0\.[67]\b/.test(detail))).toEqual([]);
    site.close();
  });

  it('warns where the total is above what the plan calls a strong promise', async () => {
    const site = openSite({ warnAboveEpsilon: 0.5 });
    expect((await run(site)).report.privacy?.isAboveWarning).toBe(true);
    site.close();
  });

  it('is charged again when it is run again, though the first draft was refused', async () => {
    const site = openSite();
    const first = await run(site);
    refuse(site, first.updateId);
    site.clock.advance(1000);
    const second = await run(site);
    expect(second.predicate.privacy).toMatchObject({
      epsilonThisRound: epsilonOf(1),
      epsilonTotal: epsilonOf(2),
    });
    expect(listSpends(site.store, researchStudyId)).toEqual([cost, cost]);
    site.close();
  });

  it('is refused before any gradient where the budget does not reach', async () => {
    const site = openSite({ epsilonBudget: (epsilonOf(1) + epsilonOf(2)) / 2, warnAboveEpsilon: 0.1 });
    await run(site);
    await expect(run(site)).rejects.toMatchObject({ code: 'PRIVACY_BUDGET_SPENT' });
    expect(site.trainingHost.jobs).toHaveLength(1);
    expect(site.events()).toContain('training-failed failed PRIVACY_BUDGET_SPENT');
    expect(listSpends(site.store, researchStudyId)).toHaveLength(1);
    site.close();
  });

  it('is refused where delta would let one of its patients be published in full', async () => {
    // Twenty patients.
    const site = openSite({ delta: 0.05 });
    await expect(run(site)).rejects.toMatchObject({ code: 'DELTA_TOO_LARGE' });
    expect(site.trainingHost.jobs).toEqual([]);
    site.close();
  });

  it('costs nothing where it left no draft', async () => {
    const site = openSite();
    site.trainingHost.whileTraining = () => {
      throw new Error('planted');
    };
    await expect(run(site)).rejects.toThrow('planted');
    expect(listSpends(site.store, researchStudyId)).toEqual([]);
    site.close();
  });

  it('is charged and drafted together or not at all', async () => {
    const site = openSite();
    const append = site.auditLog.append.bind(site.auditLog);
    const auditLog = {
      ...site.auditLog,
      append: (event: Parameters<typeof append>[0]) => {
        if (event.action === 'update-built') throw new Error('planted');
        return append(event);
      },
    };
    await expect(run({ ...site, auditLog } as RoundSite)).rejects.toThrow('planted');
    expect(listSpends(site.store, researchStudyId)).toEqual([]);
    expect(listUpdates(site.store)).toEqual([]);
    site.close();
  });

  it('stays charged: no row of the ledger is changed or deleted', async () => {
    const site = openSite();
    await run(site);
    const { query } = site.store;
    for (const change of [
      query.deleteFrom('privacy_spend'),
      query.updateTable('privacy_spend').set({ steps: 1 }),
    ])
      expect(() => site.store.run(change)).toThrow('PRIVACY_SPEND_STAYS');
    site.close();
  });

  it('says nothing of privacy where the plan asks for none', async () => {
    const site = createRoundSite();
    site.open('training');
    const { predicate, report } = await run(site);
    expect(predicate.privacy).toBeNull();
    expect(report).not.toHaveProperty('privacy');
    expect(listSpends(site.store, researchStudyId)).toEqual([]);
    site.close();
  });

  it('is of no plan that a site accepts with its own normalisation', () => {
    const plan = { ...privatePlan(), normalisation: { scope: 'site' } } as const;
    expect(refusalCode(() => createRoundSite({ plan }))).toBe('PLAN_NOT_SUPPORTED');
  });
});

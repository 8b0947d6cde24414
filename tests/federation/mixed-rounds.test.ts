// Offline bundles among online syncs, late, lost, twice and out of order: nothing is lost, nothing counts twice, and no alarm is false.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFreshSite } from '#support/attacked-federation.ts';
import {
  type CarriedFederation,
  type FederationSeed,
  openCarried,
  researchStudyId,
  seedFederation,
} from '#support/carried-federation.ts';

let seed: FederationSeed;
let federation: CarriedFederation;

beforeAll(async () => {
  seed = await seedFederation();
  federation = await openCarried(seed);
  await federation.serve();
});
afterAll(async () => {
  await federation.close();
  seed.remove();
});

const operations = () => federation.consortium.operations;
const cleveland = () => federation.sites.cleveland;
const switzerland = () => federation.sites.switzerland;
const exportOut = (medium: string) => {
  const { site, steward } = cleveland();
  return site.bundle.export({ directory: medium, researchStudyId }, steward);
};
const readAtCleveland = (medium: string) => cleveland().site.bundle.import(medium, cleveland().steward);
const readAtConsortium = (medium: string) => operations().importBundle({ directory: medium });
const bundleForCleveland = async (medium = federation.medium()) => {
  await operations().exportBundle({ siteId: 'cleveland', researchStudyId, directory: medium });
  return medium;
};
const received = async () => {
  const { researchStudies } = await operations().status({});
  return researchStudies[0]?.rounds.map(({ received: updates }) =>
    updates.map(({ siteId }) => siteId).sort(),
  );
};

describe('bundles among online syncs', () => {
  let lateIn: string;
  let lateOut: string;
  let withdrawn: string[];

  it('an update that left on a medium and then online counts once', async () => {
    await operations().openRound({ researchStudyId });
    lateIn = await bundleForCleveland();
    await readAtCleveland(lateIn);
    await cleveland().prepare();
    lateOut = federation.medium();
    expect((await exportOut(lateOut)).updates).toMatchObject([{ outcome: 'written', code: null }]);
    const { sent } = await cleveland().site.sync(cleveland().steward);
    expect(sent).toMatchObject([{ outcome: 'received', code: null }]);
    const read = await readAtConsortium(lateOut);
    expect(read.items.map(({ item, outcome }) => [item, outcome])).toEqual([
      ['update', 'received'],
      ['log-checkpoint', 'overtaken'],
    ]);
    expect(await received()).toEqual([['cleveland']]);
  });

  it('the same medium again changes nothing, and is logged as a repetition', async () => {
    const again = await readAtConsortium(lateOut);
    expect(again).toMatchObject({ isRepeat: true, sequence: 1, missing: [] });
    expect(again.items.every(({ outcome }) => outcome !== 'refused')).toBe(true);
    expect(await received()).toEqual([['cleveland']]);
    const repeated = await readAtCleveland(lateIn);
    expect(repeated).toMatchObject({ isRepeat: true, received: [] });
  });

  it('a bundle that an online sync has overtaken takes nothing back', async () => {
    await switzerland().site.sync(switzerland().steward);
    await switzerland().prepare();
    const overtaken = await bundleForCleveland();
    await switzerland().site.sync(switzerland().steward);
    await cleveland().site.sync(cleveland().steward);
    expect(await federation.models()).toHaveLength(2);
    const read = await readAtCleveland(overtaken);
    expect(read).toMatchObject({ isOvertaken: true, isRepeat: false, received: [], receipts: [] });
    const { site, steward } = cleveland();
    const refused = site.audit.list({ search: 'ROLLBACK', action: '', offset: 0, limit: 10 }, steward);
    expect(refused.total).toBe(0);
  });

  it('gaps are shown, and what was lost comes with the next bundle', async () => {
    await operations().openRound({ researchStudyId });
    await bundleForCleveland(); // lost on its way
    const third = await bundleForCleveland();
    const read = await readAtCleveland(third);
    expect(read).toMatchObject({ sequence: 4, missing: [3], isOvertaken: false });
    expect(read.received.map(({ record }) => record)).toEqual(['round']);
    await cleveland().prepare();
    const lost = await exportOut(federation.medium());
    const next = federation.medium();
    await exportOut(next);
    expect(lost.sequence).toBe(2);
    const taken = await readAtConsortium(next);
    expect(taken).toMatchObject({ sequence: 3, missing: [2] });
    expect(taken.items).toMatchObject([
      { item: 'update', outcome: 'received' },
      { item: 'log-checkpoint', outcome: 'received' },
    ]);
  });

  it('a round that is half by medium and half online closes, and the receipt comes either way', async () => {
    await switzerland().site.sync(switzerland().steward);
    await switzerland().prepare();
    await switzerland().site.sync(switzerland().steward);
    expect(await received()).toEqual([
      ['cleveland', 'switzerland'],
      ['cleveland', 'switzerland'],
    ]);
    const read = await federation.bring('cleveland');
    expect(read.receipts).toHaveLength(1);
    expect(read.received.map(({ record }) => record)).toEqual(['global-model']);
    const { sent } = await cleveland().site.sync(cleveland().steward);
    expect(sent).toEqual([]);
    expect(await federation.models()).toHaveLength(3);
  });

  it('an update of a patient who withdrew does not leave on a second medium, and its receipt is still taken', async () => {
    await operations().openRound({ researchStudyId });
    await federation.bring('cleveland');
    await cleveland().prepare();
    const medium = federation.medium();
    await exportOut(medium);
    const { site, steward } = cleveland();
    const { rows } = site.consent.list(
      { researchStudyId: null, decision: 'permit', search: '', offset: 0, limit: 5 },
      steward,
    );
    withdrawn = rows.map(({ subjectId }) => subjectId);
    for (const subjectId of withdrawn)
      await site.consent.withdraw({ subjectId, researchStudyId: null }, steward);
    const second = await exportOut(federation.medium());
    expect(second.updates).toMatchObject([{ outcome: 'refused', code: 'CONSENT_CHANGED', bytes: 0 }]);
    expect((await readAtConsortium(medium)).items[0]).toMatchObject({ item: 'update', outcome: 'received' });
    const { receipts } = await federation.bring('cleveland');
    expect(receipts).toEqual(second.updates.map(({ updateId }) => updateId));
  });

  it("a request for the plan's remedy and the remedy go by media, and what has arrived is not sent again", async () => {
    const { site, steward } = cleveland();
    const asking = withdrawn.find((subjectId) =>
      site.consent.rounds(subjectId, steward).some(({ round, remedy }) => round === 2 && remedy !== null),
    );
    expect(asking).toBeDefined();
    site.consent.requestRemedy({ subjectId: asking ?? '', researchStudyId }, steward);
    for (const isRepeat of [false, true]) {
      const medium = federation.medium();
      expect(await exportOut(medium)).toMatchObject({ remedyRequests: 1 });
      const { items } = await readAtConsortium(medium);
      expect([isRepeat, items.filter(({ item }) => item === 'remedy-request')]).toMatchObject([
        isRepeat,
        [{ outcome: 'received', code: null }],
      ]);
    }
    expect(await operations().carryOutRemedy({ researchStudyId })).toMatchObject({
      requestCount: 1,
      fromRound: 2,
    });
    const read = await federation.bring('cleveland');
    expect(read.received).toEqual([{ record: 'remedy', researchStudyId, round: 2 }]);
    expect(await exportOut(federation.medium())).toMatchObject({ remedyRequests: 0 });
  });

  it('a newer trust list comes by bundle as it does online, and an older one afterwards takes nothing back', async () => {
    const older = await bundleForCleveland();
    const fresh = await createFreshSite(federation, 'hungary');
    const { invitation } = await operations().invite({ siteId: 'hungary', name: 'Hospital of Hungary' });
    const { person, secret } = fresh;
    const stewards = [{ name: person.name, secret }];
    await fresh.site.enrolment.accept({ invitation, stewards, actor: person });
    await fresh.site.close();
    await cleveland().site.sync(cleveland().steward);
    expect(await readAtCleveland(older)).toMatchObject({ isOvertaken: true, received: [] });
    const read = await federation.bring('switzerland');
    expect(read.received.map(({ record }) => record)).toContain('trust-list');
    for (const { site, steward } of [cleveland(), switzerland()]) {
      const query = { search: '', action: 'trust-list-refused', offset: 0, limit: 10 };
      expect(site.audit.list(query, steward).total).toBe(0);
    }
  });

  it('every log verifies after all that', async () => {
    expect((await operations().verifyAudit({})).verified).toBe(true);
    for (const { site, steward } of [cleveland(), switzerland()])
      expect(site.audit.verify(steward).verified).toBe(true);
  });
});

// Rounds by offline bundles: the same models, bit by bit, as over the network from the same state; mixed with online rounds in any order.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CarriedFederation,
  type FederationSeed,
  openCarried,
  researchStudyId,
  seedFederation,
  siteIds,
} from '#support/carried-federation.ts';

let seed: FederationSeed;
let online: CarriedFederation;
let carried: CarriedFederation;

beforeAll(async () => {
  seed = await seedFederation();
  online = await openCarried(seed);
  await online.serve();
  for (let round = 1; round <= 3; round += 1) await playOnline(online);
  carried = await openCarried(seed);
});
afterAll(async () => {
  await online.close();
  await carried.close();
  seed.remove();
});

async function playOnline({ consortium, sites }: CarriedFederation): Promise<void> {
  await consortium.operations.openRound({ researchStudyId });
  for (const siteId of siteIds) {
    const { site, steward, prepare } = sites[siteId];
    await site.sync(steward);
    await prepare();
    await site.sync(steward);
  }
}

async function playCarried(federation: CarriedFederation): Promise<void> {
  await federation.consortium.operations.openRound({ researchStudyId });
  for (const siteId of siteIds) {
    await federation.bring(siteId);
    await federation.sites[siteId].prepare();
    const { items, missing } = await federation.take(siteId);
    expect(items.map(({ item, outcome, code }) => [item, outcome, code])).toEqual([
      ['update', 'received', null],
      ['log-checkpoint', 'received', null],
    ]);
    expect(missing).toEqual([]);
  }
}

describe('a research study by offline bundles', () => {
  it('is played to its end without a network', async () => {
    for (let round = 1; round <= 3; round += 1) await playCarried(carried);
    for (const siteId of siteIds) {
      const { receipts, isOvertaken } = await carried.bring(siteId);
      expect(receipts).toHaveLength(1);
      expect(isOvertaken).toBe(false);
    }
  });

  it('gives the very models that it gives online', async () => {
    const models = await carried.models();
    expect(models).toHaveLength(4);
    expect(new Set(models).size).toBeGreaterThan(2);
    expect(models).toEqual(await online.models());
  });

  it('leaves logs that verify, with each bundle and each update in them once', async () => {
    expect((await carried.consortium.operations.verifyAudit({})).verified).toBe(true);
    for (const siteId of siteIds) {
      const { site, steward } = carried.sites[siteId];
      expect(site.audit.verify(steward).verified).toBe(true);
      const count = (action: string) =>
        site.audit.list({ search: '', action, offset: 0, limit: 100 }, steward).total;
      expect(count('bundle-written')).toBe(3);
      expect(count('bundle-read')).toBe(4);
      expect(count('update-sent')).toBe(3);
      expect(count('receipt-received')).toBe(3);
      expect(site.evaluations(researchStudyId).length).toBeGreaterThan(0);
    }
  });
});

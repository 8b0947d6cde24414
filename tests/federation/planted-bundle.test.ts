// E21 on media: a patient planted into the exports of both hospitals, and the tensors of their updates, are in no byte of any bundle of a
// whole research study, in neither direction, while the hospital's own steward finds the patient.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CarriedFederation,
  type FederationSeed,
  openCarried,
  researchStudyId,
  seedFederation,
  siteIds,
} from '#support/carried-federation.ts';
import { findTracesBelow, plant, plantPatient } from '#support/planted-patient.ts';
import { readSiteStore } from '#support/stored-profiles.ts';

let seed: FederationSeed;
let federation: CarriedFederation;
/** Every medium that was carried, and of them those to the consortium. */
const media: string[] = [];
const outgoing: string[] = [];
const medium = (...lists: string[][]) => {
  const folder = federation.medium();
  for (const list of [media, ...lists]) list.push(folder);
  return folder;
};

beforeAll(async () => {
  seed = await seedFederation(plantPatient);
  federation = await openCarried(seed);
  for (let round = 1; round <= 3; round += 1) {
    await federation.consortium.operations.openRound({ researchStudyId });
    for (const siteId of siteIds) {
      await federation.bring(siteId, medium());
      await federation.sites[siteId].prepare();
      await federation.take(siteId, medium(outgoing));
    }
  }
  for (const siteId of siteIds) await federation.bring(siteId, medium());
});
afterAll(async () => {
  await federation.close();
  seed.remove();
});

describe('a planted patient', () => {
  it('is in the research study: the steward finds them', () => {
    const { site, steward } = federation.sites.cleveland;
    const query = { researchStudyId: null, decision: null, search: plant.family, offset: 0, limit: 10 };
    expect(site.consent.list(query, steward).rows).toHaveLength(1);
    expect(media).toHaveLength(3 * 2 * 2 + 2);
  });

  it('is in no byte and no name of a bundle', () => {
    const files = media.flatMap((folder) => findTracesBelow(folder));
    expect(files.filter(({ file }) => file.endsWith('.consilium-update'))).toHaveLength(6);
    expect(files.filter(({ found }) => found.length > 0)).toEqual([]);
  });

  it("nor does anything of an update's tensors leave but under the seal", () => {
    expect(outgoing).toHaveLength(6);
    const carried = Buffer.concat(
      outgoing.flatMap((folder) =>
        readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => readFileSync(path.join(entry.parentPath, entry.name))),
      ),
    );
    for (const siteId of siteIds) {
      const payloads = readSiteStore(federation.sites[siteId], (store) =>
        store.all(store.query.selectFrom('model_update').select('payload')),
      );
      expect(payloads).toHaveLength(3);
      for (const { payload } of payloads) {
        expect(payload.length).toBeGreaterThan(64);
        // The end of the tensors: safetensors' header is the same for everybody.
        expect(carried.includes(Buffer.from(payload.subarray(payload.length - 32)))).toBe(false);
      }
    }
  });
});

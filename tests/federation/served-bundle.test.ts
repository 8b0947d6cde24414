// Bundles through processes that hold the profiles: both commands reach the running `serve` on either side.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { researchStudyId, startTestFederation, type TestFederation } from '#support/test-federation.ts';

let federation: TestFederation;

beforeAll(async () => {
  federation = await startTestFederation({ siteIds: ['cleveland', 'switzerland'], isImported: false });
});
afterAll(async () => {
  await federation.stop();
  federation.remove();
});

describe('bundles between running programs', () => {
  it('go both ways', async () => {
    const { processes, directory, current, openRound } = federation;
    await openRound();
    const medium = path.join(directory, 'medium');
    mkdirSync(medium);
    const { consortium } = current();
    const order = ['--site', 'cleveland', '--research-study', researchStudyId, '--out', medium];
    expect(await processes.run(['consortium', 'bundle', 'export', ...order, ...consortium])).toMatchObject({
      ok: true,
      kind: 'in',
      sequence: 1,
      openRound: 1,
    });
    const { client } = federation.site('cleveland').reached;
    const read = await client.bundle.import({ directory: medium });
    expect(read.received.map(({ record }) => record)).toEqual(expect.arrayContaining(['plan', 'round']));
    // The medium still holds what came: the way back takes another one.
    const refused = client.bundle.export({ directory: medium, researchStudyId });
    await expect(refused).rejects.toMatchObject({ code: 'BUNDLE_IN_THE_WAY' });
    const back = path.join(directory, 'back');
    mkdirSync(back);
    expect(await client.bundle.export({ directory: back, researchStudyId: null })).toMatchObject({
      kind: 'out',
      sequence: 1,
      updates: [],
    });
    expect(await processes.run(['consortium', 'bundle', 'import', back, ...consortium])).toMatchObject({
      siteId: 'cleveland',
      missing: [],
      items: [{ item: 'log-checkpoint', outcome: 'received', code: null }],
    });
  });
});

// R5: one hospital, with all of its own keys, cannot keep a round from closing or the consortium from starting.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttackedFederation, startAttackedFederation } from '#support/attacked-federation.ts';
import { type Attack, lie } from '#support/forged-update.ts';

let federation: AttackedFederation;

let attack: Attack;

beforeAll(async () => {
  federation = await startAttackedFederation();
  await federation.openRound();
  await federation.finishRound();
  await federation.openRound();
  const genuine = await federation.cleveland.sealed();
  attack = { federation, site: federation.cleveland, opened: await federation.open(genuine) };
});
afterAll(() => federation.close());

describe('an update that counts more examples than can be summed', () => {
  it.each([Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1000, 1e12])(
    'is refused for %d of them, so that the round closes',
    async (exampleCount) => {
      const answer = await federation.send(attack.site, await lie(attack, { claims: { exampleCount } }));
      expect(answer.code).toBe('BAD_STATEMENT');
      expect(federation.log().at(-1)).toMatchObject({ outcome: 'refused', reason: 'BAD_STATEMENT' });
      expect(await federation.counted()).toEqual([]);
    },
  );

  it('does not keep the others from finishing', async () => {
    await federation.finishRound();
    const { researchStudies } = await federation.consortium.operations.status({});
    expect(researchStudies[0]?.models.at(-1)).toMatchObject({ round: 2 });
  });
});

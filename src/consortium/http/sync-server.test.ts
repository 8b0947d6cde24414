import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toBase64, utf8 } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { signCheckpoint } from '#federation/log/checkpoint.ts';
import { researchStudySummaries, routes } from '#federation/sync-contract/routes.ts';
import {
  beginSampleStudy,
  buildUpdate,
  type ConsortiumWorld,
  enrol,
  fetchOpening,
  openWorld,
  type SiteKeys,
} from '#support/consortium-world.ts';
import { samplePlan } from '#support/sample-plan.ts';

const { researchStudyId } = samplePlan;
const minuteMs = 60_000;

let world: ConsortiumWorld;
let cleveland: SiteKeys;

beforeEach(async () => {
  world = await openWorld();
  ({ cleveland } = await beginSampleStudy(world));
});

afterEach(() => world.close());

const ofRoute: Record<keyof typeof routes, object> = {
  enrol: {},
  trustList: {},
  researchStudies: {},
  plan: { parameters: { researchStudyId } },
  openRound: { parameters: { researchStudyId } },
  model: { parameters: { researchStudyId, round: 0 } },
  modelTensors: { parameters: { researchStudyId, round: 0 } },
  modelProof: { parameters: { researchStudyId, round: 0 } },
  logConsistency: { parameters: { oldSize: 1, size: 2 } },
  update: { parameters: { bundleId: 'ab'.repeat(32) }, body: utf8('x') },
  logCheckpoint: { body: utf8('x') },
};
const signedRoutes = (Object.keys(routes) as (keyof typeof routes)[]).filter((name) => routes[name].isSigned);

describe('every route but the enrolment', () => {
  it.each(signedRoutes)('%s refuses a request without a signature', async (name) => {
    const unsign = (headers: Record<string, string>) => ({ host: headers.host ?? '' });
    expect(await world.send(cleveland, name, { ...ofRoute[name], tamper: unsign })).toMatchObject({
      status: 401,
      code: 'BAD_REQUEST_SIGNATURE',
    });
  });

  it.each(signedRoutes)('%s refuses a key that is not enrolled', async (name) => {
    const stranger = { ...cleveland, signing: createSigningKey(sha256(utf8('stranger'))) };
    expect(await world.send(stranger, name, ofRoute[name])).toMatchObject({
      status: 403,
      code: 'KEY_NOT_TRUSTED',
    });
  });

  it.each(signedRoutes)('%s refuses the same request a second time', async (name) => {
    let recorded: Record<string, string> | undefined;
    const record = (headers: Record<string, string>) => {
      recorded ??= headers;
      return recorded;
    };
    await world.send(cleveland, name, { ...ofRoute[name], tamper: record });
    expect((await world.send(cleveland, name, { ...ofRoute[name], tamper: record })).code).toBe(
      'REPLAYED_REQUEST',
    );
  });

  it('refuses a steward, a log key and a request from another time', async () => {
    for (const signing of [cleveland.steward, cleveland.log]) {
      expect((await world.send({ ...cleveland, signing }, 'trustList')).code).toBe('KEY_NOT_TRUSTED');
    }
    const late = (headers: Record<string, string>) => {
      world.clock.advance(6 * minuteMs);
      return headers;
    };
    expect((await world.send(cleveland, 'trustList', { tamper: late })).code).toBe('STALE_REQUEST');
  });

  it('refuses a request that was sent to another server, and one whose signature was made for it', async () => {
    const relay = (headers: Record<string, string>) => ({ ...headers, host: 'other.example' });
    expect((await world.send(cleveland, 'trustList', { tamper: relay })).code).toBe('BAD_REQUEST_SIGNATURE');
  });

  it('refuses a body that was changed on the way', async () => {
    const opening = await openRound();
    const { file, bundleId } = await buildUpdate(world, cleveland, opening);
    const changed = (headers: Record<string, string>) => ({
      ...headers,
      'content-digest': `sha-256=:${toBase64(sha256(utf8('other')))}:`,
    });
    expect(
      (await world.send(cleveland, 'update', { parameters: { bundleId }, body: file, tamper: changed })).code,
    ).toBe('BAD_REQUEST_SIGNATURE');
  });
});

async function openRound() {
  await world.consortium.operations.openRound({ researchStudyId });
  return fetchOpening(world, cleveland);
}

describe('a site', () => {
  it('sees its own research studies and their open round', async () => {
    const read = async () =>
      researchStudySummaries.parse(
        JSON.parse(new TextDecoder().decode((await world.send(cleveland, 'researchStudies')).body)),
      );
    expect(await read()).toEqual([
      { researchStudyId, planVersion: 1, latestModelRound: 0, openRound: null, attempt: null },
    ]);
    expect((await world.send(cleveland, 'openRound', { parameters: { researchStudyId } })).status).toBe(204);
    await openRound();
    expect(await read()).toEqual([
      { researchStudyId, planVersion: 1, latestModelRound: 0, openRound: 1, attempt: 1 },
    ]);
  });

  it("sees nothing of another one's research study, as if it were not there", async () => {
    const stranger = await enrol(world, 'switzerland');
    await openRound();
    expect(new TextDecoder().decode((await world.send(stranger, 'researchStudies')).body)).toBe('[]');
    for (const name of ['plan', 'openRound', 'model', 'modelTensors', 'modelProof'] as const) {
      const own = await world.send(stranger, name, ofRoute[name]);
      const absent = await world.send(stranger, name, {
        parameters: { researchStudyId: 'no-such-study', round: 0 },
      });
      expect([own.status, own.code]).toEqual([404, 'NOT_FOUND']);
      expect(own).toEqual(absent);
    }
  });

  it('is told that a model is not there yet', async () => {
    expect((await world.send(cleveland, 'model', { parameters: { researchStudyId, round: 1 } })).code).toBe(
      'NOT_FOUND',
    );
  });
});

describe('sizes', () => {
  it('an update that no plan allows is refused before its body is read', async () => {
    const body = new Uint8Array(samplePlan.limits.maxUpdateBytes + 1024 * 1024 + 1);
    const answer = await world.send(cleveland, 'update', { parameters: { bundleId: 'ab'.repeat(32) }, body });
    expect([answer.status, answer.code]).toEqual([413, 'BODY_TOO_LARGE']);
  });

  it('other bodies are small', async () => {
    for (const name of ['enrol', 'logCheckpoint'] as const) {
      const answer = await world.send(cleveland, name, { body: new Uint8Array(300 * 1024) });
      expect([answer.status, answer.code]).toEqual([413, 'BODY_TOO_LARGE']);
    }
  });
});

describe('rates', () => {
  it('an address that tries many enrolments is told to wait', async () => {
    const codes: (string | undefined)[] = [];
    for (let count = 0; count < 61; count += 1) {
      codes.push((await world.send(cleveland, 'enrol', { body: utf8('{}') })).code);
    }
    expect(codes[0]).toBe('BAD_STATEMENT');
    expect(codes[60]).toBe('TOO_MANY_REQUESTS');
  });
});

describe("a site's checkpoints", () => {
  const origin = 'consilium.example/site/cleveland/log';
  const note = (
    size: number,
    content: string,
    options: { origin?: string; key?: SiteKeys['log'] } = {},
  ): Uint8Array =>
    utf8(
      signCheckpoint(
        { origin: options.origin ?? origin, size, rootHash: sha256(utf8(content)) },
        options.key ?? cleveland.log,
      ),
    );

  it('are kept, and the same one changes nothing', async () => {
    for (const body of [note(5, 'a'), note(5, 'a'), note(9, 'b')]) {
      expect((await world.send(cleveland, 'logCheckpoint', { body })).status).toBe(204);
    }
    const { sites } = await world.consortium.operations.status({});
    expect(sites.find(({ siteId }) => siteId === 'cleveland')?.checkpoint?.size).toBe(9);
  });

  const refused: readonly [what: string, code: string, body: () => Uint8Array][] = [
    ['a shorter log', 'LOG_ROLLBACK', () => note(4, 'a')],
    ['another root at the same size', 'LOG_ROLLBACK', () => note(5, 'other')],
    ['another log', 'LOG_ROLLBACK', () => note(6, 'c', { origin: 'consilium.example/site/other/log' })],
    ["the signing key's signature", 'LOG_KEY_NOT_TRUSTED', () => note(6, 'c', { key: cleveland.signing })],
    ['no note', 'BAD_CHECKPOINT', () => utf8('hello')],
  ];

  it.each(refused)('are refused for %s', async (_what, code, body) => {
    await world.send(cleveland, 'logCheckpoint', { body: note(5, 'a') });
    expect((await world.send(cleveland, 'logCheckpoint', { body: body() })).code).toBe(code);
    const { sites } = await world.consortium.operations.status({});
    expect(sites.find(({ siteId }) => siteId === 'cleveland')?.checkpoint?.size).toBe(5);
  });
});

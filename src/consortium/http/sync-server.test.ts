import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toBase64, utf8 } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { signCheckpoint } from '#federation/log/checkpoint.ts';
import { encodeLogExtension, parseLogExtension } from '#federation/log/log-extension.ts';
import { researchStudySummaries, routes } from '#federation/sync-contract/routes.ts';
import {
  beginSampleStudy,
  buildUpdate,
  type ConsortiumWorld,
  enrol,
  fetchOpening,
  openWorld,
  readLog,
  type SiteKeys,
} from '#support/consortium-world.ts';
import { samplePlan } from '#support/sample-plan.ts';
import { createShownLog } from '#support/shown-log.ts';

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
  remedy: { parameters: { researchStudyId, remedy: 1 } },
  model: { parameters: { researchStudyId, round: 0 } },
  modelTensors: { parameters: { researchStudyId, round: 0 } },
  modelProof: { parameters: { researchStudyId, round: 0 } },
  logConsistency: { parameters: { oldSize: 1, size: 2 } },
  update: { parameters: { bundleId: 'ab'.repeat(32) }, body: utf8('x') },
  remedyRequest: { body: utf8('x') },
  remedyAnswer: { parameters: { requestDigest: 'ab'.repeat(32) } },
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
      { researchStudyId, planVersion: 1, remedy: 0, latestModelRound: 0, openRound: null, attempt: null },
    ]);
    expect((await world.send(cleveland, 'openRound', { parameters: { researchStudyId } })).status).toBe(204);
    await openRound();
    expect(await read()).toEqual([
      { researchStudyId, planVersion: 1, remedy: 0, latestModelRound: 0, openRound: 1, attempt: 1 },
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
  const send = (body: Uint8Array) => world.send(cleveland, 'logCheckpoint', { body });
  const heldSize = async () => {
    const { sites } = await world.consortium.operations.status({});
    return sites.find(({ siteId }) => siteId === 'cleveland')?.checkpoint?.size;
  };
  const absurd = (size: number) =>
    utf8(
      encodeLogExtension({
        oldSize: 0,
        proof: [],
        note: signCheckpoint({ origin: 'log', size, rootHash: sha256(utf8('a')) }, cleveland.log),
      }),
    );

  it('are kept, and the same one changes nothing', async () => {
    const log = createShownLog(cleveland);
    for (const body of [log.show(0, 5), log.show(0, 5), log.show(5, 9)]) {
      expect((await send(body)).status).toBe(204);
    }
    expect(await heldSize()).toBe(9);
  });

  const refused: readonly [what: string, code: string, body: () => Uint8Array][] = [
    ['a shorter log', 'LOG_ROLLBACK', () => createShownLog(cleveland).show(0, 4)],
    ['another root at the same size', 'LOG_ROLLBACK', () => createShownLog(cleveland, 3).show(0, 5)],
    ['a longer log that was forked before', 'LOG_ROLLBACK', () => createShownLog(cleveland, 3).show(5, 8)],
    [
      'another log',
      'LOG_ROLLBACK',
      () => createShownLog(cleveland).show(5, 6, { origin: 'consilium.example/site/other/log' }),
    ],
    [
      "the signing key's signature",
      'LOG_KEY_NOT_TRUSTED',
      () => createShownLog(cleveland).show(5, 6, { key: cleveland.signing }),
    ],
    ['more entries than any log has', 'BAD_CHECKPOINT', () => absurd(1_000_000_001)],
    ['as many entries as can be written', 'BAD_CHECKPOINT', () => absurd(Number.MAX_SAFE_INTEGER)],
    ['no note', 'BAD_CHECKPOINT', () => utf8('hello')],
    ['no proof', 'LOG_ROLLBACK', () => withoutHashes(createShownLog(cleveland).show(5, 8))],
  ];

  it.each(refused)('are refused for %s, which is logged', async (_what, code, body) => {
    await send(createShownLog(cleveland).show(0, 5));
    expect((await send(body())).code).toBe(code);
    expect(await heldSize()).toBe(5);
  });

  it('with a proof from another size than the one held are answered with that size', async () => {
    const log = createShownLog(cleveland);
    await send(log.show(0, 5));
    const answer = await send(log.show(3, 8));
    expect([answer.status, answer.code]).toEqual([409, 'STALE_CHECKPOINT']);
    expect(JSON.parse(new TextDecoder().decode(answer.body)).error.details.expected).toBe(5);
    expect((await send(log.show(5, 8))).status).toBe(204);
  });

  const withoutHashes = (body: Uint8Array): Uint8Array => {
    const { note, oldSize } = parseLogExtension(new TextDecoder().decode(body));
    return utf8(encodeLogExtension({ oldSize, proof: [], note }));
  };
});

describe('requests that nobody trusted signed', () => {
  const unsign = (headers: Record<string, string>) => ({ ...headers, signature: 'consilium=:x:' });

  it('are one log entry for each reason, and soon answered no more', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'consilium-unsigned-'));
    const storeFile = join(folder, 'consortium.db');
    const onDisk = await openWorld({ storeFile });
    try {
      const site = (await beginSampleStudy(onDisk)).cleveland;
      const stranger = { ...site, signing: createSigningKey(sha256(utf8('stranger'))) };
      const before = readLog(storeFile, onDisk.keys).length;
      for (let count = 0; count < 30; count += 1) {
        await onDisk.send(site, 'update', { ...ofRoute.update, tamper: unsign });
        await onDisk.send(stranger, 'update', ofRoute.update);
      }
      expect(readLog(storeFile, onDisk.keys)).toHaveLength(before);
      await onDisk.close();
      const entry = { action: 'update-received', outcome: 'refused' };
      expect(readLog(storeFile, onDisk.keys).slice(before)).toEqual([
        { ...entry, reason: 'BAD_REQUEST_SIGNATURE' },
        { ...entry, reason: 'KEY_NOT_TRUSTED' },
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('get few answers in a minute, and hold up no site of the same address', async () => {
    const codes: (string | undefined)[] = [];
    for (let count = 0; count < 121; count += 1) {
      codes.push((await world.send(cleveland, 'trustList', { tamper: unsign })).code);
    }
    expect(codes.slice(119)).toEqual(['BAD_REQUEST_SIGNATURE', 'TOO_MANY_REQUESTS']);
    expect((await world.send(cleveland, 'trustList')).status).toBe(200);
  });

  it('are refused before their body is read', async () => {
    const server = await world.consortium.createServer();
    const body = new Readable({ read: () => expect.unreachable('somebody reads the body') });
    const headers = { host: '127.0.0.1:7443', 'content-length': '1000', 'content-type': 'text/plain' };
    const answer = await server.inject({
      method: 'PUT',
      url: routes.update.path.replace(':bundleId', 'ab'.repeat(32)),
      headers,
      payload: body,
    });
    expect(answer.json()).toMatchObject({ error: { code: 'BAD_REQUEST_SIGNATURE' } });
    await server.close();
  });
});

// The consortium's door over real TLS, with a genuine update in hand: requests that nobody signed, that were changed, replayed,
// diverted, too large or never ending; enrolments with somebody else's invitation.
import { createServer as createTlsServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '#base/bytes.ts';
import { createConsortiumKeys } from '#consortium/consortium.ts';
import { createSigningKey, type SigningKey } from '#federation/crypto/signing-key.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { encodeInvitation, parseInvitation } from '#federation/sync-contract/invitation.ts';
import { contentDigestOf, signRequest } from '#federation/sync-contract/request-signature.ts';
import {
  type AttackedFederation,
  codeOf,
  createFreshSite,
  type FreshSite,
  type SealedFile,
  startAttackedFederation,
} from '#support/attacked-federation.ts';

let federation: AttackedFederation;
let genuine: SealedFile;
let path: string;
const dayMs = 86_400_000;
const begunMs = performance.now();
/** Reason -> how many requests were refused for it and are only counted until the minute ends. */
const refused = new Map<string, number>();
const countRefused = (reason: string, count = 1): void => {
  refused.set(reason, (refused.get(reason) ?? 0) + count);
};

beforeAll(async () => {
  federation = await startAttackedFederation();
  await federation.openRound();
  genuine = await federation.cleveland.sealed();
  path = `/v1/updates/${genuine.bundleId}`;
});
afterAll(() => federation.close());

interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

/** What a client without manners sends. */
function sendRaw({ method, path: target, headers, body }: RawRequest) {
  return new Promise<{ status: number; code: string | undefined }>((resolve, reject) => {
    const { hostname, port } = new URL(federation.url);
    const request = httpsRequest(
      { hostname, port, method, path: target, headers, rejectUnauthorized: false, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const status = response.statusCode ?? 0;
          resolve({ status, code: codeOf({ status, body: Buffer.concat(chunks) }) });
        });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

/** The request that the site would make. */
function signed({
  signer = federation.cleveland.signing,
  shiftMs = 0,
  url = `${federation.url}${path}`,
  body = genuine.file,
}: {
  signer?: SigningKey;
  shiftMs?: number;
  url?: string;
  body?: Uint8Array;
} = {}): RawRequest {
  const nowMs = federation.clock.nowMs() + shiftMs;
  const nonce = toHex(systemRandom(16));
  const headers = signRequest({ method: 'PUT', url, body, signer, nowMs, nonce });
  return {
    method: 'PUT',
    path,
    body,
    headers: {
      ...headers,
      'content-type': 'application/octet-stream',
      'content-length': String(body.length),
    },
  };
}

function withHeader(request: RawRequest, changes: Record<string, string | undefined>): RawRequest {
  const merged = Object.entries({ ...request.headers, ...changes });
  return {
    ...request,
    headers: Object.fromEntries(
      merged.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    ),
  };
}

const replaced = (request: RawRequest, name: string, from: string | RegExp, to: string): RawRequest => {
  const value = request.headers[name] ?? '';
  expect(value.replace(from, to)).not.toBe(value);
  return withHeader(request, { [name]: value.replace(from, to) });
};

describe('a request', () => {
  // Whatever its last byte is.
  const otherBody = () => genuine.file.with(-1, (genuine.file.at(-1) ?? 0) ^ 1);
  it.each<[string, string, () => RawRequest]>([
    [
      'without a signature',
      'BAD_REQUEST_SIGNATURE',
      () => withHeader(signed(), { signature: undefined, 'signature-input': undefined }),
    ],
    [
      'without the signature itself',
      'BAD_REQUEST_SIGNATURE',
      () => withHeader(signed(), { signature: undefined }),
    ],
    [
      'without a digest',
      'BAD_REQUEST_SIGNATURE',
      () => withHeader(signed(), { 'content-digest': undefined }),
    ],
    ['by a stranger', 'KEY_NOT_TRUSTED', () => signed({ signer: createSigningKey(systemRandom(32)) })],
    ["by the site's steward", 'KEY_NOT_TRUSTED', () => signed({ signer: federation.cleveland.steward })],
    [
      "by the site's log key",
      'KEY_NOT_TRUSTED',
      () => signed({ signer: createSigningKey(federation.cleveland.keys.siteLogSeed) }),
    ],
    ['of six minutes ago', 'STALE_REQUEST', () => signed({ shiftMs: -360_000 })],
    ['of six minutes to come', 'STALE_REQUEST', () => signed({ shiftMs: 360_000 })],
    ['with another body', 'BAD_REQUEST_SIGNATURE', () => ({ ...signed(), body: otherBody() })],
    [
      'with another body and its digest',
      'BAD_REQUEST_SIGNATURE',
      () =>
        withHeader({ ...signed(), body: otherBody() }, { 'content-digest': contentDigestOf(otherBody()) }),
    ],
    [
      'to another path',
      'BAD_REQUEST_SIGNATURE',
      () => ({ ...signed(), path: `/v1/updates/${'0'.repeat(64)}` }),
    ],
    ['with a query', 'BAD_REQUEST_SIGNATURE', () => ({ ...signed(), path: `${path}?a=1` })],
    [
      'to the same path, spelt otherwise',
      'BAD_REQUEST_SIGNATURE',
      () => ({ ...signed(), path: path.replace('v1', '%76%31') }),
    ],
    [
      'signed for another server',
      'BAD_REQUEST_SIGNATURE',
      () => signed({ url: `https://consortium.example${path}` }),
    ],
    ['to another host', 'BAD_REQUEST_SIGNATURE', () => withHeader(signed(), { host: 'consortium.example' })],
    [
      'with another nonce',
      'BAD_REQUEST_SIGNATURE',
      () => replaced(signed(), 'signature-input', /nonce="[^"]+"/, `nonce="${'0'.repeat(32)}"`),
    ],
    [
      'made fresh again',
      'BAD_REQUEST_SIGNATURE',
      () =>
        replaced(
          signed({ shiftMs: -360_000 }),
          'signature-input',
          /created=\d+/,
          `created=${Math.floor(federation.clock.nowMs() / 1000)}`,
        ),
    ],
    [
      'that signs fewer parts',
      'BAD_REQUEST_SIGNATURE',
      () => replaced(signed(), 'signature-input', ' "content-digest"', ''),
    ],
    [
      'of another algorithm',
      'BAD_REQUEST_SIGNATURE',
      () => replaced(signed(), 'signature-input', 'ed25519', 'none'),
    ],
    [
      'under the name of another site',
      'BAD_REQUEST_SIGNATURE',
      () =>
        replaced(
          signed(),
          'signature-input',
          /keyid="[^"]+"/,
          `keyid="${federation.switzerland.signing.keyId}"`,
        ),
    ],
    [
      'with a second signature',
      'BAD_REQUEST_SIGNATURE',
      () => replaced(signed(), 'signature', /$/, ', other=:AAAA:'),
    ],
  ])('%s is %s, and is counted', async (_what, code, make) => {
    const before = federation.log().length;
    const answer = await sendRaw(make());
    expect(answer).toEqual({ status: expect.any(Number), code });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    // Not an entry each: whoever reaches the port could fill the log. The last test looks for the counts.
    countRefused(code);
    expect(federation.log().slice(before)).toEqual([]);
    expect(await federation.counted()).toEqual([]);
  });
});

describe('sizes and time', () => {
  const request = (lines: readonly string[]) => `${lines.join('\r\n')}\r\n\r\n`;

  function openSocket(): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(federation.url);
      const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () =>
        resolve(socket),
      );
      socket.once('error', reject);
    });
  }

  /** What the server says before it hangs up, and after how long. */
  async function talk(text: string, { thenDrip = '' } = {}): Promise<{ answer: string; ms: number }> {
    const socket = await openSocket();
    const started = performance.now();
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
    });
    const drip = thenDrip === '' ? undefined : setInterval(() => socket.write(thenDrip), 200);
    const ended = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    socket.write(text);
    await ended;
    clearInterval(drip);
    return { answer, ms: performance.now() - started };
  }

  it('a body that no plan allows is refused before it is sent', async () => {
    const head = signed();
    const announced = request([
      `PUT ${path} HTTP/1.1`,
      `host: ${new URL(federation.url).host}`,
      'connection: close',
      ...Object.entries({ ...head.headers, 'content-length': '100000000' }).map(
        ([name, value]) => `${name}: ${value}`,
      ),
    ]);
    const { answer, ms } = await talk(announced);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('"BODY_TOO_LARGE"');
    expect(ms).toBeLessThan(5_000);
  });

  it('a body of unknown length is refused before it is read', async () => {
    const head = request([
      `PUT ${path} HTTP/1.1`,
      `host: ${new URL(federation.url).host}`,
      'transfer-encoding: chunked',
      'connection: close',
    ]);
    const { answer } = await talk(`${head}5\r\nhello\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  it.each([
    ['two lengths', ['content-length: 5', 'content-length: 6'], 'hello'],
    [
      'a length and chunks (request smuggling)',
      ['content-length: 5', 'transfer-encoding: chunked'],
      '0\r\n\r\n',
    ],
    ['a header of 100 kB', [`x: ${'a'.repeat(100_000)}`], ''],
    ['a line that is no header', ['no header at all'], ''],
    ['a NUL in a header', ['x: a\0b'], ''],
  ])('%s are refused at once', async (_what, lines, body) => {
    const head = request(['POST /v1/enrolments HTTP/1.1', `host: ${new URL(federation.url).host}`, ...lines]);
    const { answer, ms } = await talk(`${head}${body}`);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(ms).toBeLessThan(5_000);
  });

  it('headers that never end are cut off, and a hundred slow clients keep no site waiting', {
    timeout: 60_000,
  }, async () => {
    const slow = Array.from({ length: 50 }, () =>
      talk(`PUT ${path} HTTP/1.1\r\nhost: x\r\n`, { thenDrip: 'x: y\r\n' }),
    );
    const bodies = await Promise.all(Array.from({ length: 50 }, openSocket));
    for (const socket of bodies) {
      socket.on('error', () => {});
      socket.write(request([`PUT ${path} HTTP/1.1`, 'host: x', 'content-length: 2000']));
    }
    // Refused by their heads, whatever becomes of the bodies.
    countRefused('BAD_REQUEST_SIGNATURE', bodies.length);
    const started = performance.now();
    await federation.switzerland.sync();
    expect(performance.now() - started).toBeLessThan(5_000);
    for (const { ms } of await Promise.all(slow)) expect(ms).toBeLessThan(15_000);
    for (const socket of bodies) socket.destroy();
  });
});

describe('a server in the middle', () => {
  it('with a certificate of its own hears not one byte, and the update waits', async () => {
    const { cleveland } = federation;
    const { tls } = await createConsortiumKeys({ host: '127.0.0.1', nowMs: Date.now() });
    let heard = 0;
    const server = createTlsServer({ key: tls.privateKey, cert: tls.certificate }, (request, response) => {
      heard += 1;
      request.resume();
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleveland.wire.divertedTo = (server.address() as AddressInfo).port;
    await expect(cleveland.sync()).rejects.toMatchObject({ code: 'CERTIFICATE_MISMATCH' });
    cleveland.wire.divertedTo = undefined;
    server.close();
    expect(heard).toBe(0);
    expect(cleveland.site.round.current('heart-disease').state).toBe('sealed');
    const { entries } = cleveland.site.audit.list(
      { search: 'CERTIFICATE_MISMATCH', action: null, offset: 0, limit: 5 },
      cleveland.person,
    );
    expect(entries.length).toBeGreaterThan(0);
  });
});

describe('an enrolment', () => {
  let hungary: FreshSite;
  beforeAll(async () => {
    hungary = await createFreshSite(federation, 'hungary');
  });
  afterAll(() => hungary.site.close());

  const invite = async (siteId: string): Promise<string> =>
    (await federation.consortium.operations.invite({ siteId, name: siteId })).invitation;
  const accept = (invitation: string, by = hungary) => {
    const { name } = by.person;
    return by.site.enrolment.accept({
      invitation,
      stewards: [{ name, secret: by.secret }],
      actor: by.person,
    });
  };

  it.each<[string, string, () => Promise<string>]>([
    [
      "with another site's name written over",
      'OTHER_SITE',
      async () => encodeInvitation({ ...parseInvitation(await invite('budapest')), siteId: 'hungary' }),
    ],
    [
      'with a guessed code',
      'INVITATION_UNKNOWN',
      async () =>
        encodeInvitation({
          ...parseInvitation(await invite('hungary')),
          code: Buffer.from(systemRandom(16)).toString('base64'),
        }),
    ],
    [
      'with another certificate',
      'CERTIFICATE_MISMATCH',
      async () =>
        encodeInvitation({ ...parseInvitation(await invite('hungary')), certificateDigest: '0'.repeat(64) }),
    ],
  ])('%s is %s', async (_what, code, make) => {
    await expect(accept(await make())).rejects.toMatchObject({ code });
    expect(hungary.site.status().siteId).toBeNull();
    const { sites } = await federation.consortium.operations.status({});
    expect(sites.map(({ siteId }) => siteId)).toEqual(['cleveland', 'switzerland']);
  });

  it('with another root key uses up the invitation, but pins nothing', async () => {
    const other = createSigningKey(systemRandom(32));
    const rootPublicKey = Buffer.from(other.publicKey).toString('base64');
    const forged = encodeInvitation({ ...parseInvitation(await invite('hungary')), rootPublicKey });
    await expect(accept(forged)).rejects.toMatchObject({ code: 'KEY_NOT_TRUSTED' });
    expect(hungary.site.status().siteId).toBeNull();
  });

  it('with a used and with an expired invitation is refused, and logged', async () => {
    const budapest = await createFreshSite(federation, 'budapest');
    const once = await invite('budapest');
    await accept(once, budapest);
    const again = await createFreshSite(federation, 'second');
    await expect(accept(once, again)).rejects.toMatchObject({ code: 'INVITATION_USED' });
    const late = parseInvitation(await invite('zurich'));
    federation.clock.advance(8 * dayMs);
    await expect(accept(encodeInvitation(late), again)).rejects.toMatchObject({ code: 'INVITATION_EXPIRED' });
    // With a later date written over, the site asks, and the consortium remembers.
    const prolonged = encodeInvitation({ ...late, expires: '2999-01-01T00:00:00.000Z' });
    await expect(accept(prolonged, again)).rejects.toMatchObject({ code: 'INVITATION_EXPIRED' });
    const refused = federation
      .log()
      .filter(({ action, outcome }) => action === 'site-enrolled' && outcome === 'refused');
    expect(refused.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['OTHER_SITE', 'INVITATION_UNKNOWN', 'INVITATION_USED', 'INVITATION_EXPIRED']),
    );
    await budapest.site.close();
    await again.site.close();
  });
});

describe('after all that', () => {
  it('the genuine request goes in; the same request again is REPLAYED_REQUEST, and counts nothing', async () => {
    const request = signed();
    expect((await sendRaw(request)).status).toBe(200);
    expect(await federation.counted()).toEqual(['cleveland']);
    expect(await sendRaw(request)).toEqual({ status: 409, code: 'REPLAYED_REQUEST' });
    countRefused('REPLAYED_REQUEST');
    await federation.finishRound();
    const { researchStudies } = await federation.consortium.operations.status({});
    expect(researchStudies[0]?.models.at(-1)?.included).toHaveLength(2);
    expect((await federation.consortium.operations.verifyAudit({})).verified).toBe(true);
  });

  it('every refused request is in the log when the door closes, counted by its reason, and the log verifies', async () => {
    await federation.closeDoor();
    // The whole log: on a slow machine some minutes ended before.
    const events = federation
      .log()
      .filter(({ actor, action }) => actor === 'unknown' && action === 'update-received');
    const counted = new Map<string | null, number>();
    for (const { seq, outcome, reason } of events) {
      expect(outcome).toBe('refused');
      const detail = federation.logDetail(seq) as { count: number; firstAt: string; lastAt: string };
      expect(Date.parse(detail.firstAt)).toBeLessThanOrEqual(Date.parse(detail.lastAt));
      counted.set(reason, (counted.get(reason) ?? 0) + detail.count);
    }
    expect([...refused.keys()].sort()).toEqual([
      'BAD_REQUEST_SIGNATURE',
      'KEY_NOT_TRUSTED',
      'REPLAYED_REQUEST',
      'STALE_REQUEST',
    ]);
    expect(counted).toEqual(refused);
    // One entry for each reason and minute, however many requests.
    const minutes = Math.floor((performance.now() - begunMs) / 60_000) + 1;
    expect(events.length).toBeLessThanOrEqual(minutes * refused.size);
    expect((await federation.consortium.operations.verifyAudit({})).verified).toBe(true);
  });
});

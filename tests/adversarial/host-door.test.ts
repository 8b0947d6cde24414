// The loopback door of a site, in a process of its own: other programs, pages of other origins, people without the role, and
// messages that are none. Whatever comes, nobody gets in and the process goes on.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createORPCClient, ORPCError } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import type { SiteClient } from '#headless/reach-site.ts';
import { commandMethods, ruledMethods } from '#host/roles.ts';
import type { Role } from '#ipc/schema.ts';

let directory: string;
let child: ChildProcess;
let port: number;
let token: string;
let spoken = '';
const open: WebSocket[] = [];
const planted = 'Planted-Name-7781';

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'consilium-door-'));
  const script = fileURLToPath(new URL('../support/door-process.ts', import.meta.url));
  child = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'pipe'] });
  const launchUrl = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`the site did not start: ${spoken}`)));
    child.stderr?.on('data', (chunk: Buffer) => {
      spoken += chunk.toString();
    });
    child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()));
  });
  const url = new URL(launchUrl);
  port = Number(url.port);
  token = url.searchParams.get('token') ?? '';
});
afterAll(async () => {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
  rmSync(directory, { recursive: true, force: true });
});
afterEach(() => {
  for (const socket of open.splice(0)) socket.terminate();
});

/** An open socket, or the status that it was refused with. */
function tryOpen(
  options: ClientOptions,
  address = `ws://127.0.0.1:${port}/rpc`,
): Promise<WebSocket | number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(address, options);
    open.push(socket);
    socket.once('open', () => resolve(socket));
    socket.once('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
    socket.once('error', () => resolve(0));
  });
}

const bearer = (given = token) => ({ headers: { authorization: `Bearer ${given}` } });

async function openSocket(options: ClientOptions = bearer()): Promise<WebSocket> {
  const socket = await tryOpen(options);
  if (typeof socket === 'number') throw new Error(`refused with ${socket}`);
  socket.on('error', () => {});
  return socket;
}

async function openClient(): Promise<SiteClient> {
  const websocket = (await openSocket()) as unknown as globalThis.WebSocket;
  return createORPCClient(new RPCLink({ websocket }));
}

/** A GET as it is, without a client that tidies the path up. */
function get(
  target: string,
  headers: Record<string, string> = {},
): Promise<IncomingMessage & { text: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port, path: target, headers, agent: false },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('end', () => resolve(Object.assign(response, { text })));
      },
    );
    request.on('error', reject);
    request.end();
  });
}

async function beginBrowserSession(): Promise<string> {
  const response = await get(`/?token=${token}`);
  expect(response.statusCode).toBe(303);
  const [cookie = ''] = response.headers['set-cookie'] ?? [];
  expect(cookie).toMatch(/HttpOnly; SameSite=Strict/);
  return cookie.split(';')[0] ?? '';
}

const origin = () => `http://127.0.0.1:${port}`;

async function expectAlive(): Promise<void> {
  expect(child.exitCode).toBeNull();
  const client = await openClient();
  expect(await client.session.current()).toBeNull();
}

describe('a WebSocket', () => {
  it('opens for the token, and for the cookie from our own page', async () => {
    expect(await tryOpen(bearer())).toBeInstanceOf(WebSocket);
    const cookie = await beginBrowserSession();
    expect(await tryOpen({ origin: origin(), headers: { cookie } })).toBeInstanceOf(WebSocket);
  });

  it.each<[string, (cookie: string) => [ClientOptions, string?]]>([
    ['without a token', () => [{}]],
    ['with an empty token', () => [bearer('')]],
    ['with a wrong token', () => [bearer('0'.repeat(64))]],
    ['with half of the token', () => [bearer(token.slice(0, 32))]],
    ['with the token in the address alone', () => [{}, `ws://127.0.0.1:${port}/rpc?token=${token}`]],
    [
      'from a foreign page with the cookie (cross-site hijacking)',
      (cookie) => [{ origin: 'https://evil.example', headers: { cookie } }],
    ],
    ['from a foreign page with the token', () => [{ ...bearer(), origin: 'https://evil.example' }]],
    [
      'from a page of another port with the cookie',
      (cookie) => [{ origin: `http://127.0.0.1:${port + 1}`, headers: { cookie } }],
    ],
    ['from a page without an origin of its own', (cookie) => [{ origin: 'null', headers: { cookie } }]],
    [
      'from the secure origin of the same host',
      (cookie) => [{ origin: `https://127.0.0.1:${port}`, headers: { cookie } }],
    ],
    ['from our page without a cookie', () => [{ origin: origin() }]],
    [
      'from our page with the cookie of another port',
      (cookie) => [{ origin: origin(), headers: { cookie: cookie.replace(String(port), String(port + 1)) } }],
    ],
    [
      'from our page with a made-up cookie',
      (cookie) => [{ origin: origin(), headers: { cookie: `${cookie.split('=')[0]}=${'a'.repeat(64)}` } }],
    ],
    [
      'under a name that only points here (DNS rebinding)',
      () => [{ headers: { ...bearer().headers, host: `evil.example:${port}` } }],
    ],
    [
      'under such a name as its own origin, with the cookie',
      (cookie) => [
        { origin: `http://evil.example:${port}`, headers: { cookie, host: `evil.example:${port}` } },
      ],
    ],
    ['under a host without a port', () => [{ headers: { ...bearer().headers, host: '127.0.0.1' } }]],
    ['at another path', () => [bearer(), `ws://127.0.0.1:${port}/rpc/`]],
  ])('%s is refused', async (_what, make) => {
    const [options, address] = make(await beginBrowserSession());
    expect(await tryOpen(options, address)).toBe(403);
  });

  it('is open to the file of the profile, which is for its owner alone', () => {
    expect(statSync(path.join(directory, 'profile', 'endpoint.json')).mode & 0o777).toBe(0o600);
  });
});

describe('the pages', () => {
  it.each([
    ['the page', '/'],
    ['an asset', '/assets/app.js'],
    ['the page with a wrong token', `/?token=${'0'.repeat(64)}`],
    ['the page with a token twice', `/?token=a&token=b`],
    ['what is not there', '/nothing'],
  ])('%s is not served without a session', async (_what, target) => {
    const response = await get(target);
    expect(response.statusCode).toBe(403);
    expect(response.text).not.toContain('the screens');
  });

  it('are served with a session under a policy that lets no foreign script run', async () => {
    const cookie = await beginBrowserSession();
    const response = await get('/', { cookie });
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-security-policy']).toMatch(/default-src 'none'; script-src 'self'/);
    expect(response.headers['content-security-policy']).not.toContain('unsafe');
    expect(response.text).not.toContain('__CSP_NONCE__');
    expect(response.headers['cache-control']).toBe('no-store');
  });

  it('are not served under another name (DNS rebinding), not even for the token', async () => {
    for (const target of ['/', `/?token=${token}`])
      expect((await get(target, { host: `evil.example:${port}` })).statusCode).toBe(403);
  });

  it.each([
    '/assets/../index.html',
    '/assets/../../keys/site.json',
    '/assets/..%2f..%2fkeys%2fsite.json',
    '/assets/%2e%2e/%2e%2e/keys/site.json',
    '/assets/..\\..\\keys\\site.json',
    '/assets/%5c..%5c..%5ckeys%5csite.json',
    '/assets//etc/passwd',
    '/assets/%00',
    '/assets/app.js%00.html',
    '/assets/%c0%ae%c0%ae/keys/site.json',
    '/assets/%',
    '//etc/passwd',
    '/assets/',
    '/../profile/endpoint.json',
  ])('%s leads out of the folder for nobody', async (target) => {
    const cookie = await beginBrowserSession();
    const response = await get(target, { cookie });
    expect(response.statusCode).toBeGreaterThanOrEqual(300);
    expect(response.text).not.toMatch(/storeKey|root:|"token"/);
    expect(response.text).not.toContain(directory);
  });
});

describe('a message', () => {
  const nested = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
  it.each<[string, string | Uint8Array]>([
    ['of nothing', ''],
    ['that is no JSON', planted],
    ['that breaks off', `{"i":"1","p":{"u":"/status","b":{"json":"${planted}"}`],
    ['of bytes with a text in it', Buffer.from(planted)],
    ['that is null', 'null'],
    ['that is a list', '[1,2,3]'],
    ['that is a number', '7'],
    ['without a path', '{"i":"1"}'],
    ['with a path that is no text', '{"i":"1","p":{"u":{"toString":1}}}'],
    ['to a member that every object has', '{"i":"1","p":{"u":"/constructor","b":{}}}'],
    ['to __proto__', '{"i":"1","p":{"u":"/__proto__/polluted","b":{"json":{"__proto__":{"a":1}}}}}'],
    ['to a path of a thousand parts', `{"i":"1","p":{"u":"/${'a/'.repeat(1000)}"}}`],
    [
      'with metadata that is none',
      '{"i":"1","p":{"u":"/status","b":{"json":{},"meta":[[99,"__proto__","x"]]}}}',
    ],
    ['that is an answer', '{"i":"1","t":3,"p":{}}'],
    ['that ends what never began', '{"i":"9","t":4}'],
    ['of random bytes', Uint8Array.from({ length: 4096 }, (_value, index) => (index * 7919) % 251)],
    ['nested a hundred thousand deep', nested],
  ])('%s does not end the process', async (_what, message) => {
    const socket = await openSocket();
    socket.send(message);
    socket.send(message);
    await expectAlive();
  });

  it('larger than any message may be closes its connection alone', async () => {
    const socket = await openSocket();
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    socket.send('x'.repeat(5 * 1024 * 1024));
    expect([1009, 1006]).toContain(await closed);
    await expectAlive();
  });

  it.each<[string, number[]]>([
    ['a reserved bit', [0xf1, 0x80, 0, 0, 0, 0]],
    ['an unknown kind', [0x83, 0x80, 0, 0, 0, 0]],
    ['no mask', [0x81, 0x01, 0x41]],
    ['text that is no UTF-8', [0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe]],
    ['a length of 2^63', [0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]],
    ['a close with a code that is none', [0x88, 0x82, 0, 0, 0, 0, 0x00, 0x01]],
  ])('of %s closes its connection alone', async (_what, bytes) => {
    await rawUpgrade(`authorization: Bearer ${token}\r\n`, (socket) => socket.write(Uint8Array.from(bytes)));
    await expectAlive();
  });

  it('cut off by a reset, before and after it is let in, ends no process', async () => {
    for (const header of ['', `authorization: Bearer ${token}\r\n`]) {
      for (let index = 0; index < 20; index += 1)
        await rawUpgrade(header, (socket) => socket.resetAndDestroy());
      await new Promise<void>((resolve) => {
        const socket = connect({ host: '127.0.0.1', port }, () => {
          socket.write(upgradeRequest(header), () => {
            socket.resetAndDestroy();
            resolve();
          });
        });
        socket.on('error', () => {});
      });
    }
    await expectAlive();
  });

  it('is quoted in no log', () => {
    expect(spoken).not.toContain(planted);
    expect(spoken).not.toContain(token);
  });

  function upgradeRequest(header: string): string {
    const key = Buffer.alloc(16, 7).toString('base64');
    return `GET /rpc HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n${header}\r\n`;
  }

  /** Speaks WebSocket by hand; `act` comes with the server's first bytes. */
  function rawUpgrade(header: string, act: (socket: ReturnType<typeof connect>) => void): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port }, () => socket.write(upgradeRequest(header)));
      socket.on('error', () => {});
      socket.once('data', () => act(socket));
      socket.once('close', () => resolve());
    });
  }
});

/** After security.md section 0; `all` needs no person. Written by hand, not taken from the table that it checks. */
const allowed: Readonly<Record<string, readonly Role[] | 'all'>> = {
  'session.signOut': 'all',
  'session.current': 'all',
  status: 'all',
  'enrolment.accept': 'all',
  'people.list': ['admin'],
  'people.add': ['admin'],
  'ingest.paths': ['steward', 'investigator'],
  'ingest.open': ['steward', 'investigator'],
  'ingest.push': ['steward', 'investigator'],
  'ingest.close': ['steward', 'investigator'],
  'ingest.outcomes': ['steward', 'investigator'],
  'mapping.suggest': ['steward', 'investigator'],
  'mapping.preview': ['steward', 'investigator'],
  'quarantine.list': ['steward'],
  'quarantine.release': ['steward'],
  'quarantine.delete': ['steward'],
  'sources.list': ['steward', 'admin'],
  'sources.save': ['admin'],
  'sources.remove': ['admin'],
  'sources.run': ['steward'],
  records: ['steward'],
  'consent.list': ['steward'],
  'consent.grant': ['steward'],
  'consent.withdraw': ['steward'],
  'consent.rounds': ['steward'],
  'consent.requestRemedy': ['steward'],
  'consent.importOptOuts': ['steward'],
  researchStudies: 'all',
  'cohort.preview': ['steward', 'investigator'],
  'quality.report': ['steward', 'investigator'],
  'round.current': 'all',
  'round.run': ['steward', 'investigator'],
  'round.cancel': ['steward', 'investigator'],
  'updates.list': 'all',
  'updates.review': ['steward', 'auditor'],
  'updates.approve': ['steward'],
  'updates.refuse': ['steward'],
  sync: 'all',
  'bundle.export': ['steward'],
  'bundle.import': ['steward'],
  evaluations: ['steward', 'investigator', 'auditor', 'admin'],
  'audit.list': ['steward', 'auditor', 'admin'],
  'audit.verify': 'all',
  'audit.export': ['steward', 'auditor', 'admin'],
};

const subject = { subjectId: 'a'.repeat(26), researchStudyId: null };
const decision = { updateId: 'a'.repeat(64), reportDigest: 'b'.repeat(64), secret: 'not the secret' };
const study = { researchStudyId: 'heart-disease' };
const page = { offset: 0, limit: 1 };
const inputs = (): Readonly<Record<string, unknown>> => ({
  'enrolment.accept': {
    invitation: 'consilium-invitation:x',
    stewards: [{ name: 'nobody', secret: 'nothing' }],
  },
  'people.add': { name: 'role steward', role: 'steward', secret: 'a secret for this test' },
  'ingest.paths': { paths: [path.join(directory, 'not-there')], mapping: null },
  'ingest.open': { files: [{ name: 'a.csv', size: 1 }], mapping: null },
  'ingest.push': { batchId: 'none', fileIndex: 0, offset: 0, bytes: '', isLast: true },
  'ingest.close': { batchId: 'none' },
  'ingest.outcomes': page,
  'mapping.suggest': { head: Buffer.from('a,b\n1,2\n').toString('base64') },
  'mapping.preview': { head: Buffer.from('a,b\n1,2\n').toString('base64'), mapping: '{}' },
  'quarantine.list': { offset: 0, limit: 1 },
  'quarantine.release': { quarantineId: 1, reason: 'a reason' },
  'quarantine.delete': { quarantineId: 1, reason: 'a reason' },
  'sources.save': { kind: 'dicom-receiver', label: 'PACS', settings: {} },
  'sources.remove': { sourceId: 'none' },
  'sources.run': { sourceId: 'none' },
  'consent.list': { ...page, researchStudyId: null, decision: null, search: '' },
  'consent.grant': { ...subject, untilDate: null },
  'consent.withdraw': subject,
  'consent.rounds': { subjectId: subject.subjectId },
  'consent.requestRemedy': { subjectId: subject.subjectId, researchStudyId: 'heart' },
  'consent.importOptOuts': {
    path: '/nowhere',
    authority: 'urn:example:nobody',
    column: null,
    statedDate: '2026-11-01',
  },
  'cohort.preview': study,
  'quality.report': study,
  'round.current': study,
  'round.run': study,
  'round.cancel': study,
  'updates.review': { updateId: decision.updateId },
  'updates.approve': decision,
  'updates.refuse': { ...decision, reason: 'no' },
  'bundle.export': { directory: path.join(directory, 'not-there'), researchStudyId: null },
  'bundle.import': { directory: path.join(directory, 'not-there') },
  evaluations: study,
  'audit.list': { ...page, search: '', action: null },
  'audit.export': { directory: path.join(directory, 'export') },
});

describe('every method, for every role', () => {
  const secret = 'a secret for this test';
  const roles: readonly (Role | null)[] = [null, 'steward', 'investigator', 'auditor', 'admin'];

  beforeAll(async () => {
    // Whoever holds the token adds the first steward; from then on the steward adds people, until there is an admin.
    const client = await openClient();
    await client.people.add({ name: 'role steward', role: 'steward', secret });
    await client.session.signIn({ name: 'role steward', secret });
    for (const role of ['investigator', 'auditor', 'admin'] as const)
      await client.people.add({ name: `role ${role}`, role, secret });
  });

  it('is in the table of this test', () => {
    // Methods of the command line have no door here.
    const commands: readonly string[] = commandMethods;
    expect([...ruledMethods].filter((method) => !commands.includes(method)).sort()).toEqual(
      ['session.signIn', ...Object.keys(allowed)].sort(),
    );
  });

  it.each(roles)('%s may do what security.md says, and nothing else', async (role) => {
    for (const [method, who] of Object.entries(allowed)) {
      const isAllowed = who === 'all' || (role !== null && who.includes(role));
      const code = await codeOfCall(await signedIn(role), method);
      const refusals = ['SIGN_IN_NEEDED', 'ROLE_NOT_ALLOWED'];
      if (isAllowed) expect(refusals, method).not.toContain(code);
      else expect(code, method).toBe(role === null ? 'SIGN_IN_NEEDED' : 'ROLE_NOT_ALLOWED');
      expect(code, method).not.toBe('BUG');
    }
  });

  const clients = new Map<Role | null, SiteClient>();

  async function signedIn(role: Role | null): Promise<SiteClient> {
    const client = clients.get(role) ?? (await openClient());
    clients.set(role, client);
    const current = await client.session.current();
    if (role !== null && current === null) await client.session.signIn({ name: `role ${role}`, secret });
    return client;
  }

  it('leaves an audit event of each refusal, and a log that verifies', async () => {
    const client = await openClient();
    await client.session.signIn({ name: 'role auditor', secret });
    const query = { search: '', action: 'action-refused', offset: 0, limit: 500 };
    const { entries } = await client.audit.list(query);
    for (const method of Object.keys(allowed).filter((name) => allowed[name] !== 'all')) {
      const reasons = entries.filter(({ object }) => object === method).map(({ reason }) => reason);
      expect(reasons, method).toContain('SIGN_IN_NEEDED');
    }
    expect(await client.audit.verify()).toMatchObject({ verified: true });
  });

  it('answers an input of another shape with BAD_INPUT and quotes nothing of it', async () => {
    const client = await openClient();
    await client.session.signIn({ name: 'role steward', secret });
    for (const [method, input] of Object.entries(inputs())) {
      for (const wrong of [{ ...(input as object), extra: planted }, planted, null, [planted]]) {
        const error = await call(client, method, wrong).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (
          [
            'enrolment.accept',
            'people.add',
            'people.list',
            'sources.save',
            'sources.remove',
            'evaluations',
          ].includes(method)
        )
          continue;
        expect(error, method).toBeInstanceOf(ORPCError);
        expect((error as ORPCError<string, unknown>).code, method).toBe('BAD_INPUT');
        expect(JSON.stringify(error), method).not.toContain(planted);
      }
    }
    await expectAlive();
  });

  it('a wrong secret opens nothing and is told from an unknown name by nobody', async () => {
    const client = await openClient();
    const codes = [];
    for (const name of ['role steward', 'nobody'])
      codes.push(
        await client.session.signIn({ name, secret: 'wrong' }).then(
          () => 'signed in',
          (error: ORPCError<string, unknown>) => `${error.code}: ${error.message}`,
        ),
      );
    expect(codes[0]).toMatch(/^SIGN_IN_REFUSED/);
    expect(codes[1]).toBe(codes[0]);
    expect(await client.session.current()).toBeNull();
  });

  it('one connection knows nothing of who signed in on another', async () => {
    const first = await openClient();
    await first.session.signIn({ name: 'role auditor', secret });
    expect(await (await openClient()).session.current()).toBeNull();
    await first.session.signOut();
    expect(await first.session.current()).toBeNull();
  });
});

/** Calls `a.b` and reads a stream to its end. */
async function call(client: SiteClient, method: string, input: unknown): Promise<void> {
  let target: unknown = client;
  for (const part of method.split('.')) target = (target as Record<string, unknown>)[part];
  const result = await (target as (given: unknown) => Promise<unknown>)(input);
  if (typeof result !== 'object' || result === null || !(Symbol.asyncIterator in result)) return;
  for await (const _event of result as AsyncIterable<unknown>) void _event;
}

async function codeOfCall(client: SiteClient, method: string): Promise<string> {
  try {
    await call(client, method, inputs()[method]);
    return 'done';
  } catch (error) {
    return error instanceof ORPCError ? error.code : 'BUG';
  }
}

import { createVerify, generateKeyPairSync } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type BulkExportServer,
  type ExportedFile,
  fileText,
  openBulkExportServer,
} from '#support/bulk-export-server.ts';
import { openSourcesWorld, type SourcesWorld } from '#support/sources-world.ts';
import { makeTestCertificates } from '#support/test-certificates.ts';
import type { IngestEvent } from '../../ingest-outcome.ts';
import type { SourceKind } from '../source-kind.ts';
import { bulkExportKind, runBulkExport } from './bulk-export-kind.ts';

const admin = { name: 'Ada Admin', role: 'admin' } as const;
const steward = { name: 'Sten Steward', role: 'steward' } as const;
const quick: SourceKind = {
  ...bulkExportKind,
  run: (context) => runBulkExport(context, { pollMs: 5, firstPauseMs: 5 }),
};
const patients: ExportedFile = {
  type: 'Patient',
  lines: ['p1', 'p2', 'p3'].map((id) =>
    JSON.stringify({
      resourceType: 'Patient',
      id,
      identifier: [{ system: 'urn:h', value: `N-${id}` }],
      birthDate: '1950-01-01',
    }),
  ),
};
const observation = (id: string, value: number): string =>
  JSON.stringify({
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '2951-2' }] },
    subject: { reference: 'Patient/p1' },
    effectiveDateTime: '2020-03-04',
    valueQuantity: { value, system: 'http://unitsofmeasure.org', code: 'mmol/L' },
  });
const values = Array.from({ length: 40 }, (_, index) => 100 + index);
const observations: ExportedFile = {
  type: 'Observation',
  lines: values.map((value) => observation(`o${value}`, value)),
};
const deleted = (...ids: string[]): ExportedFile => ({
  type: 'Bundle',
  kind: 'deleted',
  lines: ids.map((id) =>
    JSON.stringify({
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [{ request: { method: 'DELETE', url: `Observation/${id}` } }],
    }),
  ),
});

let server: BulkExportServer;
let world: SourcesWorld;
beforeEach(async () => {
  server = await openBulkExportServer();
  server.files = [observations, patients];
  world = openSourcesWorld([quick]);
});
afterEach(async () => {
  await world.close();
  await server.close();
});

async function save(settings: Record<string, string | number | boolean> = {}): Promise<string> {
  const source = { kind: 'bulk-export', label: 'ehr', settings: { url: server.url, ...settings } } as const;
  return (await world.sources.save(source, admin)).sourceId;
}
async function run(sourceId: string, signal = new AbortController().signal): Promise<IngestEvent[]> {
  const events: IngestEvent[] = [];
  for await (const event of world.sources.run(sourceId, steward, signal)) events.push(event);
  return events;
}
const stored = (): number[] =>
  (
    world.site.store.prepare('SELECT value_number AS value FROM subject_fact ORDER BY 1').all() as {
      value: number;
    }[]
  ).map(({ value }) => value);
const lines = (start: string): string[] =>
  server.requests.map(({ line }) => line).filter((line) => line.startsWith(start));
/** Answers the first `times` requests whose path begins so. */
function failFirst(
  start: string,
  times: number,
  answer: (response: ServerResponse, request: IncomingMessage) => void,
): void {
  let left = times;
  server.fault = (request, response) => {
    if (left === 0 || !(request.url ?? '').startsWith(start)) return false;
    left -= 1;
    answer(response, request);
    return true;
  };
}

describe('a Bulk Data source', () => {
  it('begins an export, waits for it, imports its files and lets it go', async () => {
    const events = await run(await save({ types: 'Patient,Observation' }));
    expect(stored()).toEqual(values);
    const files = events.flatMap((event) =>
      event.kind === 'file' ? [[event.file.path, event.file.outcome, event.file.rows.accepted]] : [],
    );
    expect(files).toEqual([
      ['Patient-1.ndjson', 'accepted', 3],
      ['Observation-2.ndjson', 'accepted', 40],
    ]);
    expect(events.at(-1)?.kind).toBe('summary');
    const [kickOff] = server.requests;
    expect(kickOff?.line).toBe(
      'GET /fhir/Patient/$export?_outputFormat=application%2Ffhir%2Bndjson&_type=Patient%2CObservation',
    );
    expect([kickOff?.headers.prefer, kickOff?.headers.accept]).toEqual([
      'respond-async',
      'application/fhir+json',
    ]);
    expect(lines('GET /status')).toHaveLength(2);
    expect(server.requests.at(-1)?.line).toBe('DELETE /status/1');
    expect(world.sources.list()).toMatchObject([{ received: 2, code: null }]);
  });

  it('asks the next time for what changed since, and removes what was deleted', async () => {
    const sourceId = await save();
    await run(sourceId);
    server.transactionTime = '2026-11-21T10:00:00Z';
    server.files = [
      { type: 'Observation', lines: [observation('o100', 500)] },
      deleted('o101', 'o102', 'unknown'),
    ];
    await run(sourceId);
    expect(lines('GET /fhir').at(-1)).toContain('_since=2026-11-20T10%3A00%3A00Z');
    expect(stored()).toEqual([...values.slice(3), 500]);
    // Another server knows nothing of that time.
    await save({ operation: '$export' });
    await run(sourceId);
    expect(lines('GET /fhir').at(-1)).not.toContain('_since');
  });

  it.each([
    [
      'a rate limit in seconds, at the start',
      '/fhir',
      (response: ServerResponse) => response.writeHead(429, { 'retry-after': '0' }).end(),
    ],
    [
      'a rate limit by a date, at the status',
      '/status',
      (response: ServerResponse) => {
        const now = new Date('2026-11-20T10:00:00Z').toUTCString();
        response.sendDate = false;
        response.writeHead(429, { 'retry-after': now, date: now }).end();
      },
    ],
    ['a server that is down', '/status', (response: ServerResponse) => response.writeHead(503).end()],
    [
      'a file that is not served just now',
      '/file',
      (response: ServerResponse) => response.writeHead(500).end(),
    ],
    ['a connection that breaks', '/file', (response: ServerResponse) => response.destroy()],
  ])('tries again after %s', async (_, start, answer) => {
    failFirst(start, 2, answer);
    await run(await save());
    expect(stored()).toEqual(values);
    expect(server.exportCount).toBe(1);
  });

  it.each([
    ['with ranges', true],
    ['without ranges', false],
  ])('takes a file up where the connection broke, %s', async (_, hasRanges) => {
    const text = Buffer.from(fileText(observations));
    let served = 0;
    server.fault = (request, response) => {
      if (!(request.url ?? '').startsWith('/file/1/0')) return false;
      served += 1;
      const from = hasRanges ? Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0;
      const isLast = served === 3;
      const until = isLast ? text.length : served * 2_000 + 7;
      response.writeHead(from > 0 ? 206 : 200, {
        'content-length': text.length - from,
        ...(from > 0 ? { 'content-range': `bytes ${from}-${text.length - 1}/${text.length}` } : {}),
      });
      response.write(text.subarray(from, until), () => (isLast ? response.end() : response.destroy()));
      return true;
    };
    const events = await run(await save());
    expect(served).toBe(3);
    expect(stored()).toEqual(values);
    expect(events.filter(({ kind }) => kind === 'file')).toHaveLength(2);
  });

  it.each([
    ['in the middle of a line', { ...observations, count: null }, (text: string) => text.slice(0, 3_000)],
    [
      'between two lines, with fewer resources than stated',
      observations,
      (text: string) => text.split('\n').slice(0, 10).join('\n'),
    ],
  ])('finds a file that ends %s, and asks for the rest', async (_, file, cut) => {
    server.files = [patients, file];
    failFirst('/file/1/1', 1, (response) => response.writeHead(200).end(cut(fileText(observations))));
    await run(await save());
    expect(stored()).toEqual(values);
  });

  it('names a file that never comes whole, keeps what came, and does not move its time', async () => {
    failFirst('/file/1/0', 99, (response) =>
      response.writeHead(200).end(fileText(observations).slice(0, 3_000)),
    );
    const sourceId = await save();
    await expect(run(sourceId)).rejects.toMatchObject({ code: 'BULK_TRUNCATED' });
    expect(world.sources.list()).toMatchObject([{ state: 'failed', code: 'BULK_TRUNCATED' }]);
    expect(
      world.site.ingest.listOutcomes({ offset: 0, limit: 9 }).outcomes.map(({ code }) => code),
    ).toContain('TRUNCATED');
    server.fault = () => false;
    await run(sourceId);
    expect(lines('GET /fhir')).toHaveLength(1);
    expect(lines('GET /file/1/1')).toHaveLength(1);
    expect(stored()).toEqual(values);
  });

  it('begins a new export where the links expired', async () => {
    server.fault = (request, response) => {
      if (!(request.url ?? '').startsWith('/file/1/0')) return false;
      response.writeHead(410).end();
      return true;
    };
    await run(await save());
    expect(server.exportCount).toBe(2);
    expect(stored()).toEqual(values);
  });

  it('goes on with the export that a killed run left', async () => {
    const sourceId = await save();
    for await (const event of world.sources.run(sourceId, steward, new AbortController().signal))
      if (event.kind === 'progress') break;
    expect(stored()).toEqual([]);
    await run(sourceId);
    expect([server.exportCount, lines('GET /file/1/1')]).toEqual([1, ['GET /file/1/1']]);
    expect(stored()).toEqual(values);
  });

  it('tells the server when it is cancelled', async () => {
    const cancel = new AbortController();
    server.fault = (request, response) => {
      if (request.method !== 'GET' || !(request.url ?? '').startsWith('/status')) return false;
      response.writeHead(202).end();
      setTimeout(() => cancel.abort(), 20);
      return true;
    };
    const events = await run(await save(), cancel.signal);
    expect(events.at(-1)?.kind).toBe('summary');
    expect(server.requests.at(-1)?.line).toBe('DELETE /status/1');
  });

  it.each([
    [
      'no place of the export',
      (response: ServerResponse) => response.writeHead(202).end(),
      'BULK_BAD_ANSWER',
    ],
    [
      'an export elsewhere',
      (response: ServerResponse) =>
        response.writeHead(202, { 'content-location': 'http://127.0.0.1:1/status' }).end(),
      'BULK_REDIRECTED',
    ],
    [
      'a redirect to elsewhere',
      (response: ServerResponse) => response.writeHead(307, { location: 'http://169.254.169.254/' }).end(),
      'BULK_REDIRECTED',
    ],
    ['no right to export', (response: ServerResponse) => response.writeHead(403).end(), 'BULK_NOT_ALLOWED'],
    [
      'an operation that it does not have',
      (response: ServerResponse) => response.writeHead(400).end(),
      'BULK_REFUSED',
    ],
  ])('ends by name when the server answers with %s', async (_, answer, code) => {
    failFirst('/fhir', 9, (response) => void answer(response));
    await expect(run(await save())).rejects.toMatchObject({ code });
  });

  it.each([
    ['no JSON', () => 'x', 'BULK_BAD_ANSWER'],
    [
      'no time',
      (manifest: Record<string, unknown>) => ({ ...manifest, transactionTime: 'today' }),
      'BULK_BAD_ANSWER',
    ],
    [
      'files of another server',
      (manifest: Record<string, unknown>) => ({
        ...manifest,
        output: [{ type: 'Patient', url: 'http://127.0.0.1:1/p' }],
      }),
      'BULK_REDIRECTED',
    ],
    [
      'files of this machine',
      (manifest: Record<string, unknown>) => ({
        ...manifest,
        output: [{ type: 'Patient', url: 'file:///etc/passwd' }],
      }),
      'BULK_REDIRECTED',
    ],
    [
      'an endless list',
      (manifest: Record<string, unknown>) => ({ ...manifest, more: 'x'.repeat(17 * 2 ** 20) }),
      'BULK_ANSWER_TOO_LARGE',
    ],
  ])('ends by name when the list has %s', async (_, manifest, code) => {
    server.manifest = manifest;
    await expect(run(await save())).rejects.toMatchObject({ code });
    expect(stored()).toEqual([]);
  });

  it('takes no file that is larger than it may be', async () => {
    failFirst('/file/1/0', 9, (response) => {
      response.writeHead(200);
      for (let count = 0; count < 40; count += 1) response.write(Buffer.alloc(65_536, 0x20));
      response.end();
    });
    await expect(run(await save({ maxFileMegabytes: 1 }))).rejects.toMatchObject({
      code: 'BULK_ANSWER_TOO_LARGE',
    });
  });

  it.each([
    ['url', { url: 'http://ehr.example/fhir' }],
    ['url', { url: 'https://user:secret@ehr.example/fhir' }],
    ['operation', { operation: 'Patient/$everything' }],
    ['types', { types: 'Patient; DROP' }],
    ['fileOrigins', { fileOrigins: 'http://files.example' }],
    ['authority', { authority: 'x' }],
    ['tokenUrl', { clientId: 'c' }],
    ['signingKey', { clientId: 'c', tokenUrl: 'https://ehr.example/token', signingKey: 'x' }],
    ['urll', { urll: 'x' }],
  ])('refuses a bad %s by its name', async (setting, settings) => {
    await expect(save(settings)).rejects.toMatchObject({ code: 'BAD_SOURCE_SETTINGS', details: { setting } });
  });
});

describe('a Bulk Data source over TLS', () => {
  it('trusts the authority that it was given, and no other server', async () => {
    const { authority, server: own, stranger } = await makeTestCertificates();
    const exportOver = async (certificate: { cert: string; key: string }, settings: object) => {
      await server.close();
      server = await openBulkExportServer(certificate);
      server.files = [patients, observations];
      return run(await save({ ...settings }));
    };
    await expect(exportOver(own, {})).rejects.toMatchObject({ code: 'BULK_TLS_REFUSED' });
    await expect(exportOver(stranger, { authority })).rejects.toMatchObject({ code: 'BULK_TLS_REFUSED' });
    expect(server.requests).toEqual([]);
    await exportOver(own, { authority });
    expect(stored()).toEqual(values);
  });
});

describe('a Bulk Data source with a client', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const signingKey = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const given: string[] = [];
  const client = () => ({
    clientId: 'consilium',
    keyId: 'k1',
    tokenUrl: `${server.origin}/token`,
    signingKey,
  });

  /** Gives a token for a good assertion, and serves the rest to whoever has the last one. */
  function guard(lastsSeconds = 300): void {
    given.length = 0;
    server.requiresAccessToken = true;
    server.fault = (request, response, body) => {
      if (request.url === '/token') {
        const form = new URLSearchParams(body);
        const [header = '', claims = '', signature = ''] = (form.get('client_assertion') ?? '').split('.');
        const isSigned = createVerify('RSA-SHA384')
          .update(`${header}.${claims}`)
          .verify(publicKey, Buffer.from(signature, 'base64url'));
        const { iss, sub, aud, exp, jti } = JSON.parse(Buffer.from(claims, 'base64url').toString());
        const isGood =
          isSigned &&
          iss === 'consilium' &&
          sub === iss &&
          aud === `${server.origin}/token` &&
          exp * 1_000 < Date.now() + 300_000 &&
          jti.length === 32;
        if (isGood && form.get('grant_type') === 'client_credentials')
          given.push(`token-${given.length + 1}`);
        response
          .writeHead(isGood ? 200 : 400)
          .end(JSON.stringify({ access_token: given.at(-1), expires_in: lastsSeconds }));
        return true;
      }
      if (request.headers.authorization === `Bearer ${given.at(-1)}`) return false;
      response.writeHead(401).end();
      return true;
    };
  }

  it('signs for a token, and shows it to the server', async () => {
    guard();
    await run(await save(client()));
    expect(stored()).toEqual(values);
    expect(given).toEqual(['token-1']);
    expect(JSON.stringify(world.sources.list())).not.toContain('PRIVATE KEY');
  });

  it('renews a token that ends, and one that is refused before its time', async () => {
    guard(1);
    await run(await save(client()));
    expect(given.length).toBeGreaterThan(4);
    guard();
    const ordinary = server.fault;
    let isTaken = false;
    server.fault = (request, response, body) => {
      if (!isTaken && (request.url ?? '').startsWith('/status')) {
        isTaken = true;
        given.push('another');
      }
      return ordinary(request, response, body);
    };
    await run(await save(client()));
    expect(given).toEqual(['token-1', 'another', 'token-3']);
  });

  it('shows no token to files that need none', async () => {
    guard();
    server.requiresAccessToken = false;
    const ordinary = server.fault;
    server.fault = (request, response, body) =>
      !(request.url ?? '').startsWith('/file') && ordinary(request, response, body);
    await run(await save(client()));
    const files = server.requests.filter(({ line }) => line.startsWith('GET /file'));
    expect(files.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
  });

  it('ends by name where the client is not known', async () => {
    guard();
    await expect(run(await save({ ...client(), clientId: 'stranger' }))).rejects.toMatchObject({
      code: 'BULK_NOT_ALLOWED',
    });
  });
});

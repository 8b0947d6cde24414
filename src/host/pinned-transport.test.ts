import { X509Certificate } from 'node:crypto';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { generate } from 'selfsigned';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TransportRequest } from '#site/site.ts';
import { createPinnedTransport, type PinnedTransport } from './pinned-transport.ts';

interface Certificate {
  readonly key: string;
  readonly cert: string;
  readonly digest: string;
}

const makeCertificate = async (): Promise<Certificate> => {
  const made = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec' });
  const digest = new X509Certificate(made.cert).fingerprint256.replaceAll(':', '').toLowerCase();
  return { key: made.private, cert: made.cert, digest };
};

let right: Certificate;
let wrong: Certificate;
let transport: PinnedTransport;
let server: Server | undefined;
let requests: { method: string | undefined; url: string | undefined; body: Buffer }[] = [];
let connections = 0;

beforeAll(async () => {
  [right, wrong] = await Promise.all([makeCertificate(), makeCertificate()]);
});
afterEach(async () => {
  await transport.close();
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});
afterAll(() => expect(server).toBeUndefined());

const listen = async (certificate: Certificate, options: ServerOptions = {}): Promise<string> => {
  requests = [];
  connections = 0;
  transport = createPinnedTransport();
  server = createServer({ key: certificate.key, cert: certificate.cert, ...options }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push({ method: request.method, url: request.url, body: Buffer.concat(chunks) });
      if (request.url === '/silent') return;
      if (request.url === '/drip') {
        response.write('a');
        return;
      }
      if (request.url === '/cut') {
        response.writeHead(200, { 'content-length': '100' });
        response.write('a');
        response.socket?.destroy();
        return;
      }
      if (request.url === '/redirect') response.writeHead(302, { location: '/elsewhere' });
      else response.writeHead(201, { 'x-answer': ['one', 'two'] });
      response.end(Buffer.concat(chunks));
    });
  });
  server.on('secureConnection', () => connections++);
  const open = server;
  await new Promise<void>((resolve) => open.listen(0, '127.0.0.1', resolve));
  return `https://127.0.0.1:${(open.address() as AddressInfo).port}`;
};

const request = (url: string, changes: Partial<TransportRequest> = {}): TransportRequest => ({
  method: 'PUT',
  url,
  certificateDigest: right.digest,
  headers: { 'content-type': 'application/octet-stream' },
  body: Buffer.from('sealed'),
  timeoutMs: 5000,
  maxResponseBytes: 1000,
  ...changes,
});

describe('pinned transport', () => {
  it('sends to the server that shows the pinned certificate and gives back its answer', async () => {
    const url = await listen(right);
    const answer = await transport.send(request(`${url}/v1/updates/a`));
    expect(answer.status).toBe(201);
    expect(answer.headers['x-answer']).toBe('one, two');
    expect(Buffer.from(answer.body).toString()).toBe('sealed');
    expect(requests).toEqual([{ method: 'PUT', url: '/v1/updates/a', body: Buffer.from('sealed') }]);
  });

  it('keeps one connection for many requests', async () => {
    const url = await listen(right);
    for (let index = 0; index < 5; index++) {
      await transport.send({ ...request(`${url}/v1/trust-list`), method: 'GET', body: new Uint8Array() });
    }
    expect(requests).toHaveLength(5);
    expect(connections).toBe(1);
  });

  it('sends nothing to a server with another certificate', async () => {
    const url = await listen(wrong);
    await expect(transport.send(request(url))).rejects.toMatchObject({
      code: 'CERTIFICATE_MISMATCH',
      details: { expected: right.digest, found: wrong.digest },
    });
    expect(requests).toEqual([]);
  });

  it('does not let one pin use the connection that another pin opened', async () => {
    const url = await listen(right);
    await transport.send(request(url));
    await expect(transport.send(request(url, { certificateDigest: wrong.digest }))).rejects.toMatchObject({
      code: 'CERTIFICATE_MISMATCH',
    });
    expect(requests).toHaveLength(1);
  });

  it('refuses TLS 1.2, even with the pinned certificate', async () => {
    const url = await listen(right, { maxVersion: 'TLSv1.2' });
    await expect(transport.send(request(url))).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    expect(requests).toEqual([]);
  });

  it.each(['/silent', '/drip'])('gives up when the time is over: %s', async (path) => {
    const url = await listen(right);
    await expect(transport.send(request(url + path, { timeoutMs: 300 }))).rejects.toMatchObject({
      code: 'TIMED_OUT',
      details: { timeoutMs: 300 },
    });
  });

  it('gives up when the handshake never ends', async () => {
    transport = createPinnedTransport();
    const deaf = createTcpServer((socket) => socket.resume().on('error', () => {}));
    await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(deaf.address() as AddressInfo).port}`;
    await expect(transport.send(request(url, { timeoutMs: 300 }))).rejects.toMatchObject({
      code: 'TIMED_OUT',
    });
    await transport.close();
    await new Promise((resolve) => deaf.close(resolve));
  });

  it('accepts an answer of exactly the allowed size and refuses one byte more', async () => {
    const url = await listen(right);
    const body = new Uint8Array(1000);
    expect((await transport.send(request(url, { body }))).body).toHaveLength(1000);
    await expect(transport.send(request(url, { body, maxResponseBytes: 999 }))).rejects.toMatchObject({
      code: 'ANSWER_TOO_LARGE',
      details: { expected: 999 },
    });
  });

  it('refuses an answer that breaks off', async () => {
    const url = await listen(right);
    await expect(transport.send(request(`${url}/cut`))).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
  });

  it('does not follow redirects', async () => {
    const url = await listen(right);
    expect((await transport.send(request(`${url}/redirect`))).status).toBe(302);
    expect(requests).toHaveLength(1);
  });

  it('says that nobody listens without naming the address', async () => {
    const url = await listen(right);
    const stopped = server;
    server = undefined;
    await new Promise((resolve) => stopped?.close(resolve));
    const failure: unknown = await transport.send(request(url)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'CONNECTION_FAILED', details: { found: 'ECONNREFUSED' } });
    expect(JSON.stringify(failure) + String(failure)).not.toContain('127.0.0.1');
  });

  it('refuses an address without TLS', async () => {
    transport = createPinnedTransport();
    await expect(transport.send(request('http://127.0.0.1:1'))).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
    });
  });
});

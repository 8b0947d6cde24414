// HTTPS to one consortium: TLS 1.3, and only the certificate pinned at enrolment. No byte of a request is written before
// the certificate was compared (man in the middle with a certificate of any public authority).
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { Agent, type buildConnector, request as sendRequest } from 'undici';
import { CodedError } from '#base/coded-error.ts';
import type { Transport, TransportRequest, TransportResponse } from '#site/site.ts';

/** Codes of the sync code table that a connection itself can give. */
export type TransportCode = 'CERTIFICATE_MISMATCH' | 'CONNECTION_FAILED' | 'TIMED_OUT' | 'ANSWER_TOO_LARGE';

/** A request that brought no whole answer. Carries no address. */
export class TransportError extends CodedError<TransportCode> {}

export interface PinnedTransport extends Transport {
  /** Ends idle connections. Requests under way are aborted. */
  close(): Promise<void>;
}

/** Connections to the server with one pinned certificate. */
interface Pool {
  readonly agent: Agent;
  /** Sockets whose certificate was not compared yet. */
  readonly connecting: Set<TLSSocket>;
}

/** A transport that keeps connections open between requests, one pool for each pinned certificate. */
export function createPinnedTransport(): PinnedTransport {
  const pools = new Map<string, Pool>();
  const poolFor = (certificateDigest: string): Pool => {
    const pool = pools.get(certificateDigest) ?? createPool(certificateDigest);
    pools.set(certificateDigest, pool);
    return pool;
  };
  return {
    send: (request) => send(poolFor(request.certificateDigest), request),
    close: async () => {
      const open = [...pools.values()];
      pools.clear();
      for (const { connecting } of open) for (const socket of connecting) socket.destroy();
      await Promise.all(open.map(({ agent }) => agent.destroy()));
    },
  };
}

function createPool(certificateDigest: string): Pool {
  const connecting = new Set<TLSSocket>();
  const agent = new Agent({
    pipelining: 1,
    // Requests of a sync follow one another; one connection serves them all.
    connections: 1,
    connect: (options, callback) => {
      const socket = connectPinned(options, certificateDigest, (...result) => {
        connecting.delete(socket);
        callback(...result);
      });
      connecting.add(socket);
    },
  });
  return { agent, connecting };
}

/** Gives a socket to the HTTP client only after the certificate was compared. */
function connectPinned(
  { hostname, port }: buildConnector.Options,
  certificateDigest: string,
  callback: buildConnector.Callback,
): TLSSocket {
  const socket = connect({
    host: hostname,
    port: port === '' ? 443 : Number(port),
    // RFC 6066: an IP address is no server name.
    servername: isIP(hostname) === 0 ? hostname : '',
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['http/1.1'],
    // The pin below replaces the public authorities: the consortium's certificate is self-signed.
    rejectUnauthorized: false,
  });
  const onFailed = (error: Error): void => {
    socket.destroy();
    callback(error, null);
  };
  socket.once('error', onFailed);
  socket.once('secureConnect', () => {
    socket.off('error', onFailed);
    const mismatch = compareCertificate(socket, certificateDigest);
    if (mismatch === undefined) return callback(null, socket);
    socket.destroy();
    callback(mismatch, null);
  });
  return socket;
}

function compareCertificate(socket: TLSSocket, expected: string): TransportError | undefined {
  // sha256 of the DER certificate, as Node gives it: upper-case hexadecimal with colons.
  const found = socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase() ?? 'none';
  if (found === expected) return undefined;
  return new TransportError(
    'CERTIFICATE_MISMATCH',
    'The server showed another certificate than the pinned one.',
    {
      details: { expected, found },
    },
  );
}

async function send({ agent, connecting }: Pool, request: TransportRequest): Promise<TransportResponse> {
  if (!request.url.startsWith('https://')) {
    throw new TransportError('CONNECTION_FAILED', 'Only https addresses are used.', {
      details: { expected: 'https', found: 'another scheme' },
    });
  }
  // One deadline for connection, request and the whole answer: a server that drips bytes does not hold a sync.
  const deadline = AbortSignal.timeout(request.timeoutMs);
  // The HTTP client hears of the signal only once it has a connection, so a handshake without end is ended here.
  const endHandshakes = (): void => {
    for (const socket of connecting) socket.destroy(new Error('deadline'));
  };
  deadline.addEventListener('abort', endHandshakes, { once: true });
  try {
    const response = await sendRequest(request.url, {
      dispatcher: agent,
      method: request.method,
      headers: request.headers,
      body: request.body ?? null,
      signal: deadline,
      headersTimeout: request.timeoutMs,
      bodyTimeout: request.timeoutMs,
    });
    const body = await readBody(response.body, request.maxResponseBytes);
    return { status: response.statusCode, headers: plainHeaders(response.headers), body };
  } catch (error) {
    throw transportError(error, deadline, request.timeoutMs);
  } finally {
    deadline.removeEventListener('abort', endHandshakes);
  }
}

async function readBody(stream: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    // Stops an answer without end from filling the memory; leaving the loop destroys the stream.
    if (length > maxBytes) {
      throw new TransportError(
        'ANSWER_TOO_LARGE',
        'The server answered with more bytes than this request allows.',
        {
          details: { expected: maxBytes, found: length },
        },
      );
    }
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks, length));
}

function plainHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  return plain;
}

const TIMEOUT_CODES: ReadonlySet<string> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
]);

function transportError(error: unknown, deadline: AbortSignal, timeoutMs: number): TransportError {
  if (error instanceof TransportError) return error;
  const reason =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  if (deadline.aborted || TIMEOUT_CODES.has(reason)) {
    return new TransportError('TIMED_OUT', 'The server did not answer in time.', { details: { timeoutMs } });
  }
  // The reason is an errno or OpenSSL name; messages of the socket hold addresses and are left out.
  return new TransportError('CONNECTION_FAILED', 'The connection to the server failed.', {
    details: { found: reason },
  });
}

// Exchanges with the consortium over HTTPS: every request signed, the server's certificate pinned, every byte counted.
import { toHex, utf8 } from '#base/bytes.ts';
import type { Clock } from '#base/clock.ts';
import { CodedError } from '#base/coded-error.ts';
import type { SigningKey } from '#federation/crypto/signing-key.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { signRequest } from '#federation/sync-contract/request-signature.ts';
import { type Route, routePath, routes } from '#federation/sync-contract/routes.ts';
import { isSyncCode, parseSyncError, SyncError } from '#federation/sync-contract/sync-error.ts';
import type { Transport, TransportResponse } from '#site/ports.ts';
import type { Exchange, ExchangeRequest } from './consortium-client.ts';
import type { Traffic } from './traffic.ts';

export interface ConsortiumAddress {
  /** Origin, https. */
  readonly url: string;
  /** sha256 of the consortium's certificate (DER). */
  readonly certificateDigest: string;
}

export interface HttpsOptions {
  readonly transport: Transport;
  readonly address: ConsortiumAddress;
  /** The site's signing key. */
  readonly signer: SigningKey;
  readonly clock: Clock;
  readonly traffic: Traffic;
}

const TIMEOUT_MS = 60_000;

export function createHttpsExchange(options: HttpsOptions): Exchange {
  return (request) => exchange(options, request);
}

/** The answer's body; empty for 204. */
async function exchange(options: HttpsOptions, wanted: ExchangeRequest): Promise<Uint8Array> {
  const { transport, address, traffic } = options;
  const { body = new Uint8Array(), kind } = wanted;
  const route: Route = routes[wanted.route];
  const url = address.url + routePath(route, wanted.parameters);
  const headers = requestHeaders(options, { route, url, body });
  traffic.addSent('request', requestHeadBytes(route.method, url, headers));
  if (kind !== undefined) traffic.addSent(kind, body.length);
  const response = await sendOrFail(transport, {
    method: route.method,
    url,
    certificateDigest: address.certificateDigest,
    headers,
    ...(route.request === null ? {} : { body }),
    timeoutMs: wanted.timeoutMs ?? TIMEOUT_MS,
    maxResponseBytes: wanted.maxResponseBytes,
  });
  traffic.addReceived(response.body.length);
  return readAnswer(response);
}

interface Unsigned {
  readonly route: Route;
  readonly url: string;
  readonly body: Uint8Array;
}

function requestHeaders(
  { signer, clock }: HttpsOptions,
  { route, url, body }: Unsigned,
): Record<string, string> {
  const headers: Record<string, string> = {};
  if (route.response !== null) headers.accept = route.response;
  if (route.request !== null) headers['content-type'] = route.request;
  if (!route.isSigned) return headers;
  const nonce = toHex(systemRandom(16));
  const signed = signRequest({ method: route.method, url, body, signer, nowMs: clock.nowMs(), nonce });
  return { ...headers, ...signed };
}

/** Length of the request line and our header fields in HTTP/1.1. */
function requestHeadBytes(method: string, url: string, headers: Readonly<Record<string, string>>): number {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return utf8(`${method} ${new URL(url).pathname} HTTP/1.1\r\n${lines.join('')}\r\n`).length;
}

async function sendOrFail(
  transport: Transport,
  request: Parameters<Transport['send']>[0],
): Promise<TransportResponse> {
  try {
    return await transport.send(request);
  } catch (error) {
    if (error instanceof CodedError && isSyncCode(error.code)) {
      throw new SyncError(error.code, error.message, { cause: error, details: error.details });
    }
    throw error;
  }
}

function readAnswer({ status, body }: TransportResponse): Uint8Array {
  if (status === 204) return new Uint8Array();
  // An answer without a body is 204 and no other: an empty 200 must not pass for "no round is open".
  if ((status === 200 || status === 201) && body.length > 0) return body;
  throw parseSyncError(status, body);
}

// HTTPS to one FHIR server: its certificate checked, the token sent to it alone, other origins only where an admin named them, answers
// bounded, and tried again where waiting helps (429, 5xx, Retry-After).
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, type Dispatcher, request } from 'undici';
import { BulkExportError } from './bulk-error.ts';
import { type BulkExportSettings, isSafeUrl } from './bulk-settings.ts';
import { BulkToken } from './bulk-token.ts';

export interface BulkAnswer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: Dispatcher.ResponseData['body'];
}

export interface BulkRequest {
  readonly method?: 'DELETE' | 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** With the access token, where there is one. */
  readonly withToken: boolean;
  /** Statuses that are answers; every other one is thrown. */
  readonly taken: readonly number[];
  readonly signal?: AbortSignal;
}

const attempts = 6;
const firstPauseMs = 500;
const longestPauseMs = 60_000;
const maxRedirects = 3;
export const maxJsonBytes = 16 * 2 ** 20;
/** Statuses after which the same request may do better. */
const passing: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

export class BulkConnection {
  readonly #agent: Agent;
  readonly #origins: ReadonlySet<string>;
  readonly #token: BulkToken | null;
  readonly #signal: AbortSignal;
  readonly #firstPauseMs: number;

  constructor(settings: BulkExportSettings, signal: AbortSignal, pauseMs = firstPauseMs) {
    const { url, fileOrigins, authority, timeoutMs, client } = settings;
    this.#signal = signal;
    this.#firstPauseMs = pauseMs;
    this.#origins = new Set([new URL(url).origin, ...fileOrigins]);
    this.#agent = new Agent({
      connections: 4,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      connect: {
        timeout: timeoutMs,
        minVersion: 'TLSv1.2',
        ...(authority === null ? {} : { ca: authority }),
      },
    });
    // The token's own address was set by the admin: it may be another server.
    const post = (tokenUrl: string, form: string) => this.#postForm(tokenUrl, form);
    this.#token = client === null ? null : new BulkToken(client, post);
  }

  /** One request, with a new token where the old one is refused. The body must be read. @throws BulkExportError. */
  async send(address: string | URL, sent: BulkRequest): Promise<BulkAnswer> {
    const token = sent.withToken ? await this.#token?.current() : undefined;
    try {
      return await this.#follow(this.checkAddress(address), sent, token);
    } catch (error) {
      const isRefused = error instanceof BulkExportError && error.status === 401 && token !== undefined;
      if (!isRefused) throw describeFailure(error);
      // It ended before its time.
      return await this.#follow(this.checkAddress(address), sent, await this.#token?.renew());
    }
  }

  /** Stops a server from sending us elsewhere (server-side request forgery). @throws BulkExportError BULK_REDIRECTED. */
  checkAddress(address: string | URL): URL {
    const url = URL.canParse(String(address)) ? new URL(address) : undefined;
    if (url === undefined || !this.#origins.has(url.origin) || !isSafeUrl(url))
      throw new BulkExportError('BULK_REDIRECTED', 'The server points to an address that is not named.');
    return url;
  }

  /** Does the work again where it failed in passing, after a pause. @throws BulkExportError; Error when the signal ends it. */
  async retry<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        this.#signal.throwIfAborted();
        const failure = describeFailure(error);
        if (!(failure instanceof BulkExportError) || failure.pauseMs === null || attempt >= attempts)
          throw failure;
        await this.pauseAfter(attempt, failure.pauseMs);
      }
    }
  }

  /** Longer with every attempt. */
  async pauseAfter(attempt: number, leastMs = 0): Promise<void> {
    await this.pause(Math.max(leastMs, this.#firstPauseMs * 2 ** (attempt - 1)));
  }

  async pause(ms: number): Promise<void> {
    await sleep(Math.min(ms, longestPauseMs), undefined, { signal: this.#signal });
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #follow(first: URL, sent: BulkRequest, token: string | undefined): Promise<BulkAnswer> {
    let url = first;
    for (let count = 0; ; count += 1) {
      const answer = await request(url, {
        dispatcher: this.#agent,
        method: sent.method ?? 'GET',
        signal: sent.signal ?? this.#signal,
        headers: {
          ...sent.headers,
          'accept-encoding': 'identity',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(sent.body === undefined ? {} : { body: sent.body }),
      });
      const { statusCode: status, headers, body } = answer;
      if (sent.taken.includes(status)) return { status, headers, body };
      await body.dump();
      if (status < 300 || status >= 400 || status === 304) throw refusalOf(status, headers);
      const { location } = headers;
      const target =
        typeof location === 'string' && URL.canParse(location, url.href) ? new URL(location, url) : undefined;
      // A token goes where it was meant to go.
      if (target?.origin !== url.origin || count >= maxRedirects)
        throw new BulkExportError('BULK_REDIRECTED', 'The server points elsewhere.', { status });
      url = target;
    }
  }

  async #postForm(tokenUrl: string, form: string): Promise<unknown> {
    return this.retry(async () => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
      const sent = { method: 'POST', headers, body: form, withToken: false, taken: [200] } as const;
      return readJson(await this.#follow(new URL(tokenUrl), sent, undefined));
    });
  }
}

/** @throws BulkExportError BULK_ANSWER_TOO_LARGE, BULK_BAD_ANSWER. */
export async function readJson({ body }: BulkAnswer): Promise<unknown> {
  const parts: Uint8Array[] = [];
  let byteCount = 0;
  for await (const part of body) {
    byteCount += part.length;
    if (byteCount > maxJsonBytes)
      throw new BulkExportError('BULK_ANSWER_TOO_LARGE', 'An answer is too long.');
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    throw new BulkExportError('BULK_BAD_ANSWER', 'An answer is no JSON.');
  }
}

function refusalOf(status: number, headers: BulkAnswer['headers']): BulkExportError {
  if (passing.has(status))
    return new BulkExportError('BULK_UNAVAILABLE', 'The server does not serve just now.', {
      status,
      pauseMs: retryAfterMs(headers) ?? 0,
    });
  if (status === 401 || status === 403)
    return new BulkExportError('BULK_NOT_ALLOWED', 'The server does not accept the client.', { status });
  if (status === 404 || status === 410)
    return new BulkExportError('BULK_EXPIRED', 'What was asked for is no longer there.', { status });
  return new BulkExportError('BULK_REFUSED', 'The server refuses a request.', { status });
}

/** Retry-After in seconds or as a date (RFC 9110 section 10.2.3), by the server's own clock; undefined where there is none. */
export function retryAfterMs(headers: BulkAnswer['headers']): number | undefined {
  const text = String(headers['retry-after'] ?? '');
  if (/^\d{1,6}$/.test(text)) return Number(text) * 1_000;
  const until = Date.parse(text);
  const now = Date.parse(String(headers.date ?? ''));
  return Number.isNaN(until) || Number.isNaN(now) ? undefined : Math.max(0, until - now);
}

function describeFailure(error: unknown): unknown {
  if (error instanceof BulkExportError) return error;
  const code = codeOf(error);
  if (/^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|HOSTNAME_MISMATCH|EPROTO)/.test(code))
    return new BulkExportError('BULK_TLS_REFUSED', 'No trusted TLS connection to the server.');
  if (/^(E[A-Z]+|UND_ERR_.*)$/.test(code))
    return new BulkExportError('BULK_UNAVAILABLE', 'The server cannot be reached.', { pauseMs: 0 });
  return error;
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return codeOf(error.cause);
}

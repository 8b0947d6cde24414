// HTTPS to one DICOMweb server: its certificate checked, credentials sent to it alone, redirects to elsewhere refused, answers bounded,
// and tried again where waiting helps.
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, type Dispatcher, request } from 'undici';
import { DicomwebError } from './dicomweb-error.ts';
import type { DicomwebSettings } from './dicomweb-settings.ts';

export interface WebAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: AsyncIterable<Uint8Array>;
}

const attempts = 6;
const firstPauseMs = 500;
const longestPauseMs = 60_000;
const redirects = 3;
const maxJsonBytes = 64 * 2 ** 20;
/** Statuses after which the same request may do better. */
const passing: ReadonlySet<number> = new Set([408, 425, 429, 502, 503, 504]);

export class WebConnection {
  readonly #settings: DicomwebSettings;
  readonly #agent: Agent;
  readonly #signal: AbortSignal;

  constructor(settings: DicomwebSettings, signal: AbortSignal) {
    const { authority, certificate, key } = settings;
    this.#settings = settings;
    this.#signal = signal;
    this.#agent = new Agent({
      connections: 4,
      headersTimeout: settings.timeoutMs,
      bodyTimeout: settings.timeoutMs,
      connect: {
        timeout: settings.timeoutMs,
        minVersion: 'TLSv1.2',
        ...(authority === null ? {} : { ca: authority }),
        ...(certificate === null || key === null ? {} : { cert: certificate, key }),
      },
    });
  }

  /** The answer's JSON; null for 204. @throws DicomwebError; Error when the signal ends it. */
  async getJson(path: string): Promise<unknown> {
    return this.retry(async () => {
      const { status, body } = await this.get(path, 'application/dicom+json');
      const parts: Uint8Array[] = [];
      let byteCount = 0;
      for await (const part of body) {
        byteCount += part.length;
        if (byteCount > maxJsonBytes)
          throw new DicomwebError('DICOMWEB_ANSWER_TOO_LARGE', 'A list of the server is too long.');
        parts.push(part);
      }
      if (status === 204 || byteCount === 0) return null;
      try {
        return JSON.parse(Buffer.concat(parts).toString('utf8'));
      } catch {
        throw new DicomwebError('DICOMWEB_BAD_ANSWER', 'A list of the server is no JSON.');
      }
    });
  }

  /** One request, not repeated. The body must be read or the signal ended. @throws DicomwebError; Error of the connection. */
  async get(path: string, accept: string): Promise<WebAnswer> {
    let url = new URL(`${this.#settings.url.replace(/\/+$/, '')}${path}`);
    for (let follow = 0; ; follow++) {
      const answer = await request(url, {
        dispatcher: this.#agent,
        signal: this.#signal,
        headers: { accept, ...this.#authorisation() },
      });
      const { statusCode: status, headers } = answer;
      if (status >= 200 && status < 300)
        return { status, contentType: String(headers['content-type'] ?? ''), body: answer.body };
      await answer.body.dump();
      if (status < 300 || status >= 400 || status === 304) throw refusalOf(status, headers);
      const target = locationOf(headers, url);
      // Credentials and queries about patients go to the server that was configured, and nowhere else.
      if (target?.origin !== url.origin || follow >= redirects)
        throw new DicomwebError('DICOMWEB_REDIRECTED', 'The server points elsewhere.', status);
      url = target;
    }
  }

  /** Does the work again where it failed in passing, after a pause. @throws DicomwebError DICOMWEB_UNAVAILABLE and others. */
  async retry<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        this.#signal.throwIfAborted();
        const failure = describeFailure(error);
        if (failure.pauseMs === null || attempt >= attempts) throw failure.error;
        const pauseMs = Math.max(failure.pauseMs, firstPauseMs * 2 ** (attempt - 1));
        await sleep(Math.min(pauseMs, longestPauseMs), undefined, { signal: this.#signal });
      }
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #authorisation(): Record<string, string> {
    const { user, password, token } = this.#settings;
    if (token !== null) return { authorization: `Bearer ${token}` };
    if (user === null) return {};
    return { authorization: `Basic ${Buffer.from(`${user}:${password ?? ''}`, 'utf8').toString('base64')}` };
  }
}

type Headers = Dispatcher.ResponseData['headers'];

class PassingRefusal extends DicomwebError {
  readonly pauseMs: number;

  constructor(status: number, pauseMs: number) {
    super('DICOMWEB_UNAVAILABLE', 'The server does not serve just now.', status);
    this.pauseMs = pauseMs;
  }
}

function refusalOf(status: number, headers: Headers): DicomwebError {
  if (passing.has(status)) return new PassingRefusal(status, retryAfterMs(headers));
  if (status === 401 || status === 403)
    return new DicomwebError('DICOMWEB_NOT_ALLOWED', 'The server does not accept the credentials.', status);
  return new DicomwebError('DICOMWEB_REFUSED', 'The server refuses a request.', status);
}

/** Retry-After in seconds or as a date (RFC 9110 section 10.2.3). */
function retryAfterMs(headers: Headers): number {
  const text = String(headers['retry-after'] ?? '');
  if (/^\d{1,6}$/.test(text)) return Number(text) * 1_000;
  const until = Date.parse(text);
  const now = Date.parse(String(headers.date ?? ''));
  return Number.isNaN(until) || Number.isNaN(now) ? 0 : Math.max(0, until - now);
}

function locationOf(headers: Headers, from: URL): URL | undefined {
  const location = headers.location;
  return typeof location === 'string' && URL.canParse(location, from.href)
    ? new URL(location, from.href)
    : undefined;
}

/** @returns pauseMs: the least pause before another try; null where none helps */
export function describeFailure(error: unknown): { error: Error; pauseMs: number | null } {
  if (error instanceof PassingRefusal) return { error, pauseMs: error.pauseMs };
  if (error instanceof DicomwebError) return { error, pauseMs: null };
  const code = codeOf(error);
  // The parser's error carries the server's bytes, which may name a patient: it goes no further.
  if (code === 'ERR_ASSERTION' || isNoHttp(error))
    return {
      error: new DicomwebError('DICOMWEB_BAD_ANSWER', 'The server does not speak HTTP.'),
      pauseMs: null,
    };
  if (/^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|HOSTNAME_MISMATCH|EPROTO)/.test(code))
    return {
      error: new DicomwebError('DICOMWEB_TLS_REFUSED', 'No trusted TLS connection to the server.'),
      pauseMs: null,
    };
  if (/^(E[A-Z]+|UND_ERR_.*)$/.test(code))
    return { error: new DicomwebError('DICOMWEB_UNAVAILABLE', 'The server cannot be reached.'), pauseMs: 0 };
  return { error: error instanceof Error ? error : new Error('unknown'), pauseMs: null };
}

/** The library's parser gives some of its errors no code. */
function isNoHttp(error: unknown): boolean {
  return error instanceof Error && (error.name === 'HTTPParserError' || isNoHttp(error.cause));
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return codeOf(error.cause);
}

// The consortium's HTTPS door for sites: TLS 1.3, every request but an enrolment signed (RFC 9421), sizes, times and rates limited.
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyRequest } from 'fastify';
import { BugError, CodedError } from '#base/coded-error.ts';
import type { Logger } from '#base/logger.ts';
import type { TrustRegister } from '#consortium/enrolment/index.ts';
import { logUnknownSender } from '#consortium/intake/index.ts';
import type { Foundation } from '#consortium/store/index.ts';
import { RequestSignatureError, verifyRequest } from '#federation/sync-contract/request-signature.ts';
import { mediaTypes, routeParameters, routes } from '#federation/sync-contract/routes.ts';
import { encodeSyncError, SyncError } from '#federation/sync-contract/sync-error.ts';
import { MAX_REQUEST_SKEW_MS, rememberNonce } from './request-nonces.ts';
import type { RouteName, SyncAnswer, SyncService } from './sync-service.ts';

export interface SyncServerOptions {
  readonly tls: { readonly privateKey: string; readonly certificate: string };
  readonly service: SyncService;
  readonly foundation: Foundation;
  readonly register: TrustRegister;
  readonly logger: Logger;
  /** Host and port that sites know this server by. A request signed for another server is refused. */
  readonly authorities: () => readonly string[];
  /** Length of the longest sealed update that a plan allows. */
  readonly maxSealedBytes: () => number;
}

const MAX_SMALL_BODY_BYTES = 256 * 1024;
/** Above any plan's limit; each update is held against the plans' before its body is read. */
const MAX_UPDATE_BODY_BYTES = 2 ** 30;
const minuteMs = 60_000;
/** Requests of one address in a minute. Several sites may share one behind a proxy. */
const MAX_REQUESTS = 12_000;
const MAX_ENROLMENTS = 60;
const MAX_CONNECTIONS = 1_000;

export type SyncServer = ReturnType<typeof createFastify>;

function createFastify({ privateKey: key, certificate: cert }: SyncServerOptions['tls']) {
  return Fastify({
    // Ten seconds for a handshake and for the headers, two minutes for a whole request (slow loris); looked at every second,
    // where Node's own half a minute would make forty seconds of the ten.
    https: {
      key,
      cert,
      minVersion: 'TLSv1.3',
      handshakeTimeout: 10_000,
      headersTimeout: 10_000,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 16 * 1024,
    },
    requestTimeout: 2 * minuteMs,
    keepAliveTimeout: 30_000,
    maxRequestsPerSocket: 10_000,
    bodyLimit: MAX_SMALL_BODY_BYTES,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    logger: false,
  });
}

/** The server, ready to listen. */
export async function createSyncServer(options: SyncServerOptions): Promise<SyncServer> {
  const server = createFastify(options.tls);
  server.server.maxConnections = MAX_CONNECTIONS;
  await server.register(rateLimit, {
    max: MAX_REQUESTS,
    timeWindow: minuteMs,
    errorResponseBuilder: () =>
      new SyncError('TOO_MANY_REQUESTS', 'Too many requests; try again in a minute.'),
  });
  // Bodies are signed bytes: they are verified before anything parses them.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  for (const name of Object.keys(routes) as RouteName[]) addRoute(server, name, options);
  answerFailures(server, options.logger);
  return server;
}

function addRoute(server: SyncServer, name: RouteName, options: SyncServerOptions): void {
  const { method, path: url } = routes[name];
  server.route({
    method,
    url,
    bodyLimit: name === 'update' ? MAX_UPDATE_BODY_BYTES : MAX_SMALL_BODY_BYTES,
    config: { rateLimit: name === 'enrol' ? { max: MAX_ENROLMENTS, timeWindow: minuteMs } : {} },
    onRequest: async (request) => {
      if (name === 'update') requireFittingLength(request, options.maxSealedBytes());
    },
    handler: async (request, reply) => {
      const { status, mediaType, body } = await handle(options, name, request);
      reply.code(status);
      return mediaType === null ? reply.send() : reply.type(mediaType).send(Buffer.from(body));
    },
  });
}

function answerFailures(server: SyncServer, logger: Logger): void {
  server.setNotFoundHandler(() => {
    throw new SyncError('NOT_FOUND', 'There is no such route.');
  });
  server.setErrorHandler((error, request, reply) => {
    const refusal = asRefusal(error);
    logFailure(logger, request, refusal);
    const { status, body } = encodeSyncError(refusal);
    return reply.code(status).type(mediaTypes.json).send(Buffer.from(body));
  });
  server.addHook('onResponse', async ({ method, routeOptions }, { statusCode: status, elapsedTime }) => {
    logger.info('request', {
      method,
      action: routeOptions.url ?? 'none',
      status,
      durationMs: Math.round(elapsedTime),
    });
  });
}

/** Stops a body from being read that no plan allows, and one that does not say its length. */
function requireFittingLength({ headers }: FastifyRequest, maxBytes: number): void {
  const length = Number(headers['content-length']);
  if (length <= maxBytes) return;
  throw new SyncError(
    'BODY_TOO_LARGE',
    'The update is larger than any plan allows, or does not say how large it is.',
    {
      details: { expected: maxBytes, found: Number.isFinite(length) ? length : null },
    },
  );
}

async function handle(
  options: SyncServerOptions,
  name: RouteName,
  request: FastifyRequest,
): Promise<SyncAnswer> {
  const body = Buffer.isBuffer(request.body) ? new Uint8Array(request.body) : new Uint8Array();
  if (name === 'enrol') return options.service.enrol(body);
  const siteId = authenticate(options, { name, request, body });
  return options.service.answer(name, { siteId, parameters: readParameters(request), body });
}

interface SignedRequest {
  readonly name: RouteName;
  readonly request: FastifyRequest;
  readonly body: Uint8Array;
}

/** The site that sent the request. @throws RequestSignatureError. */
function authenticate(options: SyncServerOptions, { name, request, body }: SignedRequest): string {
  const { foundation, register } = options;
  try {
    const verified = verifyRequest({
      method: request.method,
      authority: knownAuthority(request.headers.host, options.authorities()),
      path: request.raw.url ?? '',
      headers: request.headers,
      body,
      trust: register.current().keys,
      nowMs: foundation.store.clock.nowMs(),
      maxClockSkewMs: MAX_REQUEST_SKEW_MS,
    });
    rememberNonce(foundation.store, verified);
    if (verified.key.siteId === null) throw new BugError('a site key without a site');
    return verified.key.siteId;
  } catch (error) {
    if (name === 'update' && error instanceof RequestSignatureError) logUnknownSender(foundation, error.code);
    throw error;
  }
}

/** The name of this server that the request was sent to. One signed for another server does not pass here (relay). */
function knownAuthority(host: string | undefined, authorities: readonly string[]): string {
  const found = authorities.find((authority) => authority === host?.toLowerCase());
  if (found !== undefined) return found;
  throw new RequestSignatureError('BAD_REQUEST_SIGNATURE', 'The request was sent to another server.', {
    details: { expected: authorities },
  });
}

/** @throws SyncError NOT_FOUND for a parameter that is not in its one form. */
function readParameters(request: FastifyRequest): Record<string, string> {
  const given = Object.entries(request.params as Record<string, string>);
  const isValid = given.every(([name, value]) =>
    Object.entries(routeParameters).some(
      ([known, schema]) => known === name && schema.safeParse(value).success,
    ),
  );
  if (!isValid) throw new SyncError('NOT_FOUND', 'There is no such resource.');
  return Object.fromEntries(given);
}

/** Fastify's own refusals in the codes of the contract. */
function asRefusal(error: unknown): unknown {
  if (error instanceof CodedError || typeof error !== 'object' || error === null) return error;
  const status = 'statusCode' in error ? error.statusCode : undefined;
  if (status === 413) return new SyncError('BODY_TOO_LARGE', 'The body is larger than this route takes.');
  const isOfClient = typeof status === 'number' && status >= 400 && status < 500;
  return isOfClient ? new SyncError('BAD_REQUEST', 'The request is malformed.') : error;
}

function logFailure(logger: Logger, { method, routeOptions }: FastifyRequest, error: unknown): void {
  const place = { method, action: routeOptions.url ?? 'none' };
  if (error instanceof CodedError && !(error instanceof BugError)) {
    logger.warn('refused', { ...place, code: error.code });
    return;
  }
  const frames =
    error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : [];
  logger.error('failed', { ...place, stack: frames.join('\n') });
}

// The consortium's HTTPS door for sites: TLS 1.3, every request but an enrolment signed (RFC 9421), sizes, times and rates limited.
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyRequest } from 'fastify';
import { BugError, CodedError } from '#base/coded-error.ts';
import type { Logger } from '#base/logger.ts';
import type { TrustRegister } from '#consortium/enrolment/index.ts';
import { createUnknownSenders } from '#consortium/intake/index.ts';
import type { Foundation } from '#consortium/store/index.ts';
import { RequestSignatureError } from '#federation/sync-contract/request-signature.ts';
import { mediaTypes, type RouteName, routeParameters, routes } from '#federation/sync-contract/routes.ts';
import { encodeSyncError, SyncError } from '#federation/sync-contract/sync-error.ts';
import { type Authentication, createAuthentication } from './authentication.ts';
import type { SyncAnswer, SyncService } from './sync-service.ts';

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
/** Requests of one address in a minute that nobody trusted signed. Sites behind the same proxy are not held up by them. */
const MAX_UNAUTHENTICATED = 120;
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
    errorResponseBuilder: tooManyRequests,
  });
  // Bodies are signed bytes: they are verified before anything parses them.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  const door = createDoor(server, options);
  for (const name of Object.keys(routes) as RouteName[]) addRoute(server, name, { ...options, door });
  answerFailures(server, options.logger);
  return server;
}

/** What stands before the routes: signatures, and what becomes of requests without a good one. */
interface Door extends Authentication {
  /** The error to answer with. The log gets one entry for each reason and minute (filling it up); answers become few. */
  refuse(name: RouteName, request: FastifyRequest, error: unknown): Promise<unknown>;
}

function createDoor(server: SyncServer, options: SyncServerOptions): Door {
  const unknownSenders = createUnknownSenders(options.foundation, options.logger);
  server.addHook('onClose', async () => unknownSenders.flush());
  const limit = server.createRateLimit({ max: MAX_UNAUTHENTICATED, timeWindow: minuteMs });
  return {
    ...createAuthentication(options),
    refuse: async (name, request, error) => {
      if (!(error instanceof RequestSignatureError)) return error;
      if (name === 'update') unknownSenders.count(error.code);
      const allowance = await limit(request);
      return allowance.isAllowed || !allowance.isExceeded ? error : tooManyRequests();
    },
  };
}

interface RouteOptions extends SyncServerOptions {
  readonly door: Door;
}

function addRoute(server: SyncServer, name: RouteName, options: RouteOptions): void {
  const { method, path: url } = routes[name];
  server.route({
    method,
    url,
    bodyLimit: name === 'update' ? MAX_UPDATE_BODY_BYTES : MAX_SMALL_BODY_BYTES,
    config: { rateLimit: name === 'enrol' ? { max: MAX_ENROLMENTS, timeWindow: minuteMs } : {} },
    // After the rate limit and before the body is read.
    preParsing: async (request) => {
      if (name === 'update') requireFittingLength(request, options.maxSealedBytes());
      if (name === 'enrol') return;
      try {
        options.door.verifyHead(request);
      } catch (error) {
        throw await options.door.refuse(name, request, error);
      }
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

function tooManyRequests(): SyncError {
  return new SyncError('TOO_MANY_REQUESTS', 'Too many requests; try again in a minute.');
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
  { service, door }: RouteOptions,
  name: RouteName,
  request: FastifyRequest,
): Promise<SyncAnswer> {
  const body = Buffer.isBuffer(request.body) ? new Uint8Array(request.body) : new Uint8Array();
  if (name === 'enrol') return service.enrol(body);
  let siteId: string;
  try {
    siteId = door.verifyBody(request, body);
  } catch (error) {
    throw await door.refuse(name, request, error);
  }
  return service.answer(name, { siteId, parameters: readParameters(request), body });
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

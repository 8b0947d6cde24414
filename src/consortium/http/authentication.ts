// Who a request is from. The head is verified before a byte of the body is kept; the body afterwards, against the digest that was signed.
import type { FastifyRequest } from 'fastify';
import { BugError } from '#base/coded-error.ts';
import type { TrustRegister } from '#consortium/enrolment/index.ts';
import type { Foundation } from '#consortium/store/index.ts';
import {
  RequestSignatureError,
  verifyContentDigest,
  verifyRequestHead,
} from '#federation/sync-contract/request-signature.ts';
import { MAX_REQUEST_SKEW_MS, rememberNonce } from './request-nonces.ts';

export interface AuthenticationOptions {
  readonly foundation: Foundation;
  readonly register: TrustRegister;
  /** Host and port that sites know this server by. A request signed for another server is refused. */
  readonly authorities: () => readonly string[];
}

export interface Authentication {
  /** Verifies the head and remembers its nonce: a head sent again makes nobody read a second body. @throws RequestSignatureError. */
  verifyHead(request: FastifyRequest): void;
  /** The site that sent the request with this very body. @throws RequestSignatureError BAD_REQUEST_SIGNATURE. */
  verifyBody(request: FastifyRequest, body: Uint8Array): string;
}

export function createAuthentication({
  foundation,
  register,
  authorities,
}: AuthenticationOptions): Authentication {
  const senders = new WeakMap<FastifyRequest, string>();
  return {
    verifyHead: (request) => {
      const verified = verifyRequestHead({
        method: request.method,
        authority: knownAuthority(request.headers.host, authorities()),
        path: request.raw.url ?? '',
        headers: request.headers,
        trust: register.current().keys,
        nowMs: foundation.store.clock.nowMs(),
        maxClockSkewMs: MAX_REQUEST_SKEW_MS,
      });
      rememberNonce(foundation.store, verified);
      if (verified.key.siteId === null) throw new BugError('a site key without a site');
      senders.set(request, verified.key.siteId);
    },
    verifyBody: (request, body) => {
      const siteId = senders.get(request);
      if (siteId === undefined) throw new BugError('a body without a verified head');
      verifyContentDigest(request.headers, body);
      return siteId;
    },
  };
}

/** The name of this server that the request was sent to. One signed for another server does not pass here (relay). */
function knownAuthority(host: string | undefined, authorities: readonly string[]): string {
  const found = authorities.find((authority) => authority === host?.toLowerCase());
  if (found !== undefined) return found;
  throw new RequestSignatureError('BAD_REQUEST_SIGNATURE', 'The request was sent to another server.', {
    details: { expected: authorities },
  });
}

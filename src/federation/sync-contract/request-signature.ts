// HTTP message signatures (RFC 9421) with Ed25519, and content digests (RFC 9530), in one fixed profile: what is signed, in
// which order and under which name is not the sender's choice (docs/formats/request-signature.md).

import { fromBase64, toBase64, utf8 } from '#base/bytes.ts';
import { isCodedError } from '#base/coded-error.ts';
import { constantTimeEqual, sha256 } from '#federation/crypto/digest.ts';
import { type SigningKey, verifySignature } from '#federation/crypto/signing-key.ts';
import type { TrustedKey } from '#federation/records/trust-list.ts';
import { findKeyFor, publicKeyOf, type TrustedKeys } from '#federation/records/trusted-keys.ts';
import { RequestSignatureError } from '#federation/sync-contract/request-signature-error.ts';

export {
  type RequestSignatureCode,
  RequestSignatureError,
} from '#federation/sync-contract/request-signature-error.ts';

const LABEL = 'consilium';
/** Covered components in their order. There is no query: a signed request has none. */
const COMPONENTS = '("@method" "@authority" "@path" "content-digest")';
/** 16 to 64 characters; 128 bits of randomness in hexadecimal or base64. */
const NONCE = /^[A-Za-z0-9+/=_-]{16,64}$/;
const SIGNATURE_INPUT =
  /^consilium=(\("@method" "@authority" "@path" "content-digest"\);created=([0-9]{1,11});nonce="([A-Za-z0-9+/=_-]{16,64})";keyid="([0-9a-f]{64})";alg="ed25519")$/;
const SIGNATURE = /^consilium=:([A-Za-z0-9+/]{86}==):$/;
const CONTENT_DIGEST = /^sha-256=:[A-Za-z0-9+/]{43}=:$/;
const PATH = /^\/[A-Za-z0-9/._~%-]*$/;

export interface SignRequestOptions {
  readonly method: string;
  /** Absolute https URL without query and fragment. */
  readonly url: string;
  /** Empty where the request has no body. */
  readonly body: Uint8Array;
  readonly signer: SigningKey;
  readonly nowMs: number;
  /** Never used before with this key: 16 random bytes in hexadecimal. */
  readonly nonce: string;
}

export interface SignedRequestHeaders {
  readonly 'content-digest': string;
  readonly 'signature-input': string;
  readonly signature: string;
}

export interface VerifyRequestHeadOptions {
  readonly method: string;
  /** Host, and port unless it is 443, that this server is known by; not what the request claims. */
  readonly authority: string;
  /** The request target as it came. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: RequestHeaders;
  readonly trust: TrustedKeys;
  readonly nowMs: number;
  readonly maxClockSkewMs: number;
}

export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface VerifyRequestOptions extends VerifyRequestHeadOptions {
  readonly body: Uint8Array;
}

export interface VerifiedRequest {
  /** Role site-signing; its `siteId` is the caller. */
  readonly key: TrustedKey;
  /** For the caller to remember until `created` is stale: the same again is REPLAYED_REQUEST. */
  readonly nonce: string;
  readonly createdMs: number;
}

/** The headers to add to a request. @throws RequestSignatureError BAD_REQUEST_SIGNATURE on a URL or nonce that cannot be signed. */
export function signRequest({
  method,
  url,
  body,
  signer,
  nowMs,
  nonce,
}: SignRequestOptions): SignedRequestHeaders {
  const { host, pathname, search, hash, protocol } = new URL(url);
  if (protocol !== 'https:' || search !== '' || hash !== '')
    throw badSignature('an https URL without query', 'another');
  if (!NONCE.test(nonce)) throw badSignature('a nonce of 16 to 64 base64 characters', 'another');
  const contentDigest = contentDigestOf(body);
  const created = Math.floor(nowMs / 1000);
  const parameters = `${COMPONENTS};created=${created};nonce="${nonce}";keyid="${signer.keyId}";alg="ed25519"`;
  const base = signatureBase(
    requestComponents({ method, authority: host, path: pathname, contentDigest }),
    parameters,
  );
  return {
    'content-digest': contentDigest,
    'signature-input': `${LABEL}=${parameters}`,
    signature: `${LABEL}=:${toBase64(signer.sign(base))}:`,
  };
}

/**
 * Who sent this request. Does not know which nonces were seen.
 * @throws RequestSignatureError BAD_REQUEST_SIGNATURE, KEY_NOT_TRUSTED, STALE_REQUEST.
 */
export function verifyRequest(options: VerifyRequestOptions): VerifiedRequest {
  const verified = verifyRequestHead(options);
  verifyContentDigest(options.headers, options.body);
  return verified;
}

/**
 * Who announces this request, before its body is read: nobody but an enrolled site makes a server buffer one (memory exhaustion).
 * The signature is over the Content-Digest field, so the body is only the sender's once `verifyContentDigest` has passed.
 * @throws RequestSignatureError BAD_REQUEST_SIGNATURE, KEY_NOT_TRUSTED, STALE_REQUEST.
 */
export function verifyRequestHead(options: VerifyRequestHeadOptions): VerifiedRequest {
  const { method, authority, path, headers, trust, nowMs, maxClockSkewMs } = options;
  const [, parameters = '', created = '', nonce = '', keyId = ''] = match(
    headers,
    'signature-input',
    SIGNATURE_INPUT,
  );
  const [, signature = ''] = match(headers, 'signature', SIGNATURE);
  // A query is outside of what was signed, so a courier could add one.
  if (!PATH.test(path)) throw badSignature('a path without query', 'another');
  const [contentDigest] = match(headers, 'content-digest', CONTENT_DIGEST);
  const key = findSigner(trust, keyId, nowMs);
  const base = signatureBase(requestComponents({ method, authority, path, contentDigest }), parameters);
  verifyBase(key, base, decodeSignature(signature));
  const createdMs = Number(created) * 1000;
  verifyFresh(createdMs, nowMs, maxClockSkewMs);
  return { key, nonce, createdMs };
}

/** `Content-Digest` of RFC 9530 for `body`. */
export function contentDigestOf(body: Uint8Array): string {
  return `sha-256=:${toBase64(sha256(body))}:`;
}

/** The signature base of RFC 9421 section 2.5: one line for each component and the parameters last, without a line feed. */
export function signatureBase(
  components: readonly (readonly [name: string, value: string])[],
  parameters: string,
): Uint8Array {
  const lines = components.map(([name, value]) => `"${name}": ${value}`);
  return utf8([...lines, `"@signature-params": ${parameters}`].join('\n'));
}

interface RequestParts {
  readonly method: string;
  readonly authority: string;
  readonly path: string;
  readonly contentDigest: string;
}

function requestComponents({ method, authority, path, contentDigest }: RequestParts): [string, string][] {
  return [
    ['@method', method],
    ['@authority', authority.toLowerCase()],
    ['@path', path],
    ['content-digest', contentDigest],
  ];
}

function match(headers: RequestHeaders, name: string, pattern: RegExp): RegExpExecArray {
  const value = headers[name];
  const found = typeof value === 'string' ? pattern.exec(value) : null;
  if (found === null)
    throw badSignature(`one ${name} header of the profile`, value === undefined ? 'none' : 'another');
  return found;
}

/**
 * The header is compared to the body's own digest, and it is this digest that was signed: a changed body does not pass.
 * @throws RequestSignatureError BAD_REQUEST_SIGNATURE.
 */
export function verifyContentDigest(headers: RequestHeaders, body: Uint8Array): void {
  const value = headers['content-digest'];
  if (typeof value !== 'string' || !constantTimeEqual(utf8(value), utf8(contentDigestOf(body)))) {
    throw badSignature('the content digest of the body', 'another');
  }
}

function findSigner(trust: TrustedKeys, keyId: string, atMs: number): TrustedKey {
  const key = findKeyFor(trust, keyId, { role: 'site-signing', atMs });
  if (key !== undefined) return key;
  throw new RequestSignatureError(
    'KEY_NOT_TRUSTED',
    'The request is signed by a key that is not trusted for this.',
    {
      details: { keyId, expected: 'a valid key of role site-signing' },
    },
  );
}

function verifyBase(key: TrustedKey, base: Uint8Array, signature: Uint8Array): void {
  try {
    verifySignature(publicKeyOf(key), base, signature);
  } catch (error) {
    if (!isCodedError(error, 'BAD_SIGNATURE')) throw error;
    throw badSignature('a signature over this request', 'a signature over something else');
  }
}

function decodeSignature(text: string): Uint8Array {
  try {
    return fromBase64(text);
  } catch {
    throw badSignature('canonical base64', 'another');
  }
}

/** An old request sent again, or one signed for later. */
function verifyFresh(createdMs: number, nowMs: number, maxClockSkewMs: number): void {
  const skewMs = Math.abs(nowMs - createdMs);
  if (skewMs <= maxClockSkewMs) return;
  throw new RequestSignatureError(
    'STALE_REQUEST',
    'The request was signed too long ago, or a clock is wrong.',
    {
      details: { expected: maxClockSkewMs, found: skewMs },
    },
  );
}

function badSignature(expected: string, found: string): RequestSignatureError {
  return new RequestSignatureError('BAD_REQUEST_SIGNATURE', 'The request is not signed as it must be.', {
    details: { expected, found },
  });
}

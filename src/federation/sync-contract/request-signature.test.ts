import { describe, expect, it } from 'vitest';
import { toBase64, utf8 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import {
  contentDigestOf,
  type SignedRequestHeaders,
  signRequest,
  type VerifyRequestOptions,
  verifyRequest,
} from '#federation/sync-contract/request-signature.ts';
import { flip, keys, nowMs, refusalOf, trust, trustWith } from '#support/signed-world.ts';

const body = utf8('sealed bytes');
const nonce = '00112233445566778899aabbccddeeff';
const url = 'https://consortium.example:8443/v1/updates/ab';

function signed(change: Partial<Parameters<typeof signRequest>[0]> = {}): SignedRequestHeaders {
  return signRequest({ method: 'PUT', url, body, signer: keys.cleveland, nowMs, nonce, ...change });
}

function verify(change: Partial<VerifyRequestOptions> = {}, headers: object = signed()) {
  return verifyRequest({
    method: 'PUT',
    authority: 'consortium.example:8443',
    path: '/v1/updates/ab',
    headers: { host: 'consortium.example:8443', ...headers },
    body,
    trust,
    nowMs,
    maxClockSkewMs: 300_000,
    ...change,
  });
}

describe('a signed request', () => {
  it('tells who sent it, with the nonce to remember', () => {
    const { key, nonce: seen, createdMs } = verify();
    expect([key.siteId, seen, createdMs]).toEqual(['cleveland', nonce, nowMs]);
  });

  it('without a body is signed over the digest of nothing', () => {
    const empty = new Uint8Array();
    const headers = signed({ method: 'GET', body: empty });
    expect(headers['content-digest']).toBe('sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:');
    expect(verify({ method: 'GET', body: empty }, headers).key.siteId).toBe('cleveland');
  });

  it('leaves out the default port and has a lower-case host', () => {
    const headers = signed({ url: 'https://Consortium.EXAMPLE:443/v1/updates/ab' });
    expect(verify({ authority: 'consortium.example' }, headers).key.siteId).toBe('cleveland');
  });

  it.each([
    ['a query', { url: `${url}?round=2` }],
    ['a fragment', { url: `${url}#x` }],
    ['plain http', { url: url.replace('https', 'http') }],
    ['a short nonce', { nonce: 'abc' }],
    ['a nonce with a quote', { nonce: '0011223344556677"' }],
  ])('cannot be made with %s', async (_name, change) => {
    expect(await refusalOf(() => signed(change))).toBe('BAD_REQUEST_SIGNATURE');
  });
});

describe('a request that was changed on its way', () => {
  it.each<[string, Partial<VerifyRequestOptions>]>([
    ['another method', { method: 'POST' }],
    ['another host', { authority: 'other.example:8443' }],
    ['another port', { authority: 'consortium.example' }],
    ['another path', { path: '/v1/updates/ac' }],
    ['a query', { path: '/v1/updates/ab?x=1' }],
    ['a dot segment', { path: '/v1/x/../updates/ab' }],
    ['another body', { body: utf8('sealed Bytes') }],
    ['no body', { body: new Uint8Array() }],
  ])('%s is BAD_REQUEST_SIGNATURE', async (_name, change) => {
    expect(await refusalOf(() => verify(change))).toBe('BAD_REQUEST_SIGNATURE');
  });

  it('a body changed together with its digest is BAD_REQUEST_SIGNATURE', async () => {
    const other = utf8('other bytes');
    const headers = { ...signed(), 'content-digest': contentDigestOf(other) };
    expect(await refusalOf(() => verify({ body: other }, headers))).toBe('BAD_REQUEST_SIGNATURE');
  });

  it.each(['content-digest', 'signature-input', 'signature'] as const)(
    'without %s, or with it twice, is refused',
    async (name) => {
      const value = signed()[name];
      for (const changed of [
        undefined,
        '',
        [value, value],
        `${value}, ${value}`,
        ` ${value}`,
        `${value};x=1`,
      ]) {
        expect(await refusalOf(() => verify({}, { ...signed(), [name]: changed }))).toBe(
          'BAD_REQUEST_SIGNATURE',
        );
      }
    },
  );

  it.each([
    ['another created', (text: string) => text.replace(/created=\d+/, `created=${nowMs / 1000 + 1}`)],
    ['another nonce', (text: string) => text.replace('0011', '1100')],
    ['fewer components', (text: string) => text.replace(' "content-digest"', '')],
    [
      'components in another order',
      (text: string) => text.replace('"@method" "@authority"', '"@authority" "@method"'),
    ],
    ['another algorithm', (text: string) => text.replace('ed25519', 'hmac-sha256')],
    ['no algorithm', (text: string) => text.replace(';alg="ed25519"', '')],
    ['an expiry', (text: string) => `${text};expires=9999999999`],
    ['another label', (text: string) => text.replace('consilium=', 'sig1=')],
  ])('parameters with %s are BAD_REQUEST_SIGNATURE', async (_name, change) => {
    const headers = { ...signed(), 'signature-input': change(signed()['signature-input']) };
    expect(headers['signature-input']).not.toBe(signed()['signature-input']);
    expect(await refusalOf(() => verify({}, headers))).toBe('BAD_REQUEST_SIGNATURE');
  });

  it('any flipped byte of the signature is BAD_REQUEST_SIGNATURE', async () => {
    const bytes = Buffer.from(signed().signature.slice('consilium=:'.length, -1), 'base64');
    for (let at = 0; at < 64; at += 1) {
      const headers = { ...signed(), signature: `consilium=:${toBase64(flip(bytes, at))}:` };
      expect(await refusalOf(() => verify({}, headers))).toBe('BAD_REQUEST_SIGNATURE');
    }
  });
});

describe('a request by the wrong key or at the wrong time', () => {
  it.each([
    ['a steward key', { signer: keys.anna }, trust],
    ['a consortium key', { signer: keys.model }, trust],
    ['a revoked key', {}, trustWith(keys.cleveland, { revokedAt: isoTime(nowMs) })],
    ['an expired key', {}, trustWith(keys.cleveland, { notAfter: isoTime(nowMs) })],
  ])('%s is KEY_NOT_TRUSTED', async (_name, change, trusted) => {
    expect(await refusalOf(() => verify({ trust: trusted }, signed(change)))).toBe('KEY_NOT_TRUSTED');
  });

  it("a key id that is another site's does not help", async () => {
    const headers = signed();
    const input = headers['signature-input'].replace(keys.cleveland.keyId, keys.hungary.keyId);
    expect(await refusalOf(() => verify({}, { ...headers, 'signature-input': input }))).toBe(
      'BAD_REQUEST_SIGNATURE',
    );
  });

  it.each([
    [300_000, 'nothing'],
    [300_001, 'STALE_REQUEST'],
    [86_400_000, 'STALE_REQUEST'],
    [-300_000, 'nothing'],
    [-300_001, 'STALE_REQUEST'],
  ])('%i ms later: %s', async (laterMs, code) => {
    expect(await refusalOf(() => verify({ nowMs: nowMs + laterMs }))).toBe(code);
  });
});

import { createPublicKey, createVerify, generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openJwsSigner } from './json-web-signature.ts';

const pemOf = (key: { export(options: { type: 'pkcs8'; format: 'pem' }): string | Buffer }): string =>
  String(key.export({ type: 'pkcs8', format: 'pem' }));
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });

describe('a JSON web signature', () => {
  it('with an RSA key is RS384 over header and claims', () => {
    const token = openJwsSigner(pemOf(rsa.privateKey)).sign({ typ: 'JWT', kid: 'k' }, { iss: 'a', exp: 5 });
    const [header = '', claims = '', signature = ''] = token.split('.');
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({
      typ: 'JWT',
      kid: 'k',
      alg: 'RS384',
    });
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toEqual({ iss: 'a', exp: 5 });
    const verifier = createVerify('RSA-SHA384').update(`${header}.${claims}`);
    expect(verifier.verify(rsa.publicKey, Buffer.from(signature, 'base64url'))).toBe(true);
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  });

  it('with a P-384 key is ES384, 96 bytes as RFC 7518 has them', () => {
    const token = openJwsSigner(pemOf(p384.privateKey)).sign({ typ: 'JWT' }, { iss: 'a' });
    const [header = '', claims = '', signature = ''] = token.split('.');
    const bytes = Buffer.from(signature, 'base64url');
    expect(bytes).toHaveLength(96);
    const key = { key: createPublicKey(p384.privateKey), dsaEncoding: 'ieee-p1363' as const };
    expect(verify('sha384', Buffer.from(`${header}.${claims}`), key, bytes)).toBe(true);
  });

  it.each([
    ['a short RSA key', pemOf(generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey)],
    ['a P-256 key', pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)],
    ['an Ed25519 key', pemOf(generateKeyPairSync('ed25519').privateKey)],
    ['a public key', String(rsa.publicKey.export({ type: 'spki', format: 'pem' }))],
    ['no key', 'none'],
  ])('is not made with %s', (_, pem) => {
    expect(() => openJwsSigner(pem)).toThrow(expect.objectContaining({ code: 'BAD_KEY' }));
  });
});

// Known answers of the standards that the signed records rest on (security.md E29). The values come from where `source` says.
import { Aes128Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { describe, expect, it } from 'vitest';
import { fromBase64, fromHex, fromUtf8, toHex, utf8 } from '#base/bytes.ts';
import { createSha256, hmacSha256, sha256, sha256Hex } from '#federation/crypto/digest.ts';
import { preAuthenticationEncoding } from '#federation/crypto/dsse.ts';
import { createHpkeOpener } from '#federation/crypto/hpke.ts';
import { createKeystream } from '#federation/crypto/keystream.ts';
import { createReceivingKey } from '#federation/crypto/receiving-key.ts';
import { createSigningKey, verifySignature } from '#federation/crypto/signing-key.ts';
import { parseSpki } from '#federation/crypto/spki.ts';
import { encodeCanonicalJson } from '#federation/records/canonical-json.ts';
import { contentDigestOf, signatureBase } from '#federation/sync-contract/request-signature.ts';
import vectors from './crypto.json' with { type: 'json' };

describe('digests', () => {
  it('are those of FIPS 180-4 for "abc", at once and in parts', () => {
    const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(sha256Hex(utf8('abc'))).toBe(expected);
    expect(toHex(sha256(utf8('abc')))).toBe(expected);
    const parts = createSha256();
    parts.update(utf8('a'));
    parts.update(utf8('bc'));
    expect(toHex(parts.digest())).toBe(expected);
  });

  it(vectors.hmacSha256.source, () => {
    const { key, message, digest } = vectors.hmacSha256;
    expect(toHex(hmacSha256(fromHex(key), fromHex(message)))).toBe(digest);
  });
});

describe(vectors.ed25519.source, () => {
  it.each(vectors.ed25519.cases)('public key $publicKey', ({ seed, publicKey, message, signature }) => {
    const key = createSigningKey(fromHex(seed));
    expect(toHex(parseSpki('Ed25519', key.publicKey))).toBe(publicKey);
    expect(toHex(key.sign(fromHex(message)))).toBe(signature);
    expect(() => verifySignature(key.publicKey, fromHex(message), fromHex(signature))).not.toThrow();
  });
});

describe(vectors.x25519.source, () => {
  it.each(vectors.x25519.cases)('public key $publicKey', ({ privateKey, publicKey }) => {
    expect(toHex(parseSpki('X25519', createReceivingKey(fromHex(privateKey)).publicKey))).toBe(publicKey);
  });
});

describe('DSSE', () => {
  it(vectors.dsse.source, () => {
    const { payloadType, payload, preAuthenticationEncoding: expected } = vectors.dsse;
    expect(fromUtf8(preAuthenticationEncoding(payloadType, utf8(payload)))).toBe(expected);
  });

  it('counts bytes, not characters', () => {
    expect(fromUtf8(preAuthenticationEncoding('ü', utf8('€')))).toBe('DSSEv1 2 ü 3 €');
  });
});

describe('HPKE', () => {
  it(vectors.hpke.source, async () => {
    const { info, recipientPrivateKey, recipientPublicKey, enc, messages, plaintext } = vectors.hpke;
    const key = createReceivingKey(fromHex(recipientPrivateKey));
    expect(toHex(parseSpki('X25519', key.publicKey))).toBe(recipientPublicKey);
    const opener = await createHpkeOpener(key, fromHex(info), fromHex(enc));
    for (const { aad, ciphertext } of messages) {
      expect(toHex(await opener.open(fromHex(ciphertext), fromHex(aad)))).toBe(plaintext);
    }
  });

  it(`${vectors.hpkeA1.source}, sealed by the library`, async () => {
    const { info, recipientPublicKey, ephemeralPrivateKey, enc, messages, plaintext } = vectors.hpkeA1;
    const suite = new CipherSuite({
      kem: new DhkemX25519HkdfSha256(),
      kdf: new HkdfSha256(),
      aead: new Aes128Gcm(),
    });
    const privateKey = await suite.kem.deserializePrivateKey(
      new Uint8Array(fromHex(ephemeralPrivateKey)).buffer,
    );
    const publicKey = await suite.kem.deserializePublicKey(new Uint8Array(fromHex(enc)).buffer);
    const sender = await suite.createSenderContext({
      recipientPublicKey: await suite.kem.deserializePublicKey(
        new Uint8Array(fromHex(recipientPublicKey)).buffer,
      ),
      info: fromHex(info),
      ekm: { privateKey, publicKey },
    });
    expect(toHex(new Uint8Array(sender.enc))).toBe(enc);
    for (const { aad, ciphertext } of messages) {
      expect(toHex(new Uint8Array(await sender.seal(fromHex(plaintext), fromHex(aad))))).toBe(ciphertext);
    }
  });
});

describe('the keystream', () => {
  it(vectors.keystream.source, () => {
    const stream = createKeystream(fromHex(vectors.keystream.seed));
    const bytes = new DataView(new ArrayBuffer(16));
    for (let at = 0; at < 16; at += 4) bytes.setUint32(at, stream.nextUint32(), true);
    expect(toHex(new Uint8Array(bytes.buffer))).toBe(vectors.keystream.firstBytes);
  });
});

describe('HTTP message signatures', () => {
  it(vectors.messageSignature.source, () => {
    const { seed, publicKey, components, parameters, signature } = vectors.messageSignature;
    const pairs = components.map(([name = '', value = '']) => [name, value] as const);
    const base = signatureBase(pairs, parameters);
    const key = createSigningKey(fromHex(seed));
    expect(toHex(parseSpki('Ed25519', key.publicKey))).toBe(publicKey);
    expect(key.sign(base)).toEqual(fromBase64(signature));
  });

  it(vectors.contentDigest.source, () => {
    expect(contentDigestOf(utf8(vectors.contentDigest.body))).toBe(vectors.contentDigest.header);
  });
});

describe('canonical JSON', () => {
  it(vectors.canonicalJson.source, () => {
    const { json, canonical, unsorted, order } = vectors.canonicalJson;
    expect(fromUtf8(encodeCanonicalJson(JSON.parse(json)))).toBe(canonical);
    const sorted = fromUtf8(encodeCanonicalJson(JSON.parse(unsorted)));
    const places = order.map((name) => sorted.indexOf(name));
    expect(places).toEqual([...places].sort((left, right) => left - right));
    expect(places.every((place) => place > 0)).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { toBase64, toHex } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { keyIdOf } from '#federation/crypto/signing-key.ts';
import { encodeSpki } from '#federation/crypto/spki.ts';
import {
  createRootTrust,
  createTrustedKeys,
  findKeyFor,
  isKeyValid,
  requireKey,
} from '#federation/records/trusted-keys.ts';
import {
  keys,
  nowMs,
  receivingKey,
  trust,
  trustEntries,
  trustEntry,
  trustListOf,
} from '#support/signed-world.ts';

const weakKey = encodeSpki('Ed25519', new Uint8Array(32));
const entry = trustEntry(keys.cleveland.publicKey, { role: 'site-signing', siteId: 'cleveland' });

describe('a trust list that contradicts itself', () => {
  it.each([
    ['a key id that is not the digest of its key', [{ ...entry, keyId: toHex(new Uint8Array(32)) }]],
    ['one key in two roles', [entry, { ...entry, role: 'site-log' as const }]],
    ['a site key without a site', [{ ...entry, siteId: null }]],
    ['a consortium key with a site', [{ ...entry, role: 'model' as const }]],
    ['a steward without a name', [{ ...entry, role: 'steward' as const }]],
    ['a site key with a person', [{ ...entry, person: 'Anna' }]],
    ['a small-order key', [{ ...entry, publicKey: toBase64(weakKey), keyId: keyIdOf(weakKey) }]],
    ['an X25519 key that signs', [trustEntry(receivingKey.publicKey, { role: 'model' })]],
    ['an Ed25519 key that receives', [trustEntry(keys.model.publicKey, { role: 'receiving' })]],
  ])('%s is BAD_STATEMENT', (_name, entries) => {
    expect(() => createTrustedKeys(trustListOf(entries))).toThrow(
      expect.objectContaining({ code: 'BAD_STATEMENT' }),
    );
  });
});

describe('trusted keys', () => {
  it('are found by id, role and site', () => {
    expect(trust.version).toBe(3);
    expect(trust.find(keys.anna.keyId)?.person).toBe('Anna');
    expect(trust.find('00'.repeat(32))).toBeUndefined();
    expect(trust.withRole('steward').map(({ person }) => person)).toEqual(['Anna', 'Ben', 'Zita']);
    expect(trust.withRole('steward', 'hungary').map(({ person }) => person)).toEqual(['Zita']);
    expect(trustEntries).toHaveLength(10);
  });

  it('hold from notBefore up to but not at notAfter and revokedAt', () => {
    const key = { ...entry, notBefore: isoTime(1000), notAfter: isoTime(5000), revokedAt: null };
    expect([999, 1000, 4999, 5000].map((atMs) => isKeyValid(key, atMs))).toEqual([false, true, true, false]);
    const revoked = { ...key, revokedAt: isoTime(3000) };
    expect([2999, 3000, 4999].map((atMs) => isKeyValid(revoked, atMs))).toEqual([true, false, false]);
  });

  it('say why a key is not trusted for a use', () => {
    const use = { role: 'site-signing', siteId: 'cleveland', atMs: nowMs } as const;
    expect(requireKey(trust, keys.cleveland.keyId, use)).toBe(findKeyFor(trust, keys.cleveland.keyId, use));
    const reasons = [
      [keys.anna.keyId, 'another role'],
      [keys.hungary.keyId, 'another site'],
      ['00'.repeat(32), 'an unknown key'],
    ] as const;
    for (const [keyId, found] of reasons) {
      expect(findKeyFor(trust, keyId, use)).toBeUndefined();
      expect(() => requireKey(trust, keyId, use)).toThrow(
        expect.objectContaining({ code: 'KEY_NOT_TRUSTED', details: expect.objectContaining({ found }) }),
      );
    }
  });

  it('of the root alone verify nothing but root records', () => {
    const root = createRootTrust(keys.root.publicKey);
    expect(root.version).toBe(0);
    expect(findKeyFor(root, keys.root.keyId, { role: 'root', atMs: nowMs })).toBeDefined();
    expect(findKeyFor(root, keys.root.keyId, { role: 'plan', atMs: nowMs })).toBeUndefined();
    expect(() => createRootTrust(weakKey)).toThrow(expect.objectContaining({ code: 'BAD_STATEMENT' }));
  });
});

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toBase64 } from '#base/bytes.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { loadManagedPolicy, managedPolicyFile } from './managed-policy.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'consilium-policy-'));
  file = join(folder, 'policy.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const key = (fill: number) => toBase64(createSigningKey(new Uint8Array(32).fill(fill)).publicKey);
const releases = {
  feed: 'https://releases.hospital.example/',
  keys: [key(1), key(2)],
  threshold: 2,
  format: 'deb',
};
const write = (policy: unknown) => writeFileSync(file, JSON.stringify(policy), { mode: 0o644 });

describe('the managed policy', () => {
  it('is empty where there is none', () => {
    expect(loadManagedPolicy(file)).toEqual({});
  });

  it('names profile, key store and releases', () => {
    write({
      profile: '/srv/consilium',
      keyStore: { kind: 'passphrase', passphraseFile: '/run/credentials/consilium' },
      releases,
    });
    const policy = loadManagedPolicy(file);
    expect(policy.keyStore).toEqual({ kind: 'passphrase', passphraseFile: '/run/credentials/consilium' });
    expect(policy.releases).toMatchObject({ threshold: 2, format: 'deb' });
    expect(policy.releases?.keys[0]).toEqual(createSigningKey(new Uint8Array(32).fill(1)).publicKey);
  });

  it.each<[string, unknown, string]>([
    ['an unknown field', { profile: '/a', proxi: 'x' }, 'proxi'],
    ['a relative profile', { profile: 'a' }, 'profile'],
    ['an unknown key store', { keyStore: { kind: 'none' } }, 'keyStore.kind'],
    ['a key file without a place', { keyStore: { kind: 'key-file' } }, 'keyStore.file'],
    [
      'a feed without TLS',
      { releases: { ...releases, feed: 'http://releases.hospital.example/' } },
      'releases.feed',
    ],
    ['a file as feed', { releases: { ...releases, feed: 'file:///media/stick' } }, 'releases.feed'],
    ['no release key', { releases: { ...releases, keys: [] } }, 'releases.keys'],
    [
      'something else as a release key',
      { releases: { ...releases, keys: ['AAAA'], threshold: 1 } },
      'releases.keys.0',
    ],
    ['more signatures than keys', { releases: { ...releases, threshold: 3 } }, 'releases.threshold'],
    [
      'one key twice, to count as two',
      { releases: { ...releases, keys: [key(1), key(1)] } },
      'releases.threshold',
    ],
  ])('is refused with %s, by the name of the field', (_case, policy, field) => {
    write(policy);
    expect(() => loadManagedPolicy(file)).toThrow(
      expect.objectContaining({ code: 'POLICY_BROKEN', details: { found: expect.arrayContaining([field]) } }),
    );
  });

  it.each(['', 'profile=/a', '{"profile":', '\ufeff{}'])('is refused when it is no JSON: %j', (text) => {
    writeFileSync(file, text, { mode: 0o644 });
    expect(() => loadManagedPolicy(file)).toThrow(expect.objectContaining({ code: 'POLICY_BROKEN' }));
  });

  it.each([0o664, 0o646, 0o666])('is refused with mode %o: another account could move the keys', (mode) => {
    write({});
    chmodSync(file, mode);
    expect(() => loadManagedPolicy(file)).toThrow(
      expect.objectContaining({ code: 'POLICY_MODE', details: { expected: '644', found: mode.toString(8) } }),
    );
  });

  it('is refused as a folder', () => {
    mkdirSync(file, { mode: 0o755 });
    expect(() => loadManagedPolicy(file)).toThrow(expect.objectContaining({ code: 'POLICY_BROKEN' }));
  });

  it('lies where only an administrator writes', () => {
    expect(managedPolicyFile('linux')).toBe('/etc/consilium/policy.json');
    expect(managedPolicyFile('darwin')).toBe('/Library/Application Support/Consilium/policy.json');
    expect(managedPolicyFile('win32')).toBe('C:\\ProgramData\\Consilium\\policy.json');
  });
});

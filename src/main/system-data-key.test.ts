// The decision table of security.md E23, and the way of a data key through Electron's safeStorage, by a fake of its typed interface.
import { describe, expect, it } from 'vitest';
import { toBase64 } from '#base/bytes.ts';
import { type AsyncSafeStorage, decideSystemKeyStore, openSystemDataKey } from './system-data-key.ts';

type LinuxBackend = ReturnType<AsyncSafeStorage['getSelectedStorageBackend']>;

/** Encrypts by turning the text round; `owner` is the account whose key it has. */
class FakeSafeStorage implements AsyncSafeStorage {
  backend: LinuxBackend = 'gnome_libsecret';
  available: boolean | 'never' = true;
  shouldReEncrypt = false;
  owner = 'ada';
  encrypted = 0;

  isAsyncEncryptionAvailable(): Promise<boolean> {
    return this.available === 'never' ? new Promise(() => {}) : Promise.resolve(this.available);
  }
  getSelectedStorageBackend(): LinuxBackend {
    return this.backend;
  }
  async encryptStringAsync(text: string): Promise<Buffer> {
    this.encrypted += 1;
    return Buffer.from(`${this.owner}:${this.encrypted}:${[...text].reverse().join('')}`);
  }
  async decryptStringAsync(encrypted: Buffer) {
    const [owner, , text] = encrypted.toString().split(':');
    if (owner !== this.owner) throw new Error(`cannot decrypt ${text}`);
    return { result: [...(text ?? '')].reverse().join(''), shouldReEncrypt: this.shouldReEncrypt };
  }
}

const open = (safeStorage: AsyncSafeStorage, more: Partial<Parameters<typeof openSystemDataKey>[0]> = {}) =>
  openSystemDataKey({ safeStorage, platform: 'linux', wrapping: undefined, ...more });

describe('the decision on the key store of the system (E23)', () => {
  it.each<[NodeJS.Platform, string | undefined, boolean, string]>([
    ['linux', 'gnome_libsecret', true, 'gnome_libsecret'],
    ['linux', 'kwallet', true, 'kwallet'],
    ['linux', 'kwallet5', true, 'kwallet5'],
    ['linux', 'kwallet6', true, 'kwallet6'],
    ['linux', 'basic_text', true, 'SYSTEM_KEY_STORE_UNSAFE'],
    ['linux', 'basic_text', false, 'SYSTEM_KEY_STORE_UNSAFE'],
    ['linux', 'unknown', true, 'SYSTEM_KEY_STORE_UNSAFE'],
    ['linux', 'unknown', false, 'SYSTEM_KEY_STORE_UNSAFE'],
    ['linux', undefined, true, 'SYSTEM_KEY_STORE_UNSAFE'],
    ['linux', 'a_backend_of_tomorrow', true, 'SYSTEM_KEY_STORE_UNSAFE'],
    ['linux', 'keychain', true, 'SYSTEM_KEY_STORE_UNSAFE'],
    ['linux', 'gnome_libsecret', false, 'SYSTEM_KEY_STORE_UNAVAILABLE'],
    ['darwin', undefined, true, 'keychain'],
    ['darwin', undefined, false, 'SYSTEM_KEY_STORE_UNAVAILABLE'],
    ['win32', undefined, true, 'dpapi'],
    ['win32', undefined, false, 'SYSTEM_KEY_STORE_UNAVAILABLE'],
    ['freebsd', 'gnome_libsecret', true, 'SYSTEM_KEY_STORE_UNAVAILABLE'],
  ])('%s with %s, available: %s -> %s', (platform, linuxBackend, isAvailable, expected) => {
    const decision = decideSystemKeyStore({ platform, linuxBackend, isAvailable });
    expect(decision.isUsable ? decision.backend : decision.code).toBe(expected);
  });
});

describe('a data key under the key store of the system', () => {
  it('is made, wrapped, and opened again by the same account', async () => {
    const storage = new FakeSafeStorage();
    const made = await open(storage);
    expect(made.dataKey).toHaveLength(32);
    expect(made.wrapping).toMatchObject({ kind: 'system', backend: 'gnome_libsecret' });
    expect(await open(storage, { wrapping: made.wrapping })).toEqual(made);
    expect((await open(new FakeSafeStorage())).dataKey).not.toEqual(made.dataKey);
  });

  it('does not open to another account or machine, and the refusal quotes nothing', async () => {
    const made = await open(new FakeSafeStorage());
    const other = new FakeSafeStorage();
    other.owner = 'eve';
    const refused = await open(other, { wrapping: made.wrapping }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'SYSTEM_KEY_STORE_OTHER', details: {} });
    expect(String(refused) + String((refused as Error).cause)).not.toContain(
      toBase64(made.dataKey).slice(0, 8),
    );
    // Nothing new was made in the place of the key that does not open.
    expect(other.encrypted).toBe(0);
  });

  it('is wrapped anew when the system asks for it', async () => {
    const storage = new FakeSafeStorage();
    const made = await open(storage);
    storage.shouldReEncrypt = true;
    const again = await open(storage, { wrapping: made.wrapping });
    expect(again.dataKey).toEqual(made.dataKey);
    expect(again.wrapping.wrappedDataKey).not.toEqual(made.wrapping.wrappedDataKey);
  });

  it.each<[LinuxBackend, boolean]>([
    ['basic_text', true],
    ['unknown', true],
    ['kwallet6', false],
  ])(
    'is refused under %s, available: %s, with the ways out and nothing encrypted',
    async (backend, available) => {
      const storage = new FakeSafeStorage();
      Object.assign(storage, { backend, available });
      await expect(open(storage)).rejects.toMatchObject({
        details: { waysOut: ['passphrase', 'key-file'], found: backend },
      });
      expect(storage.encrypted).toBe(0);
    },
  );

  it('is refused, and nothing hangs, when the key store waits for an unlock that never comes', async () => {
    const storage = new FakeSafeStorage();
    storage.available = 'never';
    await expect(open(storage, { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'SYSTEM_KEY_STORE_UNAVAILABLE',
    });
  });

  it.each(['c2hvcnQ=', 'no base64', ''])('is refused when what was decrypted is no key: %s', async (text) => {
    const storage = new FakeSafeStorage();
    const wrappedDataKey = new Uint8Array(await storage.encryptStringAsync(text));
    const wrapping = { kind: 'system' as const, backend: 'kwallet' as const, wrappedDataKey };
    await expect(open(storage, { wrapping })).rejects.toMatchObject({ code: 'SYSTEM_KEY_STORE_OTHER' });
  });
});

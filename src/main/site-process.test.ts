// The site's own process as the shell starts it, over a stand-in for Electron's parent port: it opens where and with the keys it is told.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFileKeyStore, siteKeyFile } from '#host/file-key-store.ts';
import { sampleSiteKeys } from '#support/sample-site-keys.ts';
import { type KeyAccess, openKeyStore, resolveKeyAccess } from './key-access.ts';
import type { AsyncSafeStorage } from './system-data-key.ts';

const root = path.resolve(import.meta.dirname, '../..');
let work: string;
let profile: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  work = mkdtempSync(path.join(tmpdir(), 'consilium-site-process-'));
  profile = path.join(work, 'profile');
  vi.stubEnv('XDG_CONFIG_HOME', path.join(work, 'config'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  vi.unstubAllEnvs();
  rmSync(work, { recursive: true, force: true });
});

const safeStorage: AsyncSafeStorage = {
  isAsyncEncryptionAvailable: async () => true,
  getSelectedStorageBackend: () => 'kwallet6',
  encryptStringAsync: async (text) => Buffer.from(`wrapped ${text}`),
  decryptStringAsync: async (bytes) => ({ result: bytes.toString().slice(8), shouldReEncrypt: false }),
};
const systemKeys = () => resolveKeyAccess({ profile, choice: undefined, safeStorage, platform: 'linux' });

function start(keys: KeyAccess): ChildProcess {
  const support = pathToFileURL(path.join(root, 'tests/support/parent-port.mjs')).href;
  const child = fork(path.join(root, 'src/main/site-process.ts'), [], {
    execArgv: ['--import', support],
    env: { PATH: process.env.PATH ?? '', HOME: work, XDG_CONFIG_HOME: path.join(work, 'config') },
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  children.push(child);
  child.send({ kind: 'open', profile, keys });
  return child;
}

const isServing = () =>
  vi.waitFor(() => expect(existsSync(path.join(profile, 'endpoint.json'))).toBe(true), {
    timeout: 40_000,
    interval: 100,
  });

describe("the site's process", () => {
  it('makes a site under the key store of the system, and opens it again with what that unwraps', async () => {
    const first = start(await systemKeys());
    await isServing();
    const text = readFileSync(siteKeyFile(profile), 'utf8');
    expect(JSON.parse(text)).toMatchObject({ wrapping: { kind: 'system', backend: 'kwallet6' } });
    expect(text).not.toContain('siteSigningSeed');
    first.kill('SIGKILL');
    await once(first, 'exit');
    rmSync(path.join(profile, 'endpoint.json'));
    start(await systemKeys());
    await isServing();
  });

  it('refuses by a code, and ends, where the keys are kept another way', async () => {
    mkdirSync(profile);
    createFileKeyStore({ file: siteKeyFile(profile), profile }).save(sampleSiteKeys);
    const file = path.join(work, 'passphrase');
    writeFileSync(file, 'seven cold lakes in winter', { mode: 0o600 });
    const child = start({ kind: 'passphrase', passphraseFile: file });
    const [message] = await once(child, 'message');
    expect(message).toEqual({ kind: 'refused', code: 'KEY_FILE_OTHER_KIND' });
    expect((await once(child, 'exit'))[0]).toBe(1);
  });
});

describe('the access to the keys', () => {
  it('is by the system where no policy says otherwise, and to the same keys each time', async () => {
    openKeyStore(await systemKeys(), profile).save(sampleSiteKeys);
    expect(openKeyStore(await systemKeys(), profile).load()).toEqual(sampleSiteKeys);
  });

  it('is by a passphrase or a named file where the policy says so', () => {
    const file = path.join(work, 'stick', 'keys.json');
    openKeyStore({ kind: 'key-file', file }, profile).save(sampleSiteKeys);
    expect(openKeyStore({ kind: 'key-file', file }, profile).load()).toEqual(sampleSiteKeys);
    const passphraseFile = path.join(work, 'passphrase');
    writeFileSync(passphraseFile, 'seven cold lakes in winter', { mode: 0o600 });
    openKeyStore({ kind: 'passphrase', passphraseFile }, profile).save(sampleSiteKeys);
    expect(openKeyStore({ kind: 'passphrase', passphraseFile }, profile).load()).toEqual(sampleSiteKeys);
  });

  it('is refused before anything starts where keys in the clear wait for the system', async () => {
    createFileKeyStore({ file: siteKeyFile(profile), profile }).save(sampleSiteKeys);
    await expect(systemKeys()).rejects.toMatchObject({ code: 'KEY_FILE_OTHER_KIND' });
  });
});

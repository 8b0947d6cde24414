import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sampleSiteKeys } from '#support/sample-site-keys.ts';
import { createFileKeyStore } from './file-key-store.ts';
import { createSystemKeyStore, readSystemWrapping, type SystemDataKey } from './system-key-store.ts';

let folder: string;
let place: { file: string; profile: string };
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'consilium-system-keys-'));
  place = { file: join(folder, 'keys', 'keys.json'), profile: join(folder, 'profile') };
  mkdirSync(place.profile);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const held = (fill = 1, wrapped = 2): SystemDataKey => ({
  dataKey: new Uint8Array(32).fill(fill),
  wrapping: { kind: 'system', backend: 'gnome_libsecret', wrappedDataKey: new Uint8Array(64).fill(wrapped) },
});
const refused = (code: string) => expect.objectContaining({ code });

describe("a key store under the system's key", () => {
  it('gives back what was saved, and how its data key is wrapped', () => {
    expect(readSystemWrapping(place)).toBeUndefined();
    expect(createSystemKeyStore(place, held()).load()).toBeUndefined();
    createSystemKeyStore(place, held()).save(sampleSiteKeys);
    expect(readSystemWrapping(place)).toEqual(held().wrapping);
    expect(createSystemKeyStore(place, held()).load()).toEqual(sampleSiteKeys);
  });

  it('writes neither the data key nor a key of the site', () => {
    createSystemKeyStore(place, held()).save(sampleSiteKeys);
    const text = readFileSync(place.file, 'utf8');
    for (const key of [held().dataKey, sampleSiteKeys.storeKey, sampleSiteKeys.siteLogSeed]) {
      expect(text).not.toContain(Buffer.from(key).toString('base64'));
    }
  });

  it('does not open with another data key', () => {
    createSystemKeyStore(place, held()).save(sampleSiteKeys);
    expect(() => createSystemKeyStore(place, held(3)).load()).toThrow(refused('KEY_FILE_BROKEN'));
  });

  it('takes over a new wrapping of the same data key at once: the old one may stop opening', () => {
    createSystemKeyStore(place, held(1, 2)).save(sampleSiteKeys);
    expect(createSystemKeyStore(place, held(1, 5)).load()).toEqual(sampleSiteKeys);
    expect(readSystemWrapping(place)).toEqual(held(1, 5).wrapping);
    expect(createSystemKeyStore(place, held(1, 5)).load()).toEqual(sampleSiteKeys);
  });

  it('refuses keys that are kept in the clear: there is no silent way back', () => {
    createFileKeyStore(place).save(sampleSiteKeys);
    expect(() => readSystemWrapping(place)).toThrow(refused('KEY_FILE_OTHER_KIND'));
    expect(() => createSystemKeyStore(place, held()).load()).toThrow(refused('KEY_FILE_OTHER_KIND'));
  });
});

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sampleSiteKeys as keys } from '#support/sample-site-keys.ts';
import { createFileKeyStore, siteKeyFile } from './file-key-store.ts';

let folder: string;
let profile: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'consilium-keys-'));
  profile = join(folder, 'profile');
  mkdirSync(profile);
  file = join(folder, 'keys', 'site.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const refusal = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('file key store', () => {
  it('has no keys before the first save', () => {
    expect(createFileKeyStore({ file, profile }).load()).toBeUndefined();
  });

  it('gives back what was saved, also to another process', () => {
    createFileKeyStore({ file, profile }).save(keys);
    expect(createFileKeyStore({ file, profile }).load()).toEqual(keys);
  });

  it('writes a file and a folder that only the owner may read and leaves no temporary file', () => {
    const store = createFileKeyStore({ file, profile });
    store.save(keys);
    store.save({ ...keys, storeKey: new Uint8Array(32).fill(9) });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'keys')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(folder, 'keys'))).toEqual(['site.json']);
    expect(store.load()?.storeKey).toEqual(new Uint8Array(32).fill(9));
  });

  it.each([0o640, 0o604, 0o620, 0o666])('refuses a file of mode %o', (mode) => {
    const store = createFileKeyStore({ file, profile });
    store.save(keys);
    chmodSync(file, mode);
    expect(refusal(() => store.load())).toMatchObject({
      code: 'KEY_FILE_MODE',
      details: { expected: '600', found: mode.toString(8) },
    });
  });

  it('refuses to write into a folder that others may write into', () => {
    mkdirSync(join(folder, 'keys'));
    chmodSync(join(folder, 'keys'), 0o777);
    expect(refusal(() => createFileKeyStore({ file, profile }).save(keys))).toMatchObject({
      code: 'KEY_FILE_MODE',
    });
    expect(readdirSync(join(folder, 'keys'))).toEqual([]);
  });

  it.each([
    ['directly', () => join(profile, 'keys.json')],
    ['through dots', () => join(folder, 'other', '..', 'profile', 'deep', 'keys.json')],
    ['as the profile itself', () => profile],
    [
      'through a symbolic link',
      () => {
        symlinkSync(profile, join(folder, 'link'));
        return join(folder, 'link', 'keys.json');
      },
    ],
  ])('refuses a key file inside the profile: %s', (_case, inside) => {
    const path = inside();
    expect(refusal(() => createFileKeyStore({ file: path, profile }))).toMatchObject({
      code: 'KEY_FILE_INSIDE_PROFILE',
    });
  });

  it('notices a link into the profile that was made after opening', () => {
    const store = createFileKeyStore({ file, profile });
    symlinkSync(profile, join(folder, 'keys'));
    expect(refusal(() => store.save(keys))).toMatchObject({ code: 'KEY_FILE_INSIDE_PROFILE' });
    expect(readdirSync(profile)).toEqual([]);
  });

  it('allows a sibling whose name begins like the profile', () => {
    const sibling = join(folder, 'profile-keys', 'keys.json');
    createFileKeyStore({ file: sibling, profile }).save(keys);
    expect(createFileKeyStore({ file: sibling, profile }).load()).toEqual(keys);
  });

  const change = (edit: (parsed: Record<string, unknown>) => void) => (text: string) => {
    const parsed = JSON.parse(text) as Record<string, unknown>;
    edit(parsed);
    return JSON.stringify(parsed);
  };
  it.each<[string, (text: string) => string]>([
    ['no JSON', () => 'AAAA keys'],
    ['cut off', (text) => text.slice(0, text.length / 2)],
    ['empty', () => ''],
    ['a short key', change((parsed) => (parsed.storeKey = 'AAAA'))],
    ['a missing key', change((parsed) => delete parsed.siteLogSeed)],
    ['an unknown field', change((parsed) => (parsed.extra = 1))],
    ['another format', change((parsed) => (parsed.format = 'consilium-site-keys/v9'))],
    ['text that is no base64', change((parsed) => (parsed.linkageKey = '*'.repeat(44)))],
  ])('refuses a broken file and does not quote it: %s', (_case, breakText) => {
    const store = createFileKeyStore({ file, profile });
    store.save(keys);
    writeFileSync(file, breakText(readFileSync(file, 'utf8')));
    const error = refusal(() => store.load());
    expect(error).toMatchObject({ code: 'KEY_FILE_BROKEN', details: {} });
    expect((error as Error).cause).toBeUndefined();
  });

  it('refuses a folder in the place of the file', () => {
    mkdirSync(file, { recursive: true, mode: 0o700 });
    expect(refusal(() => createFileKeyStore({ file, profile }).load())).toMatchObject({
      code: 'KEY_FILE_BROKEN',
    });
  });
});

it('a key file that is not named lies in a folder of its profile alone', () => {
  expect(siteKeyFile('/srv/a')).toMatch(/\/consilium\/keys\/srv\/a\/keys\.json$/);
});

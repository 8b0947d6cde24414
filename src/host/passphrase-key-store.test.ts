import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sampleSiteKeys } from '#support/sample-site-keys.ts';
import { createFileKeyStore } from './file-key-store.ts';
import { createPassphraseKeyStore, readPassphraseFile } from './passphrase-key-store.ts';

const passphrase = 'seven cold lakes in winter';
let folder: string;
let profile: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'consilium-passphrase-'));
  profile = join(folder, 'profile');
  mkdirSync(profile);
  file = join(folder, 'keys', 'keys.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const refused = (code: string, details: Record<string, unknown> = {}) =>
  expect.objectContaining({ code, details: expect.objectContaining(details) });
const store = (secret = passphrase) => createPassphraseKeyStore({ file, profile, passphrase: secret });
const edit = (
  change: (content: { wrapping: { scrypt: { N: number; salt: string } }; sealedKeys: string }) => void,
) => {
  const content = JSON.parse(readFileSync(file, 'utf8'));
  change(content);
  writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
};

describe('a key store under a passphrase', () => {
  it('gives back what was saved to whoever has the passphrase, also typed on another keyboard', () => {
    expect(store().load()).toBeUndefined();
    createPassphraseKeyStore({ file, profile, passphrase: 'Schlüssel am Haken' }).save(sampleSiteKeys);
    // ü as u and a combining diaeresis
    expect(store('Schlu\u0308ssel am Haken').load()).toEqual(sampleSiteKeys);
  });

  it('writes no key in the clear, for its owner alone, with the parameters of E23', () => {
    store().save(sampleSiteKeys);
    const text = readFileSync(file, 'utf8');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(text).wrapping.scrypt).toMatchObject({ N: 2 ** 17, r: 8, p: 1 });
    for (const key of [sampleSiteKeys.storeKey, sampleSiteKeys.siteSigningSeed]) {
      expect(text).not.toContain(Buffer.from(key).toString('base64'));
    }
    expect(text).not.toContain('Ada Steward');
  });

  it('does not open on another machine to whoever copied profile and key file', () => {
    store().save(sampleSiteKeys);
    const copied = join(folder, 'elsewhere.json');
    copyFileSync(file, copied);
    const guess = createPassphraseKeyStore({
      file: copied,
      profile,
      passphrase: 'seven cold lakes in summer',
    });
    expect(() => guess.load()).toThrow(refused('KEY_PASSPHRASE_WRONG'));
  });

  it('does not write over the keys of somebody with another passphrase', () => {
    store().save(sampleSiteKeys);
    const before = readFileSync(file, 'utf8');
    expect(() => store('another long passphrase').save(sampleSiteKeys)).toThrow(
      refused('KEY_PASSPHRASE_WRONG'),
    );
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it('keeps its data key and seals anew with each save', () => {
    const opened = store();
    opened.save(sampleSiteKeys);
    const first = JSON.parse(readFileSync(file, 'utf8'));
    opened.save({ ...sampleSiteKeys, storeKey: new Uint8Array(32).fill(9) });
    const second = JSON.parse(readFileSync(file, 'utf8'));
    expect(second.wrapping).toEqual(first.wrapping);
    expect(second.sealedKeys).not.toBe(first.sealedKeys);
    expect(store().load()?.storeKey).toEqual(new Uint8Array(32).fill(9));
  });

  it.each<[string, Parameters<typeof edit>[0]]>([
    ['a weaker cost', ({ wrapping }) => (wrapping.scrypt.N = 2)],
    [
      'a byte of the sealed keys changed',
      (content) => {
        const sealed = Buffer.from(content.sealedKeys, 'base64');
        sealed[20] = (sealed[20] ?? 0) ^ 1;
        content.sealedKeys = sealed.toString('base64');
      },
    ],
    ['an unknown field', (content) => Object.assign(content, { extra: 1 })],
    ['a salt of another length', ({ wrapping }) => (wrapping.scrypt.salt = 'AAAA')],
  ])('refuses a file with %s and does not quote it', (_case, change) => {
    store().save(sampleSiteKeys);
    edit(change);
    expect(() => store().load()).toThrow(refused('KEY_FILE_BROKEN'));
  });

  it('refuses keys that are kept in the clear, and a plain store refuses these: never one in the place of the other', () => {
    createFileKeyStore({ file, profile }).save(sampleSiteKeys);
    expect(() => store().load()).toThrow(
      refused('KEY_FILE_OTHER_KIND', { expected: 'passphrase', found: 'key-file' }),
    );
    expect(() => store().save(sampleSiteKeys)).toThrow(refused('KEY_FILE_OTHER_KIND'));
    rmSync(file);
    store().save(sampleSiteKeys);
    expect(() => createFileKeyStore({ file, profile }).load()).toThrow(
      refused('KEY_FILE_OTHER_KIND', { expected: 'key-file', found: 'passphrase' }),
    );
  });

  it('refuses a short passphrase', () => {
    expect(() => store('eleven char')).toThrow(refused('KEY_PASSPHRASE_TOO_SHORT', { expected: 12 }));
  });
});

describe('a passphrase file', () => {
  const passphraseFile = () => join(folder, 'passphrase');

  it('is read without the end of its line', () => {
    writeFileSync(passphraseFile(), `${passphrase}\n`, { mode: 0o600 });
    expect(readPassphraseFile(passphraseFile(), profile)).toBe(passphrase);
  });

  it.each([
    ['missing', () => {}, 'KEY_PASSPHRASE_MISSING'],
    ['empty', () => writeFileSync(passphraseFile(), '\n', { mode: 0o600 }), 'KEY_PASSPHRASE_MISSING'],
    [
      'open to others',
      () => writeFileSync(passphraseFile(), passphrase, { mode: 0o644 }),
      'PRIVATE_FILE_MODE',
    ],
  ])('is refused when it is %s', (_case, make, code) => {
    make();
    expect(() => readPassphraseFile(passphraseFile(), profile)).toThrow(refused(code));
  });

  it('is refused in the profile that it would be copied with', () => {
    expect(() => readPassphraseFile(join(profile, 'passphrase'), profile)).toThrow(
      refused('KEY_FILE_INSIDE_PROFILE'),
    );
  });
});

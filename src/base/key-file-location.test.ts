import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultKeyFile, isInsideProfile } from './key-file-location.ts';

describe('default key file', () => {
  it('lies under XDG_CONFIG_HOME and differs for every profile and name', () => {
    const environment = { XDG_CONFIG_HOME: '/config' };
    expect(defaultKeyFile('/srv/a', 'keys.json', environment)).toBe('/config/consilium/keys/srv/a/keys.json');
    expect(defaultKeyFile('/srv/b/../c', 'other.json', environment)).toBe(
      '/config/consilium/keys/srv/c/other.json',
    );
  });

  it('ignores a relative XDG_CONFIG_HOME', () => {
    const plain = defaultKeyFile('/srv/a', 'keys.json', {});
    expect(defaultKeyFile('/srv/a', 'keys.json', { XDG_CONFIG_HOME: 'config' })).toBe(plain);
    expect(plain).toMatch(/\/\.config\/consilium\/keys\/srv\/a\/keys\.json$/);
  });
});

describe('a place inside a profile', () => {
  let folder: string;
  let profile: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'consilium-location-'));
    profile = join(folder, 'profile');
    mkdirSync(profile);
    symlinkSync(profile, join(folder, 'link'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it.each([
    ['profile', true],
    ['profile/deep/keys.json', true],
    ['other/../profile/keys.json', true],
    ['link/keys.json', true],
    ['profile/..keys', true],
    ['profile-keys/keys.json', false],
    ['keys.json', false],
    ['profile/../keys.json', false],
  ])('%s: %s', (path, expected) => {
    expect(isInsideProfile(`${folder}/${path}`, profile)).toBe(expected);
  });
});

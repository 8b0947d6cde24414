// A headless profile under a passphrase, by the command line: made, read, and closed to whoever copied it without the passphrase.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';

const work = mkdtempSync(path.join(tmpdir(), 'consilium-passphrase-profile-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const at = (name: string) => path.join(work, name);
const cli = path.resolve('src/cli/consilium.ts');
const environment = (passphraseFile?: string) => ({
  PATH: process.env.PATH ?? '',
  HOME: work,
  // Five starts of one program: compiled once.
  NODE_COMPILE_CACHE: at('compiled'),
  ...(passphraseFile === undefined ? {} : { CONSILIUM_PASSPHRASE_FILE: at(passphraseFile) }),
});

it('opens with its passphrase alone', () => {
  writeFileSync(at('right'), 'seven cold lakes in winter\n', { mode: 0o600 });
  writeFileSync(at('wrong'), 'seven cold lakes in summer\n', { mode: 0o600 });
  const place = ['--profile', at('profile'), '--keys', at('keys/keys.json'), '--json'];
  execFileSync(process.execPath, [cli, 'site', 'init', ...place, '--name', 'Lakeside'], {
    env: environment('right'),
  });
  const status = execFileSync(process.execPath, [cli, 'site', 'status', ...place], {
    env: environment('right'),
  });
  expect(JSON.parse(String(status))).toMatchObject({ name: 'Lakeside' });

  cpSync(at('profile'), at('copy'), { recursive: true });
  cpSync(at('keys'), at('copied-keys'), { recursive: true });
  const copied = ['--profile', at('copy'), '--keys', at('copied-keys/keys.json'), '--json'];
  for (const [passphraseFile, code] of [
    ['wrong', 'KEY_PASSPHRASE_WRONG'],
    ['missing', 'KEY_PASSPHRASE_MISSING'],
    [undefined, 'KEY_FILE_OTHER_KIND'],
  ] as const) {
    // No standard input: whatever asked for a passphrase would end the test by its time limit.
    const refused = spawnSync(process.execPath, [cli, 'site', 'status', ...copied], {
      env: environment(passphraseFile),
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect([refused.status, JSON.parse(refused.stdout).error?.code]).toEqual([1, code]);
  }
});

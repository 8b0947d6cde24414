// `consilium site doctor` as a command: its exit code, and a profile that a running `serve` holds.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lockProfile } from '#base/profile-lock.ts';
import { runCommand } from '#support/cli-command.ts';

const command = fileURLToPath(new URL('../../src/cli/consilium.ts', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'consilium-doctor-'));
const place = ['--profile', path.join(folder, 'profile'), '--keys', path.join(folder, 'keys.json'), '--json'];

beforeAll(async () => {
  mkdirSync(path.join(folder, 'profile'), { mode: 0o700 });
  expect((await runCommand('site', 'init', ...place, '--name', 'A hospital')).code).toBe(0);
}, 30_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function examine() {
  const { code, stdout } = await runCommand('site', 'doctor', ...place);
  const { ok, findings } = JSON.parse(stdout) as {
    ok: boolean;
    findings: { check: string; code: string | null; message: string }[];
  };
  return { code, ok, findings, of: (name: string) => findings.find(({ check }) => check === name) };
}

it('ends with 0 on a sound site, and names the engine and its device', { timeout: 60_000 }, async () => {
  const { code, ok, of } = await examine();
  expect([code, ok]).toEqual([0, true]);
  expect(of('engine')?.message).toMatch(/(?:tensorflow|wasm|webgpu) \S+ on .+cuda: /);
});

it('works beside a running serve, and leaves it running', { timeout: 60_000 }, async () => {
  const serve = spawn(process.execPath, [command, 'site', 'serve', ...place, '--no-screens'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    await new Promise((resolve) => serve.stdout.once('data', resolve));
    const { code, of } = await examine();
    expect(code).toBe(0);
    expect(of('profile')?.message).toContain('holds the profile, and answers');
    expect(of('store')?.code).toBe(null);
    expect(serve.exitCode).toBe(null);
  } finally {
    serve.kill('SIGTERM');
    await new Promise((resolve) => serve.once('exit', resolve));
  }
});

it('ends with 1 and the cause: a lock that nobody answers for, a key file that others may read', {
  timeout: 60_000,
}, async () => {
  const lock = lockProfile(path.join(folder, 'profile'));
  try {
    const held = await examine();
    expect([held.code, held.of('profile')?.code]).toEqual([1, 'PROFILE_NOT_ANSWERING']);
  } finally {
    lock?.release();
  }
  chmodSync(path.join(folder, 'keys.json'), 0o644);
  const open = await examine();
  expect([open.code, open.of('keys')?.code]).toEqual([1, 'KEY_FILE_MODE']);
});

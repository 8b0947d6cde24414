import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockProfile } from './profile-lock.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'consilium-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the lock of a profile', () => {
  it('is held by one at a time', () => {
    const lock = lockProfile(folder);
    expect(lockProfile(folder)).toBeUndefined();
    lock?.release();
    const again = lockProfile(folder);
    expect(again).toBeDefined();
    again?.release();
  });

  it('is free again after the process that held it was killed (kill -9)', async () => {
    const lockFile = path.join(import.meta.dirname, 'profile-lock.ts');
    const program = `import { lockProfile } from ${JSON.stringify(lockFile)}; lockProfile(${JSON.stringify(folder)}); process.stdout.write('held'); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(child.stdout, 'data');
      expect(lockProfile(folder)).toBeUndefined();
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    const lock = lockProfile(folder);
    expect(lock).toBeDefined();
    lock?.release();
  });
});

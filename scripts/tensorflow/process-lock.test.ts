import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withLock } from './process-lock.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'process-lock-'));
  file = path.join(folder, 'deep', 'lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const noWait = () => {
  throw new Error('waited');
};

describe('the set-up lock', () => {
  it('is free again after the work, also when the work fails', async () => {
    expect(await withLock(file, noWait, async () => existsSync(file))).toBe(true);
    await expect(withLock(file, noWait, async () => Promise.reject(new Error('work')))).rejects.toThrow(
      'work',
    );
    expect(await withLock(file, noWait, async () => 'again')).toBe('again');
    expect(existsSync(file)).toBe(false);
  });

  it('is taken over from a process that is gone', async () => {
    await withLock(file, noWait, async () => {});
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    writeFileSync(file, `${os.hostname()} ${pid}`);
    expect(await withLock(file, noWait, async () => 'mine')).toBe('mine');
  });

  it('keeps a second one waiting until the first is done', async () => {
    await withLock(file, noWait, async () => {});
    const order: string[] = [];
    writeFileSync(file, `${os.hostname()} ${process.pid}`);
    await withLock(
      file,
      () => {
        order.push('waits');
        rmSync(file);
      },
      async () => {
        order.push('works');
      },
    );
    expect(order).toEqual(['waits', 'works']);
  });
});

// What runs on this machine, as Linux tells it under /proc.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

export const hasProcessTree = process.platform === 'linux';

/** Ids of the direct children of a process. */
export function childrenOf(pid: number): number[] {
  return processIds().filter((child) => parentOf(child) === pid);
}

/** Ids of the processes that were started, directly or not, with `name=value` in their environment. */
export function processesWith(name: string, value: string): number[] {
  return processIds().filter((pid) => read(pid, 'environ').split('\0').includes(`${name}=${value}`));
}

/** Waits until none of the processes runs any more. */
export async function waitUntilGone(pids: readonly number[], timeoutMs = 10_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (pids.some(isRunning)) {
    if (performance.now() > deadlineMs) throw new Error('a process outlives the one that started it');
    await pause(20);
  }
}

function isRunning(pid: number): boolean {
  const state = /\) (\S)/.exec(read(pid, 'stat'))?.[1];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

function parentOf(pid: number): number {
  return Number(/\) \S (\d+)/.exec(read(pid, 'stat'))?.[1]);
}

function processIds(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Empty where the process has ended or belongs to somebody else. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

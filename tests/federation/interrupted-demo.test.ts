// Ctrl-C: the demo ends everything that it started and leaves nothing behind, whatever it is doing at that moment.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasProcessTree, processesWith } from '#support/process-tree.ts';

const command = fileURLToPath(new URL('../../src/cli/consilium.ts', import.meta.url));
let directory: string;
let temporary: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'consilium-interrupt-'));
  temporary = path.join(directory, 'tmp');
  mkdirSync(temporary);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Every process that the demo starts inherits its folder for temporary files, and is found by it. */
const runningProcesses = () => processesWith('TMPDIR', temporary);

function startDemo(): ChildProcess {
  return spawn(process.execPath, [command, 'demo', '--json', '--out', path.join(directory, 'report')], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that the signal can be sent to the group as a terminal does.
    detached: true,
  });
}

/** Waits for a line of progress with this beginning. */
async function waitForLine({ stderr }: ChildProcess, beginning: string): Promise<void> {
  if (stderr === null) throw new Error('the demo says nothing');
  for await (const line of createInterface({ input: stderr })) if (line.trim().startsWith(beginning)) return;
  throw new Error(`the demo ended before "${beginning}"`);
}

describe.skipIf(!hasProcessTree)('Ctrl-C', () => {
  it.each([
    ['while the sites are being set up', 'consortium is up', 2],
    ['in the middle of the rounds', 'round  1 of', 5],
  ])('%s stops everything that the demo started', async (_moment, line, leastCount) => {
    const demo = startDemo();
    let answer = '';
    demo.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      answer += chunk;
    });
    const ended = new Promise<number | null>((resolve) => demo.once('close', resolve));
    await waitForLine(demo, line);
    expect(runningProcesses().length).toBeGreaterThanOrEqual(leastCount);
    expect(readdirSync(temporary)).toHaveLength(1);
    process.kill(-(demo.pid ?? 0), 'SIGINT');
    expect(await ended).toBe(1);
    expect(JSON.parse(answer)).toMatchObject({ ok: false, error: { code: 'DEMO_INTERRUPTED' } });
    expect(runningProcesses()).toEqual([]);
    expect(readdirSync(temporary)).toEqual([]);
  });
});

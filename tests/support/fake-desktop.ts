// The desktop app's own wiring, started over a fake Electron in a folder of its own.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger } from '#base/logger.ts';
import { startShell } from '../../src/main/desktop-shell.ts';
import { createFakeElectron, type FakeElectron, type FakeProcess, type FakeWindow } from './fake-electron.ts';

export interface FakeDesktop extends FakeElectron {
  readonly folder: string;
  start(): Promise<void>;
  window(): FakeWindow;
  /** The last site process that was started. */
  site(): FakeProcess;
  /** Moves the clock, and runs what was to be done until then. */
  pass(timeMs: number): void;
  remove(): void;
}

export interface FakeDesktopSettings {
  readonly policy?: object;
  readonly argv?: readonly string[];
  readonly prepare?: (electron: FakeElectron) => void;
}

/** @param settings.policy as a developer's start takes it; the managed place of this machine is not touched. */
export function createFakeDesktop(settings: FakeDesktopSettings = {}): FakeDesktop {
  const folder = mkdtempSync(path.join(tmpdir(), 'consilium-desktop-'));
  const built = path.join(folder, 'dist');
  mkdirSync(path.join(built, 'main'), { recursive: true });
  mkdirSync(path.join(built, 'renderer', 'assets'), { recursive: true });
  writeFileSync(
    path.join(built, 'renderer/index.html'),
    '<meta nonce="__CSP_NONCE__" /><div id="root"></div>',
  );
  writeFileSync(path.join(built, 'renderer/assets/index.js'), 'export {};');
  writeFileSync(path.join(folder, 'secret.txt'), 'outside of the renderer');
  const policyFile = path.join(folder, 'policy.json');
  if (settings.policy !== undefined)
    writeFileSync(policyFile, JSON.stringify(settings.policy), { mode: 0o644 });
  const fake = createFakeElectron(folder);
  fake.app.isPackaged = false;
  settings.prepare?.(fake);
  let nowMs = 1_000_000;
  let waiting: { readonly atMs: number; readonly work: () => void }[] = [];
  const last = <T>(list: readonly T[]): T => {
    const found = list.at(-1);
    if (found === undefined) throw new Error('nothing was started');
    return found;
  };
  return {
    ...fake,
    folder,
    start: () =>
      startShell({
        electron: fake.electron,
        directory: path.join(built, 'main'),
        platform: 'linux',
        arch: 'x64',
        argv: ['/opt/consilium-site', ...(settings.argv ?? [])],
        workingDirectory: folder,
        environment: {
          PATH: '/usr/bin',
          CONSILIUM_SECRET: 'of a person',
          CONSILIUM_POLICY: policyFile,
          CONSILIUM_PROFILE: path.join(folder, 'profile'),
        },
        clock: { nowMs: () => nowMs },
        logger: silentLogger,
        later: (work, delayMs) => {
          const entry = { atMs: nowMs + delayMs, work };
          waiting.push(entry);
          return () => {
            waiting = waiting.filter((other) => other !== entry);
          };
        },
      }),
    window: () => last(fake.told.windows),
    site: () => last(fake.told.processes.filter(({ modulePath }) => modulePath.endsWith('site-process.js'))),
    pass: (timeMs) => {
      nowMs += timeMs;
      const due = waiting.filter(({ atMs }) => atMs <= nowMs);
      waiting = waiting.filter(({ atMs }) => atMs > nowMs);
      for (const { work } of due) work();
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

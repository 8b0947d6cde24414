// Electron's twenty points of security (docs/tutorial/security.md), one test for each by its number, over the shell's own wiring.
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createFakeDesktop, type FakeDesktop } from '#support/fake-desktop.ts';
import { FakeEvent, FakeFrame } from '#support/fake-electron.ts';
import { isAllowedPage } from './safe-shell.ts';

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const elsewhere = [
  'https://consilium.example/',
  'http://localhost/',
  'file:///etc/passwd',
  'data:text/html,x',
  'javascript:alert(1)',
  'blob:https://consilium.example/1',
  'about:blank',
  'app://consilium.attacker/',
  'app://consilium@attacker/',
  'app://user@consilium/',
  'app2://consilium/',
  '//consilium/',
  '',
];

let desktop: FakeDesktop;
beforeAll(async () => {
  desktop = createFakeDesktop();
  await desktop.start();
});
afterAll(() => desktop.remove());

const preferences = () => desktop.window().options.webPreferences;
const page = (address: string, options?: RequestInit) => desktop.told.pages?.(new Request(address, options));

describe('Electron security point', () => {
  it('1: only our own pages are loaded, from files of the app', () => {
    expect(desktop.window().loaded).toEqual(['app://consilium/']);
    expect(page('app://consilium/')?.status).toBe(200);
    for (const address of ['app://attacker/', 'app://attacker/index.html'])
      expect(page(address)?.status).toBe(404);
  });

  it('2: no page, worker or frame has Node', () => {
    expect(preferences()).toMatchObject({
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
    });
  });

  it('3: the preload lives in a world of its own', () => {
    expect(preferences()?.contextIsolation).toBe(true);
  });

  it('4: every renderer is sandboxed, by its window and for the whole app', () => {
    expect(preferences()?.sandbox).toBe(true);
    expect(desktop.app.isSandboxed).toBe(true);
  });

  it.each([
    'geolocation',
    'media',
    'notifications',
    'clipboard-read',
    'fileSystem',
    'openExternal',
    'usb',
    'unknown',
  ])('5: %s is denied to our own pages and to others, whether asked or checked', (permission) => {
    for (const origin of ['app://consilium/', 'https://consilium.example/']) {
      const answer = vi.fn();
      desktop.session.requestHandler(null, permission, answer, { requestingUrl: origin });
      expect(answer.mock.calls).toEqual([[false]]);
      expect(desktop.session.checkHandler(null, permission, origin)).toBe(false);
    }
  });

  it('5: devices, screens and pairings are denied', () => {
    const answer = vi.fn();
    desktop.session.displayHandler({}, answer);
    desktop.session.bluetoothHandler({}, answer);
    expect(answer.mock.calls).toEqual([[null], [{ confirmed: false }]]);
    expect(desktop.session.deviceHandler({})).toBe(false);
  });

  it('6: the same-origin policy is on', () => {
    expect(preferences()?.webSecurity).toBe(true);
  });

  it('7: a page comes with a policy that allows our own files and nothing unsafe', async () => {
    const answer = page('app://consilium/');
    const policy = answer?.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/^default-src 'none'; /);
    expect(policy).not.toMatch(/unsafe|\*|https?:|data:/);
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1];
    expect(await answer?.text()).toContain(`nonce="${nonce}"`);
  });

  it('8: no insecure content', () => {
    expect(preferences()?.allowRunningInsecureContent).toBe(false);
  });

  it('9: no experimental features', () => {
    expect(preferences()?.experimentalFeatures).toBe(false);
  });

  it('10: no Blink feature is turned on, nor by a switch of the command line', () => {
    expect(preferences()).not.toHaveProperty('enableBlinkFeatures');
    const sources = globSync('src/main/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'));
    expect(sources.length).toBeGreaterThan(20);
    for (const file of sources) expect(read(file), file).not.toMatch(/appendSwitch|enableBlinkFeatures:/);
  });

  it('11, 12: no <webview>, whatever it asks for', () => {
    expect(preferences()?.webviewTag).toBe(false);
    for (const src of [undefined, 'app://consilium/', ...elsewhere]) {
      const event = new FakeEvent();
      desktop.window().webContents.emit('will-attach-webview', event, {}, { src });
      expect(event.isPrevented, src).toBe(true);
    }
  });

  it('13: no navigation, redirect or frame leads away from our pages', () => {
    for (const event of ['will-navigate', 'will-redirect', 'will-frame-navigate'] as const) {
      expect(desktop.window().webContents.isStopped(event, 'app://consilium/#/round')).toBe(false);
      for (const address of elsewhere) {
        expect(desktop.window().webContents.isStopped(event, address), `${event} ${address}`).toBe(true);
      }
    }
  });

  it('14: no page opens a window', () => {
    for (const url of ['app://consilium/', ...elsewhere]) {
      expect(desktop.window().webContents.openHandler({ url })).toEqual({ action: 'deny' });
    }
    expect(desktop.told.windows).toHaveLength(1);
  });

  it('15: of what a page wants to open outside, only listed https pages are, and without what it added', () => {
    desktop.told.opened.length = 0;
    for (const url of [
      'https://consilium.example/help',
      'https://consilium.example/help?patient=Ada#Lovelace',
      'http://consilium.example/help',
      'https://consilium.example/helpless',
      'https://consilium.example.attacker.example/help',
      'https://person@consilium.example/help',
      'file:///usr/bin/xterm',
      'smb://attacker/share',
      'ms-msdt:/id',
      'not an address',
    ]) {
      desktop.window().webContents.openHandler({ url });
    }
    const help = 'https://consilium.example/help';
    expect(desktop.told.opened).toEqual([help, help]);
    expect(isAllowedPage('https://consilium.example/security')).toBe(true);
  });

  it('16: Electron is pinned to one version of the three latest majors', () => {
    const { devDependencies } = JSON.parse(read('package.json')) as {
      devDependencies: Record<string, string>;
    };
    const installed = JSON.parse(read('node_modules/electron/package.json')) as { version: string };
    expect(devDependencies.electron).toBe(installed.version);
    expect(read('electron-builder.yml')).toContain(`\nelectronVersion: ${installed.version} #`);
    // 45 was the latest in November 2026. Whoever raises the pin raises this too.
    const latestMajor = 45;
    expect(Number(installed.version.split('.')[0])).toBeGreaterThan(latestMajor - 3);
  });

  it('17: the port of the site goes to the top frame of our own page alone, and no page is listened to', () => {
    const { webContents } = desktop.window();
    const handed = (change: (frame: FakeFrame) => void) => {
      webContents.mainFrame = new FakeFrame();
      change(webContents.mainFrame);
      webContents.emit('did-finish-load');
      return webContents.mainFrame.posted.length;
    };
    expect(handed(() => {})).toBe(1);
    for (const url of elsewhere)
      expect(
        handed((frame) => Object.assign(frame, { url })),
        url,
      ).toBe(0);
    expect(handed((frame) => Object.assign(frame, { detached: true }))).toBe(0);
    expect(handed((frame) => Object.assign(frame, { parent: new FakeFrame() }))).toBe(0);
    expect(webContents.eventNames()).not.toContain('ipc-message');
  });

  it('18: pages come from app:// by a fixed list of files, never from file://', () => {
    expect(desktop.told.schemes).toEqual([
      { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true } },
    ]);
    expect(existsSync(path.join(desktop.folder, 'secret.txt'))).toBe(true);
    for (const name of [
      '../../secret.txt',
      '..%2f..%2fsecret.txt',
      '%2e%2e/%2e%2e/secret.txt',
      '/etc/passwd',
      'assets',
      'assets/',
    ]) {
      expect(page(`app://consilium/${name}`)?.status, name).toBe(404);
    }
    expect(page('app://consilium/assets/index.js')?.headers.get('content-type')).toMatch(/^text\/javascript/);
    expect(page('app://consilium/', { method: 'POST' })?.status).toBe(404);
    const loads = globSync('src/main/**/*.ts', { cwd: root }).filter((file) =>
      /loadFile\(|file:\/\/\//.test(read(file)),
    );
    expect(loads.filter((file) => !file.endsWith('.test.ts'))).toEqual([]);
  });

  it('19: the fuses are named where the app is packed; tests/packaging reads them back from its bytes', () => {
    const config = read('electron-builder.yml');
    for (const fuse of [
      'runAsNode: false',
      'enableCookieEncryption: true',
      'enableNodeOptionsEnvironmentVariable: false',
      'enableNodeCliInspectArguments: false',
      'enableEmbeddedAsarIntegrityValidation: true',
      'onlyLoadAppFromAsar: true',
      'grantFileProtocolExtraPrivileges: false',
    ]) {
      expect(config).toContain(`  ${fuse}\n`);
    }
  });

  it('20: the preload gives the page one port and nothing of Electron', async () => {
    const listeners = new Map<string, (event: { ports: unknown[] }) => void>();
    vi.doMock('electron', () => ({
      ipcRenderer: { on: (channel: string, listener: () => void) => listeners.set(channel, listener) },
    }));
    const posted: unknown[][] = [];
    vi.stubGlobal('window', {
      location: { origin: 'app://consilium' },
      postMessage: (...args: unknown[]) => posted.push(args),
    });
    const before = Object.keys(globalThis);
    await import(path.join(root, 'src/preload/index.ts'));
    expect([...listeners.keys()]).toEqual(['consilium:port']);
    listeners.get('consilium:port')?.({ ports: ['a port'] });
    expect(posted).toEqual([['consilium:port', 'app://consilium', ['a port']]]);
    expect(Object.keys(globalThis)).toEqual(before);
    vi.unstubAllGlobals();
    vi.doUnmock('electron');
  });
});

it('each of the twenty points is met by a line of code that cites its number', () => {
  const files = [
    ...globSync('src/{main,preload}/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts')),
    'src/host/content-security-policy.ts',
    'electron-builder.yml',
  ];
  const cited = files
    .flatMap((file) => read(file).split('\n'))
    // Behind code, not in a comment of its own: that would stay when the line that meets the point goes.
    .flatMap((line) => /^\s*[^\s/*#].* (?:\/\/|#) points? (\d+(?:(?:, | and )\d+)*)/.exec(line)?.[1] ?? [])
    .flatMap((numbers) => numbers.match(/\d+/g)?.map(Number) ?? []);
  const all = Array.from({ length: 20 }, (_, index) => index + 1);
  expect([...new Set(cited)].sort((left, right) => left - right)).toEqual(all);
});

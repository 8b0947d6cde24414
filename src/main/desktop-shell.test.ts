// The wiring of the desktop app over a fake Electron: what the system, the page and the processes do to it, and what it does then.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { toBase64 } from '#base/bytes.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { encodeEnvelope } from '#federation/records/envelope.ts';
import { createFakeDesktop, type FakeDesktop, type FakeDesktopSettings } from '#support/fake-desktop.ts';
import { FakeEvent, type FakeProcess } from '#support/fake-electron.ts';
import { describeRelease } from '../../scripts/packaging/describe-release.ts';
import type { ToSite } from './shell-message.ts';
import { shellTexts } from './shell-texts.ts';

const texts = shellTexts.en;
const started: FakeDesktop[] = [];
afterEach(() => {
  for (const desktop of started.splice(0)) desktop.remove();
});

async function start(settings: FakeDesktopSettings = {}): Promise<FakeDesktop> {
  const desktop = createFakeDesktop(settings);
  started.push(desktop);
  await desktop.start();
  return desktop;
}

const messages = (process: FakeProcess) => process.received.map(({ message }) => message as ToSite);
const training = (desktop: FakeDesktop) =>
  desktop.told.processes.filter(({ modulePath }) => modulePath.endsWith('training-process.js'));
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

describe('the start', () => {
  it('hands over and ends where another instance runs', async () => {
    const desktop = await start({ prepare: ({ app }) => Object.assign(app, { hasLock: false }) });
    expect([desktop.app.quits, desktop.told.windows.length, desktop.told.processes.length]).toEqual([
      1, 0, 0,
    ]);
  });

  it('gives the site its profile and data key by message, and neither by argument or environment', async () => {
    const desktop = await start();
    const [open] = messages(desktop.site());
    if (open?.kind !== 'open' || open.keys.kind !== 'system') throw new Error('not opened');
    expect(open.profile).toBe(path.join(desktop.folder, 'profile'));
    expect(open.keys.held.dataKey).toHaveLength(32);
    const { args, environment } = desktop.site();
    expect(args).toEqual([]);
    expect(JSON.stringify(environment)).not.toContain(toBase64(open.keys.held.dataKey));
  });

  it.each(['basic_text', 'unknown'])('refuses %s, names the ways out and opens no site', async (backend) => {
    const desktop = await start({ prepare: ({ told }) => Object.assign(told, { keyStoreBackend: backend }) });
    expect(desktop.told.messages).toHaveLength(1);
    expect(desktop.told.messages[0]?.detail).toContain(texts['problem.SYSTEM_KEY_STORE_UNSAFE']);
    expect(texts['problem.SYSTEM_KEY_STORE_UNSAFE']).toMatch(/passphrase.*key file.*another volume/);
    expect([desktop.app.quits, desktop.told.processes.length]).toEqual([1, 0]);
  });

  it.each([
    { kind: 'key-file', file: '/media/keys/site.json' },
    { kind: 'passphrase', passphraseFile: '/run/credentials/site' },
  ])('goes the way out that the policy chose: $kind', async (keyStore) => {
    const desktop = await start({
      policy: { keyStore },
      prepare: ({ told }) => Object.assign(told, { keyStoreBackend: 'basic_text' }),
    });
    expect(messages(desktop.site())[0]).toMatchObject({ kind: 'open', keys: keyStore });
  });

  it('stops at a policy that cannot be read, in the language of the system', async () => {
    const desktop = await start({
      policy: { keystore: {} },
      prepare: ({ app }) => Object.assign(app, { languages: ['de-DE'] }),
    });
    expect(desktop.told.messages[0]?.message).toBe(shellTexts.de['problem.policy']);
    expect(desktop.told.messages[0]?.detail).toContain('POLICY_BROKEN');
    expect([desktop.app.quits, desktop.told.processes.length]).toEqual([1, 0]);
  });

  it('takes neither profile nor policy from the environment once it is packaged', async () => {
    const desktop = await start({
      policy: { profile: '/srv/planted' },
      prepare: ({ app }) => Object.assign(app, { isPackaged: true }),
    });
    const [open] = messages(desktop.site());
    expect(open).toMatchObject({ kind: 'open' });
    // Of this machine's own policy, if there is one, nothing is known; what was planted is not taken.
    expect(open).not.toMatchObject({ profile: '/srv/planted' });
    expect(desktop.app.protocols).toEqual(['consilium']);
    expect(desktop.window().options.webPreferences?.devTools).toBe(false);
  });

  it('has the id that the installers give it', async () => {
    const { app } = await start();
    const config = readFileSync(path.resolve(import.meta.dirname, '../../electron-builder.yml'), 'utf8');
    expect(config).toContain(`\nappId: ${app.userModelId}\n`);
  });

  it('registers no link from a start of the sources', async () => {
    expect((await start()).app.protocols).toEqual([]);
  });
});

describe('what others ask to open', () => {
  it('waits for the window at the start, and reaches it later', async () => {
    const desktop = await start({ argv: ['consilium://open/round'] });
    expect(desktop.window().loaded).toEqual(['app://consilium/', 'app://consilium/#/round']);
    desktop.app.emit(
      'second-instance',
      new FakeEvent(),
      ['/opt/consilium-site', 'consilium://open/home'],
      '/',
    );
    expect(desktop.window().loaded.at(-1)).toBe('app://consilium/#/');
  });

  it('brings the window to the front when the app is started again', async () => {
    const desktop = await start();
    const before = desktop.window().shown;
    desktop.app.emit(
      'second-instance',
      new FakeEvent(),
      ['/opt/consilium-site', '--no-sandbox', 'x.txt'],
      '/',
    );
    expect(desktop.window().shown).toBe(before + 1);
    expect(desktop.window().loaded).toHaveLength(1);
  });

  it('comes as events on macOS, and a strange link does nothing', async () => {
    const desktop = await start();
    desktop.app.emit('open-url', new FakeEvent(), 'consilium://open/consent');
    expect(desktop.window().loaded.at(-1)).toBe('app://consilium/#/consent');
    desktop.app.emit('open-url', new FakeEvent(), 'consilium://open/consent?patient=Ada');
    expect(desktop.window().loaded).toHaveLength(2);
  });

  it('is not read when it is a bundle: said, with nothing of its name', async () => {
    const desktop = await start();
    desktop.app.emit('open-file', new FakeEvent(), '/media/Ada Lovelace.consilium-bundle');
    expect(desktop.told.messages.at(-1)?.message).toBe(texts['bundle.unread']);
    expect(JSON.stringify(desktop.told.messages)).not.toContain('Lovelace');
  });
});

describe("the site's process", () => {
  it('is started again with growing pauses; the page is loaded again and gets a port of the new one', async () => {
    const desktop = await start();
    const first = desktop.site();
    first.emit('exit', 1);
    expect(desktop.site()).toBe(first);
    desktop.window().webContents.emit('did-finish-load');
    expect(desktop.window().webContents.mainFrame.posted).toHaveLength(0); // nobody to connect to
    desktop.pass(500);
    expect(desktop.site()).not.toBe(first);
    expect(messages(desktop.site())[0]?.kind).toBe('open');
    expect(desktop.window().webContents.reloads).toBe(1);
    expect(desktop.told.notifications.at(-1)?.body).toBe(texts['notice.site-restarted']);
    desktop.window().webContents.emit('did-finish-load');
    const [handed] = desktop.window().webContents.mainFrame.posted;
    expect(handed?.ports).toHaveLength(1);
    expect(messages(desktop.site()).at(-1)?.kind).toBe('renderer-port');
  });

  it('is given up after the sixth end within ten minutes, with a message', async () => {
    const desktop = await start();
    for (let end = 0; end < 6; end += 1) {
      desktop.site().emit('exit', 1);
      desktop.pass(20_000);
    }
    expect(desktop.told.processes).toHaveLength(6);
    expect(desktop.told.messages.at(-1)).toMatchObject({
      message: texts['problem.site'],
      detail: expect.stringContaining('6 times'),
    });
    expect(desktop.app.quits).toBe(0);
  });

  it('is not started again when it refuses to open', async () => {
    const desktop = await start();
    desktop.site().emit('message', { kind: 'refused', code: 'PROFILE_IN_USE' });
    desktop.site().emit('exit', 1);
    desktop.pass(60_000);
    await settled();
    expect(desktop.told.processes).toHaveLength(1);
    expect(desktop.told.messages.at(-1)?.detail).toContain('PROFILE_IN_USE');
    expect(desktop.app.quits).toBe(1);
  });

  it('ends with the app, and that is no crash', async () => {
    const desktop = await start();
    const site = desktop.site();
    desktop.app.emit('window-all-closed');
    desktop.app.emit('will-quit');
    expect(site.isKilled).toBe(true);
    site.emit('exit', 0);
    desktop.pass(60_000);
    expect(desktop.told.processes).toHaveLength(1);
  });

  it.each([
    'open-training',
    { kind: 'open-training', threads: null, path: '/bin/sh' },
    { kind: 'open-training', threads: 0 },
    { kind: 'waiting', count: -1 },
    { kind: 'waiting', count: 'Ada Lovelace' },
    { kind: 'refused', code: 'Ada Lovelace' },
    { kind: 'run' },
    null,
    undefined,
  ])('is not listened to when it says %j', async (message) => {
    const desktop = await start();
    desktop.site().emit('message', message);
    await settled();
    expect([
      desktop.told.processes.length,
      desktop.told.messages.length,
      desktop.told.notifications.length,
    ]).toEqual([1, 0, 0]);
  });
});

describe('the training process', () => {
  it('starts when the site asks, with one channel between the two and nothing of the environment', async () => {
    const desktop = await start();
    desktop.site().emit('message', { kind: 'open-training', threads: null });
    const [process] = training(desktop);
    expect(process?.environment).toEqual({ PATH: '/usr/bin' });
    expect(process?.received[0]?.ports[0]?.name).toBe('1 of the process');
    expect(desktop.site().received.at(-1)?.ports[0]?.name).toBe('1 of the other side');
  });

  it('is told of when it ends by itself, and not when it was stopped', async () => {
    const desktop = await start();
    desktop.site().emit('message', { kind: 'open-training', threads: null });
    training(desktop)[0]?.emit('exit', 139);
    expect(messages(desktop.site()).at(-1)?.kind).toBe('training-exit');
    expect(desktop.told.notifications.map(({ body }) => body)).toEqual([texts['notice.training-failed']]);

    desktop.site().emit('message', { kind: 'open-training', threads: null });
    desktop.site().emit('message', { kind: 'kill-training' });
    expect(training(desktop)[1]?.isKilled).toBe(true);
    training(desktop)[1]?.emit('exit', 0);
    expect(desktop.told.notifications).toHaveLength(1);
  });

  it('is not started a seventh time within ten minutes when it ended six times', async () => {
    const desktop = await start();
    for (let end = 0; end < 6; end += 1) {
      desktop.site().emit('message', { kind: 'open-training', threads: null });
      training(desktop).at(-1)?.emit('exit', 139);
    }
    desktop.site().emit('message', { kind: 'open-training', threads: null });
    expect(training(desktop)).toHaveLength(6);
    expect(messages(desktop.site()).at(-1)?.kind).toBe('training-exit');
    desktop.pass(10 * 60_000);
    desktop.site().emit('message', { kind: 'open-training', threads: null });
    expect(training(desktop)).toHaveLength(7);
  });

  it('keeps the machine awake while it computes, and lets it sleep when the site ends in between', async () => {
    const desktop = await start();
    desktop.site().emit('message', { kind: 'training', isTraining: true });
    desktop.site().emit('message', { kind: 'training', isTraining: true });
    expect(desktop.told.awake.size).toBe(1);
    desktop.site().emit('message', { kind: 'training', isTraining: false });
    expect(desktop.told.awake.size).toBe(0);
    desktop.site().emit('message', { kind: 'training', isTraining: true });
    desktop.site().emit('exit', 1);
    expect(desktop.told.awake.size).toBe(0);
  });
});

describe('the window', () => {
  it('is loaded again when its renderer crashed, five times', async () => {
    const desktop = await start();
    const { webContents } = desktop.window();
    webContents.emit('render-process-gone', new FakeEvent(), { reason: 'clean-exit', exitCode: 0 });
    expect(webContents.reloads).toBe(0);
    for (let end = 0; end < 6; end += 1)
      webContents.emit('render-process-gone', new FakeEvent(), { reason: 'oom', exitCode: 1 });
    expect(webContents.reloads).toBe(5);
    expect(desktop.told.messages.at(-1)?.message).toBe(texts['problem.window']);
  });

  it('has a title that no page changes', async () => {
    const desktop = await start();
    expect(desktop.window().options.title).toBe('Consilium');
    const event = new FakeEvent();
    desktop.window().emit('page-title-updated', event, 'Ada Lovelace');
    expect(event.isPrevented).toBe(true);
  });

  it('opens where it was closed', async () => {
    const desktop = await start();
    desktop.window().emit('close');
    const saved = path.join(desktop.folder, 'window-state.json');
    expect(JSON.parse(readFileSync(saved, 'utf8'))).toMatchObject({ x: 10, y: 20 });
    await desktop.start();
    expect(desktop.window().options).toMatchObject({ x: 10, y: 20, width: 1000, height: 700 });
  });

  it('saves a JSON document of its own under a fixed name, and nothing else', async () => {
    const desktop = await start();
    const download = (address: string, type: string) => {
      const event = new FakeEvent();
      const asked: object[] = [];
      desktop.session.emit('will-download', event, {
        getURL: () => address,
        getMimeType: () => type,
        getFilename: () => 'Ada Lovelace.json',
        setSaveDialogOptions: (options: object) => asked.push(options),
      });
      return event.isPrevented ? 'stopped' : asked[0];
    };
    expect(download('blob:app://consilium/1', 'application/json')).toMatchObject({
      defaultPath: 'consilium.json',
    });
    expect(download('blob:app://consilium/1', 'text/html')).toBe('stopped');
    expect(download('blob:app://consilium.attacker/1', 'application/json')).toBe('stopped');
    expect(download('https://consilium.example/x.json', 'application/json')).toBe('stopped');
    expect(desktop.session.hasSpellChecker).toBe(false);
  });
});

describe('what waits', () => {
  it('stands in the tray as a number, and is told when it grows', async () => {
    const desktop = await start();
    for (const count of [1, 1, 2, 0]) desktop.site().emit('message', { kind: 'waiting', count });
    expect(desktop.told.toolTips).toEqual([
      texts['tray.idle'],
      'Consilium: 1 waiting for a decision',
      'Consilium: 1 waiting for a decision',
      'Consilium: 2 waiting for a decision',
      texts['tray.idle'],
    ]);
    expect(desktop.told.notifications.map(({ body }) => body)).toEqual(
      Array(2).fill(texts['notice.update-waits']),
    );
  });
});

describe('a new release', () => {
  const seed = new Uint8Array(32).fill(1);
  const entry = (desktop: FakeDesktop, label: string) =>
    desktop.told.menus
      .flat()
      .flatMap(({ submenu }) => (Array.isArray(submenu) ? submenu : []))
      .find((item) => item.label === label);
  const ask = async (desktop: FakeDesktop) => {
    entry(desktop, texts.checkRelease)?.click?.({} as never, undefined, {} as never);
    await vi.waitFor(() => expect(desktop.told.messages).not.toEqual([]));
    await settled();
  };
  /** A stick with a release of that version, signed by the key of `by`. */
  const stick = (desktop: FakeDesktop, version: string, by = seed) => {
    const folder = path.join(desktop.folder, 'stick');
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'consilium-site.deb'), 'an installer');
    const payload = describeRelease(folder, { version, releasedAtMs: 0, expiresMs: 1e12 });
    writeFileSync(path.join(folder, 'release.dsse'), encodeEnvelope(payload, [createSigningKey(by)]));
  };
  const withPolicy = async () => {
    const keys = [toBase64(createSigningKey(seed).publicKey)];
    const desktop = createFakeDesktop();
    started.push(desktop);
    const releases = { folder: path.join(desktop.folder, 'stick'), keys, threshold: 1, format: 'deb' };
    writeFileSync(path.join(desktop.folder, 'policy.json'), JSON.stringify({ releases }), { mode: 0o644 });
    await desktop.start();
    return desktop;
  };

  it("is looked for at a person's wish only, and shown as a file that was checked", async () => {
    const desktop = await withPolicy();
    stick(desktop, '0.2.0');
    await settled();
    expect(existsSync(path.join(desktop.folder, 'releases'))).toBe(false);
    desktop.told.pressed = 1;
    await ask(desktop);
    expect(desktop.told.messages.at(-1)?.message).toBe('Release 0.2.0 is there');
    expect(desktop.told.shownFiles).toEqual([path.join(desktop.folder, 'releases/consilium-site.deb')]);
    expect(desktop.told.processes).toHaveLength(1); // nothing was started
  });

  it('is not shown when the person cancels, which is the button that Escape presses', async () => {
    const desktop = await withPolicy();
    stick(desktop, '0.2.0');
    await ask(desktop);
    expect(desktop.told.messages.at(-1)).toMatchObject({
      cancelId: 0,
      defaultId: 0,
      buttons: [texts.cancel, texts['release.show']],
    });
    expect(desktop.told.shownFiles).toEqual([]);
  });

  it.each([
    ['signed by a stranger', '0.2.0', new Uint8Array(32).fill(9), 'RELEASE_NOT_SIGNED'],
    ['older than this one', '0.0.9', seed, 'RELEASE_OLDER'],
  ])('is refused by its code when it is %s', async (_case, version, by, code) => {
    const desktop = await withPolicy();
    stick(desktop, version, by);
    await ask(desktop);
    expect(desktop.told.messages.at(-1)?.message).toBe(texts['release.refused']);
    expect(desktop.told.messages.at(-1)?.detail).toContain(code);
    expect(existsSync(path.join(desktop.folder, 'releases'))).toBe(false);
  });

  it('is nowhere where the policy names no place', async () => {
    const desktop = await start();
    await ask(desktop);
    expect(desktop.told.messages.at(-1)?.message).toBe(texts['release.unset']);
  });
});

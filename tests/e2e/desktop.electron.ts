// The desktop app: what Electron's security list asks for, looked at in the running window.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { _electron, type ElectronApplication, expect, type Page, test } from '@playwright/test';

let app: ElectronApplication;
let window: Page;
const directory = mkdtempSync(path.join(tmpdir(), 'consilium-desktop-'));

test.beforeAll(async () => {
  // A test machine has no key store that keeps a secret, and the app refuses to do without one unless it is told where else.
  const policy = path.join(directory, 'policy.json');
  const keyStore = { kind: 'key-file', file: path.join(directory, 'keys', 'keys.json') };
  writeFileSync(policy, JSON.stringify({ keyStore }), { mode: 0o644 });
  app = await _electron.launch({
    args: ['.'],
    env: {
      ...process.env,
      CONSILIUM_POLICY: policy,
      CONSILIUM_PROFILE: path.join(directory, 'profile'),
      XDG_CONFIG_HOME: directory,
    },
  });
  const version = await app.evaluate(() => process.versions.electron);
  process.stdout.write(`The desktop app runs under Electron ${version}\n`);
  window = await app.firstWindow();
});

test.afterAll(async () => {
  await app.close();
  rmSync(directory, { recursive: true, force: true });
});

test('shows the sign-in of the site over its message port', async () => {
  await expect(window.getByRole('button', { name: 'Sign in' })).toBeVisible();
  expect(window.url()).toMatch(/^app:\/\/consilium\//);
});

test('gives the page nothing of Node or Electron (points 2, 3, 4, 20)', async () => {
  const found = await window.evaluate<string[]>(
    "['require', 'process', 'Buffer', 'electron', 'ipcRenderer', 'module'].filter((name) => name in globalThis)",
  );
  expect(found).toEqual([]);
});

for (const address of [
  'https://consilium.example/',
  'file:///etc/passwd',
  'app://consilium.attacker/',
  'data:text/html,x',
]) {
  test(`does not go to ${address} (points 1, 13)`, async () => {
    await window.evaluate(`location.href = ${JSON.stringify(address)}`).catch(() => {});
    expect(window.url()).toMatch(/^app:\/\/consilium\//);
  });
}

test('opens no second window (point 14)', async () => {
  await window.evaluate("window.open('https://consilium.example/')");
  expect(app.windows()).toHaveLength(1);
});

test('denies every permission (point 5)', async () => {
  const state = await window.evaluate<string>(
    "navigator.permissions.query({ name: 'geolocation' }).then((answer) => answer.state)",
  );
  expect(state).toBe('denied');
});

// The Electron shell: one window over a site that runs in a process of its own. Holds no logic and no data of the site. Everything of
// Electron comes in as a parameter, so that a test runs this very wiring.
import path from 'node:path';
import type { BrowserWindow } from 'electron';
import type { Clock } from '#base/clock.ts';
import { isCodedError } from '#base/coded-error.ts';
import type { Logger } from '#base/logger.ts';
import { loadManagedPolicy, type ManagedPolicy, managedPolicyFile } from '#host/managed-policy.ts';
import { isOwnFrame } from './app-origin.ts';
import { appScheme, serveRenderer } from './app-protocol.ts';
import { createDesk, type Desk } from './desk.ts';
import { type KeyAccess, resolveKeyAccess } from './key-access.ts';
import type { OpenRequest } from './open-request.ts';
import { createRestartBudget } from './restart-budget.ts';
import { openPage } from './safe-shell.ts';
import { applySessionPolicy } from './session-policy.ts';
import { shellLanguage, shellTexts } from './shell-texts.ts';
import { claimSingleInstance } from './single-instance.ts';
import { type SiteProcessLink, startSiteProcess } from './site-process-link.ts';
import { createTrainingWakefulness } from './training-wakefulness.ts';
import { showRenderer } from './window.ts';
import { createWindowOptions } from './window-options.ts';
import { loadWindowState, placeWindow, rememberWindow } from './window-state.ts';

/** Windows shows notices and groups windows by it; the installers write the same into their shortcuts. */
export const appId = 'example.consilium.site';

/** What the shell uses of Electron. */
export type ElectronApi = Pick<
  typeof import('electron'),
  | 'app'
  | 'BrowserWindow'
  | 'dialog'
  | 'Menu'
  | 'MessageChannelMain'
  | 'nativeImage'
  | 'net'
  | 'Notification'
  | 'powerSaveBlocker'
  | 'protocol'
  | 'safeStorage'
  | 'screen'
  | 'session'
  | 'shell'
  | 'Tray'
  | 'utilityProcess'
>;

export interface ShellSettings {
  readonly electron: ElectronApi;
  /** Folder of the built main process; preload and renderer lie beside it. */
  readonly directory: string;
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly argv: readonly string[];
  readonly workingDirectory: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly later: (work: () => void, delayMs: number) => () => void;
}

/** Must run before the app is ready. Resolves when the window loads, or when this start is over. */
export async function startShell(settings: ShellSettings): Promise<void> {
  const { electron, argv, workingDirectory } = settings;
  const { app, protocol } = electron;
  app.enableSandbox(); // point 4
  app.setAppUserModelId(appId);
  protocol.registerSchemesAsPrivileged([appScheme]); // point 18
  let desk: Desk | undefined;
  let early: OpenRequest | undefined;
  const onRequest = (request: OpenRequest | undefined) => {
    if (desk === undefined) early = request;
    else desk.open(request);
  };
  if (!claimSingleInstance({ app, argv, workingDirectory, onRequest })) return;
  await app.whenReady();
  desk = await openShell(settings);
  if (desk !== undefined && early !== undefined) desk.open(early);
}

/** undefined where the site cannot be opened: the person has been told why, and the app quits. */
async function openShell(settings: ShellSettings): Promise<Desk | undefined> {
  const { electron, directory } = settings;
  const { app } = electron;
  const texts = shellTexts[shellLanguage(app.getPreferredSystemLanguages())];
  applySessionPolicy({
    app,
    session: electron.session.defaultSession,
    openPage: (address) => openPage(electron.shell, address),
    saveTitle: texts.saveTitle,
  });
  serveRenderer(electron.protocol, path.join(directory, '../renderer'));
  const prepared = await prepareSite(settings).catch(async (error: unknown) => {
    const code = isCodedError(error) ? error.code : 'BUG';
    settings.logger.error('the desktop app does not start', { code });
    const message = code.startsWith('POLICY_') ? texts['problem.policy'] : texts['problem.keys'];
    const detail =
      Object.entries(texts).find(([key]) => key === `problem.${code}`)?.[1] ?? texts['problem.other'];
    await electron.dialog.showMessageBox({
      type: 'error',
      title: 'Consilium',
      message,
      detail: `${detail}\n\n${code}`,
    });
    app.quit();
  });
  return prepared === undefined ? undefined : openDesk(settings, prepared);
}

interface PreparedSite {
  readonly policy: ManagedPolicy;
  readonly profile: string;
  readonly keys: KeyAccess;
}

/** @throws PolicyError, KeyStoreError. */
async function prepareSite({ electron, platform, environment }: ShellSettings): Promise<PreparedSite> {
  const { app, safeStorage } = electron;
  // A packaged app takes neither from the environment, which any program of the account can set.
  const forDevelopment = app.isPackaged ? {} : environment;
  const policy = loadManagedPolicy(forDevelopment.CONSILIUM_POLICY ?? managedPolicyFile(platform));
  const profile =
    policy.profile ?? forDevelopment.CONSILIUM_PROFILE ?? path.join(app.getPath('userData'), 'profile');
  const keys = await resolveKeyAccess({ profile, choice: policy.keyStore, safeStorage, platform });
  return { policy, profile, keys };
}

function openDesk(settings: ShellSettings, { policy, profile, keys }: PreparedSite): Desk {
  const { electron, directory, environment, clock, later } = settings;
  const { app } = electron;
  const window = openWindow(settings);
  const desk = createDesk({ ...settings, window, releases: policy.releases });
  const wakefulness = createTrainingWakefulness(electron.powerSaveBlocker);
  const site = startSiteProcess({
    directory,
    environment,
    clock,
    later,
    open: { kind: 'open', profile, keys },
    fork: (modulePath, args, options) => electron.utilityProcess.fork(modulePath, args, options),
    createChannel: () => new electron.MessageChannelMain(),
    events: {
      onWaiting: (count) => desk.showWaiting(count),
      onTraining: (isTraining) => wakefulness.setTraining(isTraining),
      onTrainingFailed: () => desk.notify('training-failed'),
      onRestarted: () => {
        // The page's port ended with the old process; loaded again, it is given a new one.
        window.webContents.reload();
        desk.notify('site-restarted');
      },
      onRefused: (code) => desk.fail('problem.site', code),
      onGivenUp: (ends) => desk.failOften('problem.site', ends),
    },
  });
  connectWindow(window, site);
  keepWindowAlive(window, desk, clock);
  app.on('window-all-closed', () => app.quit());
  app.on('will-quit', () => site.close());
  return desk;
}

function openWindow({ electron, directory }: ShellSettings): BrowserWindow {
  const { app, screen } = electron;
  const stateFile = path.join(app.getPath('userData'), 'window-state.json');
  const workAreas = screen.getAllDisplays().map(({ workArea }) => workArea);
  const placement = placeWindow(loadWindowState(stateFile), workAreas);
  const preload = path.join(directory, '../preload/index.cjs');
  const window = new electron.BrowserWindow(
    createWindowOptions({ preload, devTools: !app.isPackaged, placement }),
  );
  rememberWindow(window, stateFile);
  showRenderer(window, placement);
  return window;
}

/** Point 17: no message of the page is listened to; each load of our own page gets one fresh port of the site. */
function connectWindow(window: BrowserWindow, site: SiteProcessLink): void {
  window.webContents.on('did-finish-load', () => {
    const { mainFrame } = window.webContents;
    const port = isOwnFrame(mainFrame) ? site.connect() : undefined;
    if (port !== undefined) mainFrame.postMessage('consilium:port', null, [port]);
  });
}

/** A renderer that crashed is loaded again, a few times. */
function keepWindowAlive(window: BrowserWindow, desk: Desk, clock: Clock): void {
  const budget = createRestartBudget(clock);
  window.webContents.on('render-process-gone', (_event, { reason }) => {
    if (reason === 'clean-exit') return;
    if (budget.next() === undefined) desk.failOften('problem.window', budget.count());
    else window.webContents.reload();
  });
}

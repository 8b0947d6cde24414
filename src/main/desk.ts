// What a person sees of the shell beside the window: menu, tray, notices, messages. Every word from the closed table of texts.
import type { BrowserWindow } from 'electron';
import type { ReleasePolicy } from '#host/managed-policy.ts';
import { createMenuTemplate } from './app-menu.ts';
import type { ElectronApi, ShellSettings } from './desktop-shell.ts';
import { chooseBundle, messageOf } from './file-dialogs.ts';
import { createNoticeDesk, type Notice } from './notices.ts';
import type { OpenRequest } from './open-request.ts';
import { askForRelease } from './release-desk.ts';
import { helpPage, openPage } from './safe-shell.ts';
import { type ShellTexts, shellLanguage, shellTexts, withCount } from './shell-texts.ts';
import { createWaitingTray } from './waiting-tray.ts';
import { bringForward, showScreen } from './window.ts';

export interface Desk {
  /** What a link, a file or a second start asked for; undefined brings the window to the front. */
  open(request: OpenRequest | undefined): void;
  showWaiting(count: number): void;
  notify(notice: Notice): void;
  /** Tells of a refusal by its code, and ends the app. */
  fail(problem: Problem, code: string): void;
  /** Tells that something ended too often. The app goes on where there is something to go on with. */
  failOften(problem: Problem, ends: number): void;
}

export type Problem = 'problem.site' | 'problem.window';

export interface DeskSettings
  extends Pick<ShellSettings, 'electron' | 'platform' | 'arch' | 'clock' | 'logger'> {
  readonly window: BrowserWindow;
  readonly releases: ReleasePolicy | undefined;
}

export function createDesk(settings: DeskSettings): Desk {
  const { electron, window } = settings;
  const { app, dialog } = electron;
  const texts = shellTexts[shellLanguage(app.getPreferredSystemLanguages())];
  const show = () => bringForward(window);
  const tell = (words: Parameters<typeof messageOf>[1]) =>
    dialog.showMessageBox(window, messageOf(texts, words));
  const open = (request: OpenRequest | undefined) => {
    if (request?.kind === 'screen') return showScreen(window, request.screen);
    show();
    // Until a release reads bundles, the file stays shut: said, rather than taken in silence.
    if (request !== undefined)
      void tell({ message: texts['bundle.unread'], detail: texts['bundle.unread.detail'] });
  };
  const notices = createNoticeDesk({
    texts,
    create: (options) => new electron.Notification(options),
    onClick: show,
  });
  const notify = (notice: Notice) => {
    if (electron.Notification.isSupported()) notices.show(notice);
  };
  setMenu(settings, texts, open);
  const tray = createTray(electron, texts, show);
  let waiting = 0;
  return {
    open,
    notify,
    showWaiting: (count) => {
      tray?.show(count);
      if (count > waiting) notify('update-waits');
      waiting = count;
    },
    fail: (problem, code) => {
      const detail =
        Object.entries(texts).find(([key]) => key === `problem.${code}`)?.[1] ?? texts['problem.other'];
      void tell({ message: texts[problem], detail: `${detail}\n\n${code}` }).then(() => app.quit());
    },
    failOften: (problem, ends) => {
      void tell({ message: texts[problem], detail: withCount(texts[`${problem}.detail`], ends) });
    },
  };
}

function setMenu(
  settings: DeskSettings,
  texts: ShellTexts,
  open: (request: OpenRequest | undefined) => void,
): void {
  const { electron, window, platform } = settings;
  const { app, dialog, Menu, shell } = electron;
  const actions = {
    openBundle: () => {
      void chooseBundle(dialog, window, texts).then((request) => {
        if (request !== undefined) open(request);
      });
    },
    showScreen: (screen: Parameters<typeof showScreen>[1]) => showScreen(window, screen),
    openHelp: () => openPage(shell, helpPage),
    checkRelease: () => {
      void askForRelease(settings, texts);
    },
  };
  const template = createMenuTemplate({ texts, platform, devTools: !app.isPackaged, actions });
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}

/** undefined on a desktop without a tray. */
function createTray({ app, Menu, nativeImage, Tray }: ElectronApi, texts: ShellTexts, onShow: () => void) {
  try {
    const tray = new Tray(nativeImage.createEmpty());
    return createWaitingTray({
      tray,
      texts,
      toImage: ({ size, pixels }) =>
        nativeImage.createFromBitmap(Buffer.from(pixels), { width: size, height: size }),
      toMenu: (template) => Menu.buildFromTemplate(template),
      onShow,
      onQuit: () => app.quit(),
    });
  } catch {
    return undefined;
  }
}

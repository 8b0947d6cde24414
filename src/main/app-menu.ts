// The native menu: our screens, the platform's editing and window commands, help. No reload and no developer tools in a release
// (security.md X14), and no entry that loads an address.
import type { MenuItemConstructorOptions } from 'electron';
import { type Screen, screens } from './open-request.ts';
import type { ShellTexts } from './shell-texts.ts';

export interface MenuActions {
  readonly openBundle: () => void;
  readonly showScreen: (screen: Screen) => void;
  readonly openHelp: () => void;
  readonly checkRelease: () => void;
}

export interface MenuSettings {
  readonly texts: ShellTexts;
  readonly platform: NodeJS.Platform;
  /** For development only. */
  readonly devTools: boolean;
  readonly actions: MenuActions;
}

export function createMenuTemplate({
  texts,
  platform,
  devTools,
  actions,
}: MenuSettings): MenuItemConstructorOptions[] {
  const isMac = platform === 'darwin';
  const quit: MenuItemConstructorOptions = { role: 'quit', label: texts.quit };
  const about: MenuItemConstructorOptions = { role: 'about', label: texts.about };
  const file: MenuItemConstructorOptions = {
    label: texts.file,
    submenu: [
      { label: texts.openBundle, accelerator: 'CmdOrCtrl+O', click: actions.openBundle },
      ...(isMac ? [] : [{ type: 'separator' } as const, quit]),
    ],
  };
  const help: MenuItemConstructorOptions = {
    role: 'help',
    label: texts.help,
    submenu: [
      { label: texts.helpPage, click: actions.openHelp },
      { label: texts.checkRelease, click: actions.checkRelease },
      ...(isMac ? [] : [about]),
    ],
  };
  const application: MenuItemConstructorOptions = {
    label: 'Consilium',
    submenu: [
      about,
      { type: 'separator' },
      { role: 'hide' },
      { role: 'hideOthers' },
      { type: 'separator' },
      quit,
    ],
  };
  const edit: MenuItemConstructorOptions = { role: 'editMenu', label: texts.edit };
  const window: MenuItemConstructorOptions = { role: 'windowMenu', label: texts.window };
  return [...(isMac ? [application] : []), file, edit, viewMenu({ texts, devTools, actions }), window, help];
}

function viewMenu({ texts, devTools, actions }: Omit<MenuSettings, 'platform'>): MenuItemConstructorOptions {
  return {
    label: texts.view,
    submenu: [
      ...screens.map((screen, index) => ({
        label: texts[`screen.${screen}`],
        accelerator: `CmdOrCtrl+${index + 1}`,
        click: () => actions.showScreen(screen),
      })),
      { type: 'separator' },
      { role: 'resetZoom' },
      { role: 'zoomIn' },
      { role: 'zoomOut' },
      { role: 'togglefullscreen' },
      ...(devTools ? ([{ role: 'reload' }, { role: 'toggleDevTools' }] as const) : []),
    ],
  };
}

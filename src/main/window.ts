// The one window: sandboxed, isolated, without Node (Electron security points 2, 3, 4, 6, 8, 9, 10).
import path from 'node:path';
import { BrowserWindow } from 'electron';
import { appOrigin } from './app-protocol.ts';

/** Web preferences of every window. Each is Electron's default today and is set all the same, so that a default cannot change it. */
export const webPreferences = {
  nodeIntegration: false, // point 2
  nodeIntegrationInWorker: false, // point 2
  nodeIntegrationInSubFrames: false, // point 2
  contextIsolation: true, // point 3
  sandbox: true, // point 4
  webSecurity: true, // point 6
  allowRunningInsecureContent: false, // point 8
  experimentalFeatures: false, // point 9
  webviewTag: false, // point 11
  spellcheck: false,
  navigateOnDragDrop: false,
} as const;

/** Opens the window and loads the renderer. `devTools` is for development only. */
export function openWindow(options: { readonly preload: string; readonly devTools: boolean }): BrowserWindow {
  const window = new BrowserWindow({
    width: 1280,
    height: 860,
    minWidth: 900,
    minHeight: 600,
    show: false,
    title: 'Consilium',
    webPreferences: { ...webPreferences, devTools: options.devTools, preload: path.resolve(options.preload) },
  });
  window.removeMenu();
  // A page title could carry a patient's name into the task bar and window lists.
  window.on('page-title-updated', (event) => event.preventDefault());
  window.once('ready-to-show', () => window.show());
  void window.loadURL(`${appOrigin}/`);
  return window;
}

// The Electron shell: one window over a site that runs in a process of its own. Holds no logic and no data.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { app } from 'electron';
import { registerAppScheme, serveRenderer } from './app-protocol.ts';
import { denyEverything, isOwnPage } from './session-policy.ts';
import { startSiteProcess } from './site-process-link.ts';
import { openWindow } from './window.ts';

const here = path.dirname(fileURLToPath(import.meta.url));

app.enableSandbox(); // point 4
registerAppScheme();

if (!app.requestSingleInstanceLock()) app.quit();
else {
  void app.whenReady().then(() => {
    denyEverything();
    serveRenderer(path.join(here, '../renderer'));
    const profile = process.env.CONSILIUM_PROFILE ?? path.join(app.getPath('userData'), 'profile');
    const site = startSiteProcess({ directory: here, profile });
    const window = openWindow({
      preload: path.join(here, '../preload/index.cjs'),
      devTools: !app.isPackaged,
    });
    // Point 17: no message of the page is listened to; each load of our own page gets one fresh port of the site.
    window.webContents.on('did-finish-load', () => {
      const { mainFrame } = window.webContents;
      if (isOwnPage(mainFrame.url)) mainFrame.postMessage('consilium:port', null, [site.connect()]);
    });
    app.on('second-instance', () => window.focus());
    app.on('window-all-closed', () => app.quit());
    app.on('will-quit', () => site.close());
  });
}

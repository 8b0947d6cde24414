// What web content may ask of Electron: nothing. Every permission, navigation, window and embedded view is denied, and every download
// but a JSON document that a page of ours made itself (a column mapping), for which the system asks the person where to.
import { app, session, type WebContents } from 'electron';
import { appOrigin } from './app-protocol.ts';
import { openPage } from './safe-shell.ts';

/** Whether `address` is a page of ours. Parsed, never matched as text (`app://consilium.attacker` is another origin). */
export function isOwnPage(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  return `${url.protocol}//${url.host}` === appOrigin;
}

/** Must run when the app is ready, before a window is made. */
export function denyEverything(): void {
  const policy = session.defaultSession;
  policy.setPermissionRequestHandler((_contents, _permission, answer) => answer(false)); // point 5
  policy.setPermissionCheckHandler(() => false); // point 5
  policy.setDevicePermissionHandler(() => false); // point 5
  policy.setSpellCheckerEnabled(false); // no dictionary download, no words of a record kept by the spell checker
  policy.on('will-download', (event, item) => {
    const isOwnDocument =
      item.getURL().startsWith(`blob:${appOrigin}/`) && item.getMimeType() === 'application/json';
    if (!isOwnDocument) event.preventDefault();
  });
  app.on('web-contents-created', (_event, contents) => guardContents(contents));
}

function guardContents(contents: WebContents): void {
  contents.on('will-attach-webview', (event) => event.preventDefault()); // points 11 and 12
  contents.on('will-navigate', (event) => {
    if (!isOwnPage(event.url)) event.preventDefault(); // point 13
  });
  contents.on('will-redirect', (event) => {
    if (!isOwnPage(event.url)) event.preventDefault(); // point 13
  });
  contents.on('will-frame-navigate', (event) => {
    if (!isOwnPage(event.url)) event.preventDefault(); // point 13
  });
  contents.setWindowOpenHandler(({ url }) => {
    openPage(url);
    return { action: 'deny' }; // point 14
  });
}

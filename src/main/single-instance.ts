// One app for one person's data: a second start hands over what it was asked to open and ends (security.md X5).
import type { App } from 'electron';
import {
  deepLinkScheme,
  type OpenRequest,
  parseDeepLink,
  parseOpenArguments,
  parseOpenedFile,
} from './open-request.ts';

export interface SingleInstance {
  readonly app: Pick<
    App,
    'requestSingleInstanceLock' | 'quit' | 'on' | 'setAsDefaultProtocolClient' | 'isPackaged'
  >;
  /** Of this start, the program first. */
  readonly argv: readonly string[];
  readonly workingDirectory: string;
  /** Called with undefined where somebody only started the app again. */
  readonly onRequest: (request: OpenRequest | undefined) => void;
}

/**
 * False where another instance runs: it has the request, and this one quits.
 * Links and files come as arguments on Windows and Linux, as events on macOS, where `open-url` may come before the app is ready.
 */
export function claimSingleInstance({ app, argv, workingDirectory, onRequest }: SingleInstance): boolean {
  if (!app.requestSingleInstanceLock()) {
    app.quit();
    return false;
  }
  app.on('second-instance', (_event, theirs, theirDirectory) =>
    onRequest(parseOpenArguments(theirs, theirDirectory)),
  );
  app.on('open-url', (event, address) => {
    event.preventDefault();
    const request = parseDeepLink(address);
    if (request !== undefined) onRequest(request);
  });
  app.on('open-file', (event, file) => {
    event.preventDefault();
    const request = parseOpenedFile(file);
    if (request !== undefined) onRequest(request);
  });
  // Installers register the link; an AppImage has none, and a start from the sources must not take it over.
  if (app.isPackaged) app.setAsDefaultProtocolClient(deepLinkScheme);
  const own = parseOpenArguments(argv, workingDirectory);
  if (own !== undefined) onRequest(own);
  return true;
}

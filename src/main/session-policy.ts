// The one session of the app: permissions and navigation by their tables, no spell checker, and of downloads only a JSON document
// that a page of ours made itself (a column mapping), for which the system asks the person where to.
import type { App, DownloadItem, Session } from 'electron';
import { appOrigin } from './app-origin.ts';
import { guardContents } from './navigation-policy.ts';
import { applyPermissionPolicy, type PermissionSession } from './permission-policy.ts';

export type GuardedSession = PermissionSession & Pick<Session, 'setSpellCheckerEnabled' | 'on'>;

export interface SessionPolicy {
  readonly app: Pick<App, 'on'>;
  readonly session: GuardedSession;
  /** Opens a page of the fixed list in the person's browser. */
  readonly openPage: (address: string) => void;
  /** Title of the dialog that asks where to save. */
  readonly saveTitle: string;
}

/** Must run when the app is ready, before a window is made. */
export function applySessionPolicy({ app, session, openPage, saveTitle }: SessionPolicy): void {
  applyPermissionPolicy(session);
  session.setSpellCheckerEnabled(false); // no dictionary download, no words of a record kept by the spell checker
  session.on('will-download', (event, item) => {
    if (!isOwnDocument(item)) event.preventDefault();
    // The page does not choose the name: it could put a patient's into the list of recent files.
    else item.setSaveDialogOptions({ title: saveTitle, defaultPath: 'consilium.json', filters: jsonFiles });
  });
  app.on('web-contents-created', (_event, contents) => guardContents(contents, openPage));
}

const jsonFiles = [{ name: 'JSON', extensions: ['json'] }];

function isOwnDocument(item: Pick<DownloadItem, 'getURL' | 'getMimeType'>): boolean {
  return item.getURL().startsWith(`blob:${appOrigin}/`) && item.getMimeType() === 'application/json';
}

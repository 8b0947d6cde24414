// Where web content may go: to our own pages, and nowhere else (Electron security points 11 to 15).
import type { WebContents } from 'electron';
import { isOwnPage } from './app-origin.ts';

/** `new-window` is window.open or a link with a target; the others are Electron's events without their `will-`. */
export type NavigationKind = 'navigate' | 'frame-navigate' | 'redirect' | 'new-window' | 'attach-webview';

/** `offer` opens the page in the person's browser if it is on the fixed list, and never in the app. */
export type NavigationDecision = 'allow' | 'deny' | 'offer';

/** By what is about to happen -> whether our own pages may do it, and what becomes of any other address. */
const table: Readonly<
  Record<NavigationKind, { readonly own: NavigationDecision; readonly other: NavigationDecision }>
> = {
  navigate: { own: 'allow', other: 'deny' }, // point 13
  'frame-navigate': { own: 'allow', other: 'deny' }, // point 13
  redirect: { own: 'allow', other: 'deny' }, // point 13
  'new-window': { own: 'deny', other: 'offer' }, // point 14
  'attach-webview': { own: 'deny', other: 'deny' }, // points 11 and 12
};

export function decideNavigation(kind: NavigationKind, address: string): NavigationDecision {
  return table[kind][isOwnPage(address) ? 'own' : 'other'];
}

/** Applies the table to one window's content. `openPage` decides by the fixed list (point 15). */
export function guardContents(contents: WebContents, openPage: (address: string) => void): void {
  contents.on('will-attach-webview', (event, _preferences, { src }) => {
    if (decideNavigation('attach-webview', src ?? '') !== 'allow') event.preventDefault();
  });
  contents.on('will-navigate', (event) => {
    if (decideNavigation('navigate', event.url) !== 'allow') event.preventDefault();
  });
  contents.on('will-redirect', (event) => {
    if (decideNavigation('redirect', event.url) !== 'allow') event.preventDefault();
  });
  contents.on('will-frame-navigate', (event) => {
    if (decideNavigation('frame-navigate', event.url) !== 'allow') event.preventDefault();
  });
  contents.setWindowOpenHandler(({ url }) => {
    if (decideNavigation('new-window', url) === 'offer') openPage(url);
    return { action: 'deny' }; // point 14
  });
}

// The one window: made by its options, titled by us alone, shown when it has something to show.
import type { BrowserWindow } from 'electron';
import { appOrigin } from './app-origin.ts';
import type { Screen } from './open-request.ts';
import type { WindowPlacement } from './window-state.ts';

export type ShellWindow = Pick<
  BrowserWindow,
  'on' | 'once' | 'show' | 'focus' | 'restore' | 'isMinimized' | 'maximize' | 'loadURL'
>;

/** Loads the renderer into a fresh window. */
export function showRenderer(window: ShellWindow, placement: Pick<WindowPlacement, 'isMaximised'>): void {
  // A page title could carry a patient's name into the task bar and window lists (security.md X14).
  window.on('page-title-updated', (event) => event.preventDefault());
  window.once('ready-to-show', () => {
    if (placement.isMaximised) window.maximize();
    window.show();
  });
  void window.loadURL(`${appOrigin}/`);
}

/** In front of the person, from wherever it was. */
export function bringForward(window: ShellWindow): void {
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}

/** Goes to a screen by the renderer's own hash address; the page stays loaded. */
export function showScreen(window: ShellWindow, screen: Screen): void {
  bringForward(window);
  void window.loadURL(`${appOrigin}/#/${screen === 'home' ? '' : screen}`);
}

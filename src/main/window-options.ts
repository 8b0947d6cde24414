// How every window is made: sandboxed, isolated, without Node (Electron security points 2, 3, 4, 6, 8, 9, 10, 11).
import path from 'node:path';
import type { BrowserWindowConstructorOptions, WebPreferences } from 'electron';
import { minimumSize, type WindowPlacement } from './window-state.ts';

/**
 * Web preferences of every window. Each is Electron's default today and is set all the same, so that a default cannot change it.
 */
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
  // The page's own zoom and scroll are the person's; a plug-in is nobody's.
  plugins: false,
} as const satisfies WebPreferences; // point 10: no enableBlinkFeatures among them

export interface WindowSettings {
  /** The built preload, CommonJS: a sandboxed one cannot be a module. */
  readonly preload: string;
  /** For development only. */
  readonly devTools: boolean;
  readonly placement: WindowPlacement;
}

export function createWindowOptions({
  preload,
  devTools,
  placement,
}: WindowSettings): BrowserWindowConstructorOptions {
  return {
    ...placement.bounds,
    minWidth: minimumSize.width,
    minHeight: minimumSize.height,
    show: false,
    // Never more than the name: a title stands in the task bar and in window lists (security.md X14).
    title: 'Consilium',
    webPreferences: { ...webPreferences, devTools, preload: path.resolve(preload) },
  };
}

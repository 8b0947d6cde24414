// Where the window was when the app was last closed: a small file beside Chromium's own data. Nothing of the site stands in it, and
// whatever stands in it puts the window where a person can reach it.
import type { BrowserWindow, Rectangle } from 'electron';
import { z } from 'zod';
import { fromUtf8, utf8 } from '#base/bytes.ts';
import { loadPrivateFile, savePrivateFile } from '#base/private-file.ts';

const pixels = z.int().min(-100_000).max(100_000);
const stateSchema = z.strictObject({
  x: pixels,
  y: pixels,
  width: pixels.positive(),
  height: pixels.positive(),
  isMaximised: z.boolean(),
});

/** In device-independent pixels. */
export type WindowState = z.infer<typeof stateSchema>;

export interface WindowPlacement {
  /** Without x and y the system chooses. */
  readonly bounds: {
    readonly x?: number;
    readonly y?: number;
    readonly width: number;
    readonly height: number;
  };
  readonly isMaximised: boolean;
}

export const minimumSize = { width: 900, height: 600 } as const;
const usualSize = { width: 1280, height: 860 } as const;
/** So much of the title bar must lie on one display for a person to catch the window by it. */
const reachable = { width: 200, height: 40 } as const;

/** The saved state, or undefined where there is none that can be used: a window opens all the same. */
export function loadWindowState(file: string): WindowState | undefined {
  try {
    const content = loadPrivateFile(file);
    return content === undefined ? undefined : stateSchema.parse(JSON.parse(fromUtf8(content)));
  } catch {
    return undefined;
  }
}

/** @param workAreas of the displays that are connected now. */
export function placeWindow(
  saved: WindowState | undefined,
  workAreas: readonly Rectangle[],
): WindowPlacement {
  if (saved === undefined) return { bounds: usualSize, isMaximised: false };
  const { isMaximised } = saved;
  const area = workAreas.find((workArea) => isReachable(saved, workArea));
  // The display it was on is gone: the same size where it fits, at a place of the system's choice.
  const limits = area ?? workAreas[0] ?? { ...usualSize, x: 0, y: 0 };
  const width = Math.min(Math.max(saved.width, minimumSize.width), limits.width);
  const height = Math.min(Math.max(saved.height, minimumSize.height), limits.height);
  if (area === undefined) return { bounds: { width, height }, isMaximised };
  return { bounds: { x: saved.x, y: saved.y, width, height }, isMaximised };
}

/** Saves the state each time that the window closes. A place where it cannot be saved costs nothing but the place. */
export function rememberWindow(
  window: Pick<BrowserWindow, 'on' | 'getNormalBounds' | 'isMaximized'>,
  file: string,
): void {
  window.on('close', () => {
    const { x, y, width, height } = window.getNormalBounds();
    const state: WindowState = { x, y, width, height, isMaximised: window.isMaximized() };
    try {
      savePrivateFile(file, utf8(`${JSON.stringify(state)}\n`));
    } catch {
      // A full or read-only disk is said where records are at stake, not here.
    }
  });
}

function isReachable(window: WindowState, area: Rectangle): boolean {
  const shownWidth = Math.min(window.x + window.width, area.x + area.width) - Math.max(window.x, area.x);
  const isTitleShown = window.y >= area.y && window.y + reachable.height <= area.y + area.height;
  return isTitleShown && shownWidth >= reachable.width;
}

import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { BrowserWindow } from 'electron';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadWindowState, placeWindow, rememberWindow, type WindowState } from './window-state.ts';

const laptop = { x: 0, y: 0, width: 1920, height: 1040 };
const left = { x: -2560, y: 100, width: 2560, height: 1400 };
const state = (more: Partial<WindowState> = {}): WindowState => ({
  x: 100,
  y: 50,
  width: 1200,
  height: 800,
  isMaximised: false,
  ...more,
});

describe('the place of a window', () => {
  it.each<[string, WindowState, (typeof laptop)[], object]>([
    ['where it was', state(), [laptop], { x: 100, y: 50, width: 1200, height: 800 }],
    [
      'on a display with negative coordinates',
      state({ x: -2000, y: 200 }),
      [laptop, left],
      { x: -2000, y: 200, width: 1200, height: 800 },
    ],
    [
      'without a place when its display is gone',
      state({ x: -2000, y: 200 }),
      [laptop],
      { width: 1200, height: 800 },
    ],
    [
      'without a place when only a corner would show',
      state({ x: 1900 }),
      [laptop],
      { width: 1200, height: 800 },
    ],
    [
      'without a place when its title bar is above the screen',
      state({ y: -10 }),
      [laptop],
      { width: 1200, height: 800 },
    ],
    [
      'without a place when its title bar is below the screen',
      state({ y: 1020 }),
      [laptop],
      { width: 1200, height: 800 },
    ],
    [
      'no smaller than it works',
      state({ width: 300, height: 10 }),
      [laptop],
      { x: 100, y: 50, width: 900, height: 600 },
    ],
    [
      'no larger than its display',
      state({ width: 9000, height: 9000 }),
      [laptop],
      { x: 100, y: 50, width: 1920, height: 1040 },
    ],
    ['at all without a display', state(), [], { width: 1200, height: 800 }],
  ])('is %s', (_case, saved, displays, bounds) => {
    expect(placeWindow(saved, displays).bounds).toEqual(bounds);
  });

  it('is the usual one where nothing was saved, and maximised where it was', () => {
    expect(placeWindow(undefined, [laptop])).toEqual({
      bounds: { width: 1280, height: 860 },
      isMaximised: false,
    });
    expect(placeWindow(state({ isMaximised: true }), [laptop]).isMaximised).toBe(true);
  });
});

describe('the saved state of a window', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'consilium-window-'));
    file = path.join(folder, 'window-state.json');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const closing = (bounds: object) => {
    const window = Object.assign(new EventEmitter(), {
      getNormalBounds: () => bounds,
      isMaximized: () => true,
    });
    rememberWindow(window as unknown as BrowserWindow, file);
    return window;
  };

  it('is what it was when the window closed, for its owner alone', () => {
    closing({ x: 1, y: 2, width: 1000, height: 700 }).emit('close');
    expect(loadWindowState(file)).toEqual({ x: 1, y: 2, width: 1000, height: 700, isMaximised: true });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('does not stop a window from closing where it cannot be saved', () => {
    const window = closing({ x: 1, y: 2, width: 1000, height: 700 });
    rmSync(folder, { recursive: true });
    expect(() => window.emit('close')).not.toThrow();
  });

  it.each([
    '',
    '{',
    '[]',
    '{"x":0}',
    JSON.stringify(state({ width: -5 })),
    JSON.stringify({ ...state(), x: '0' }),
    JSON.stringify({ ...state(), x: 1e9 }),
    JSON.stringify({ ...state(), script: 'x' }),
  ])('is nothing when the file holds %j', (text) => {
    writeFileSync(file, text, { mode: 0o600 });
    expect(loadWindowState(file)).toBeUndefined();
  });
});

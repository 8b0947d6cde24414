// The mark in the system's tray: whether an update waits for a steward, and how many. A number, no name.
import type { MenuItemConstructorOptions, Tray } from 'electron';
import { type ShellTexts, withCount } from './shell-texts.ts';

/** Pixels of the tray's image, as Electron takes them: rows from the top, blue, green, red, alpha. */
export interface TrayBitmap {
  readonly size: number;
  readonly pixels: Uint8Array;
}

const ring = [0xda, 0xd0, 0x6f];
const alert = [0x1a, 0x6c, 0xf5];

/** A ring as in the product's mark; filled in a warning colour while something waits, so that shape and colour both tell. */
export function drawTrayBitmap(size: number, isWaiting: boolean): TrayBitmap {
  const pixels = new Uint8Array(size * size * 4);
  const centre = (size - 1) / 2;
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      const distance = Math.hypot(x - centre, y - centre) / (size / 2);
      const isDrawn = distance <= 0.95 && (isWaiting || distance >= 0.55);
      if (isDrawn) pixels.set([...(isWaiting ? alert : ring), 0xff], (y * size + x) * 4);
    }
  }
  return { size, pixels };
}

export interface WaitingTray {
  /** @param count updates that wait for a decision. */
  show(count: number): void;
}

export interface WaitingTraySettings<Image, Menu> {
  readonly tray: {
    setImage(image: Image): void;
    setToolTip: Tray['setToolTip'];
    setContextMenu(menu: Menu): void;
    on(event: 'click', listener: () => void): unknown;
  };
  readonly texts: ShellTexts;
  readonly toImage: (bitmap: TrayBitmap) => Image;
  readonly toMenu: (template: MenuItemConstructorOptions[]) => Menu;
  readonly onShow: () => void;
  readonly onQuit: () => void;
}

/** Opens with nothing waiting. */
export function createWaitingTray<Image, Menu>(settings: WaitingTraySettings<Image, Menu>): WaitingTray {
  const { tray, texts, toImage, toMenu, onShow, onQuit } = settings;
  const menu = [
    { label: texts.show, click: onShow },
    { label: texts.quit, click: onQuit },
  ];
  tray.setContextMenu(toMenu(menu));
  tray.on('click', onShow);
  const show = (count: number) => {
    tray.setImage(toImage(drawTrayBitmap(16, count > 0)));
    tray.setToolTip(count > 0 ? withCount(texts['tray.waiting'], count) : texts['tray.idle']);
  };
  show(0);
  return { show };
}

// The only caller of shell.openExternal (Electron security point 15): a fixed list of https pages, compared as parsed URLs.
import type { Shell } from 'electron';

export const helpPage = 'https://consilium.example/help';

const allowedPages: ReadonlySet<string> = new Set([helpPage, 'https://consilium.example/security']);

/** Whether `address` is one of the pages that may be opened in the person's browser. */
export function isAllowedPage(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  return (
    url.protocol === 'https:' &&
    url.username === '' &&
    url.password === '' &&
    allowedPages.has(`${url.origin}${url.pathname}`)
  );
}

/** Opens a listed page; anything else is dropped (stops a planted link from starting a program). */
export function openPage(shell: Pick<Shell, 'openExternal'>, address: string): void {
  if (!isAllowedPage(address)) return; // point 15
  // Without what a page may have added: a query would carry what it knows out of the hospital.
  const { origin, pathname } = new URL(address);
  void shell.openExternal(`${origin}${pathname}`);
}

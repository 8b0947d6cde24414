// The only caller of shell.openExternal (Electron security point 15): a fixed list of https pages, compared as parsed URLs.
import { shell } from 'electron';

const allowedPages: ReadonlySet<string> = new Set([
  'https://consilium.example/help',
  'https://consilium.example/security',
]);

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
export function openPage(address: string): void {
  if (isAllowedPage(address)) void shell.openExternal(new URL(address).href);
}

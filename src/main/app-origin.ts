// Where our own pages live, and whether an address or a frame is one of them. Parsed, never matched as text.
import type { WebFrameMain } from 'electron';

export const appOrigin = 'app://consilium';

/** Whether `address` is a page of ours (`app://consilium.attacker` is another origin). */
export function isOwnPage(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  return `${url.protocol}//${url.host}` === appOrigin && url.username === '' && url.password === '';
}

/** What is looked at in a frame before it is handed anything. */
export type FrameIdentity = Pick<WebFrameMain, 'url' | 'parent' | 'detached'>;

/**
 * Whether a frame may be handed the site's port (Electron security point 17): the top frame of a window, on a page of ours, still
 * there. A frame within a page, or one that has gone elsewhere since, gets nothing.
 */
export function isOwnFrame(frame: FrameIdentity | null): boolean {
  return frame !== null && !frame.detached && frame.parent === null && isOwnPage(frame.url); // point 17
}

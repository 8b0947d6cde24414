// What a page may use of the machine: what stands in this table, and it is empty (Electron security point 5). The renderer imports by
// file inputs and saves by downloads, which need no permission; notifications and power are the shell's own.
import type { Session } from 'electron';
import { isOwnPage } from './app-origin.ts';

/** Permissions by Chromium's names that our own pages are given. To add one is a decision: docs/threat-model.md says which and why. */
export const grantedPermissions: ReadonlySet<string> = new Set<string>();

export function isPermitted(permission: string, requestingUrl: string): boolean {
  return grantedPermissions.has(permission) && isOwnPage(requestingUrl);
}

export type PermissionSession = Pick<
  Session,
  | 'setPermissionRequestHandler'
  | 'setPermissionCheckHandler'
  | 'setDevicePermissionHandler'
  | 'setDisplayMediaRequestHandler'
  | 'setBluetoothPairingHandler'
>;

/** Both ways in which Chromium asks, for permissions; devices, screens and pairings are refused whatever the table says. */
export function applyPermissionPolicy(session: PermissionSession): void {
  session.setPermissionRequestHandler((_contents, permission, answer, { requestingUrl }) =>
    answer(isPermitted(permission, requestingUrl)),
  ); // point 5
  session.setPermissionCheckHandler((_contents, permission, origin) => isPermitted(permission, origin)); // point 5
  session.setDevicePermissionHandler(() => false); // point 5
  session.setDisplayMediaRequestHandler((_request, answer) => answer(null)); // point 5
  session.setBluetoothPairingHandler((_details, answer) => answer({ confirmed: false })); // point 5
}

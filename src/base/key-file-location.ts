// Where the key file of a profile lies: outside of it, so that a copied profile does not open elsewhere (security.md E23).
import { realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, parse, relative, resolve, sep } from 'node:path';

/**
 * The key file of a profile where none is chosen: the profile's absolute path repeated under
 * `${XDG_CONFIG_HOME:-~/.config}/consilium/keys/`, so that two profiles never share one. `name` is the file's own.
 */
export function defaultKeyFile(
  profile: string,
  name: string,
  environment: NodeJS.ProcessEnv = process.env,
): string {
  const configured = environment.XDG_CONFIG_HOME;
  // The XDG specification has a relative value ignored.
  const base = configured !== undefined && isAbsolute(configured) ? configured : join(homedir(), '.config');
  const absolute = resolve(profile);
  const { root } = parse(absolute);
  const drive = root.replace(/[^A-Za-z0-9]/g, '');
  return join(base, 'consilium', 'keys', drive, absolute.slice(root.length), name);
}

/** Whether a copy of the folder `profile` would carry `file` along, also through symbolic links and `..`. */
export function isInsideProfile(file: string, profile: string): boolean {
  const path = relative(realLocation(profile), realLocation(file));
  return !(path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path));
}

/** `path` with the links of its longest existing part resolved. */
function realLocation(path: string): string {
  const absolute = resolve(path);
  try {
    return realpathSync(absolute);
  } catch {
    const parent = dirname(absolute);
    return parent === absolute ? absolute : join(realLocation(parent), basename(absolute));
  }
}

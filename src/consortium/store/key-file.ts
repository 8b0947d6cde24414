// The consortium's keys in one 0600 file outside the profile: a copied profile does not open elsewhere (security.md E23).
import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, parse, relative, resolve, sep } from 'node:path';
import { type ConsortiumKeys, encodeConsortiumKeys, parseConsortiumKeys } from './consortium-keys.ts';
import { loadPrivateFile, savePrivateFile } from './private-file.ts';
import { ProfileError } from './profile-error.ts';

/**
 * The key file of a profile where none is named: the profile's absolute path repeated under
 * `${XDG_CONFIG_HOME:-~/.config}/consilium/keys/`, so that two profiles never share one.
 */
export function defaultKeyFile(profile: string, environment: NodeJS.ProcessEnv = process.env): string {
  const configured = environment['XDG_CONFIG_HOME'];
  // The XDG specification has a relative value ignored.
  const base = configured !== undefined && isAbsolute(configured) ? configured : join(homedir(), '.config');
  const absolute = resolve(profile);
  const { root } = parse(absolute);
  const drive = root.replace(/[^A-Za-z0-9]/g, '');
  return join(base, 'consilium', 'keys', drive, absolute.slice(root.length), 'consortium-keys.json');
}

/** @throws ProfileError CONSORTIUM_KEYS_MISSING, CONSORTIUM_KEYS_BROKEN, CONSORTIUM_KEYS_INSIDE_PROFILE, PRIVATE_FILE_MODE. */
export function loadConsortiumKeys(file: string, profile: string): ConsortiumKeys {
  refuseInsideProfile(file, profile);
  const text = loadPrivateFile(file);
  if (text === undefined) throw new ProfileError('CONSORTIUM_KEYS_MISSING', 'The key file of this consortium is not there.');
  try {
    return parseConsortiumKeys(text);
  } catch {
    // The cause is left out: a JSON error quotes the text it stumbled on, and this text is keys.
    throw new ProfileError('CONSORTIUM_KEYS_BROKEN', 'The key file cannot be read as the keys of a consortium.');
  }
}

/** Writes the keys of a new consortium. @throws ProfileError CONSORTIUM_KEYS_EXIST: keys are never overwritten. */
export function saveConsortiumKeys(file: string, profile: string, keys: ConsortiumKeys): void {
  refuseInsideProfile(file, profile);
  mkdirSync(dirname(resolve(file)), { recursive: true, mode: 0o700 });
  if (existsSync(file)) throw new ProfileError('CONSORTIUM_KEYS_EXIST', 'There is a key file already; it is not overwritten.');
  savePrivateFile(file, encodeConsortiumKeys(keys));
}

/** Stops a copy of the profile from carrying its own keys, also through symbolic links and `..`. */
function refuseInsideProfile(file: string, profile: string): void {
  const path = relative(realLocation(profile), realLocation(file));
  const isOutside = path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path);
  if (isOutside) return;
  throw new ProfileError('CONSORTIUM_KEYS_INSIDE_PROFILE', 'The key file must lie outside the profile folder.');
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

// The keys of a site in one 0600 JSON file outside the profile: a copied profile does not open elsewhere (security.md E23).
// Written as temporary file, fsync, rename, fsync of the folder (X5).
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, parse, relative, resolve, sep } from 'node:path';
import { fromUtf8, utf8 } from '#base/bytes.ts';
import { CodedError } from '#base/coded-error.ts';
import type { KeyStore, SiteKeys } from '#site/site.ts';
import { decodeSiteKeys, encodeSiteKeys } from './key-file-format.ts';

export type KeyStoreCode =
  | 'KEY_FILE_MODE'
  | 'KEY_FILE_INSIDE_PROFILE'
  | 'KEY_FILE_BROKEN'
  | 'KEY_FILE_UNAVAILABLE';

/** A refusal of the key file. Carries no path. */
export class KeyStoreError extends CodedError<KeyStoreCode> {}

const MAX_KEY_FILE_BYTES = 4 * 1024 * 1024;
const hasPosixModes = process.platform !== 'win32';

/**
 * The key file of a profile where none is named: the profile's absolute path repeated under
 * `${XDG_CONFIG_HOME:-~/.config}/consilium/keys/`, so that two profiles never share one.
 */
export function defaultKeyFile(profile: string, environment: NodeJS.ProcessEnv = process.env): string {
  const configured = environment.XDG_CONFIG_HOME;
  // The XDG specification has a relative value ignored.
  const base = configured !== undefined && isAbsolute(configured) ? configured : join(homedir(), '.config');
  const absolute = resolve(profile);
  const { root } = parse(absolute);
  return join(
    base,
    'consilium',
    'keys',
    root.replace(/[^A-Za-z0-9]/g, ''),
    absolute.slice(root.length),
    'keys.json',
  );
}

/**
 * Opens the key store in `file`; neither the file nor its folder has to exist.
 * @throws KeyStoreError KEY_FILE_INSIDE_PROFILE when the file would be copied along with `profile`.
 */
export function createFileKeyStore({
  file,
  profile,
}: {
  readonly file: string;
  readonly profile: string;
}): KeyStore {
  refuseInsideProfile(file, profile);
  return {
    load: () => {
      refuseInsideProfile(file, profile);
      const bytes = readKeyFile(file);
      return bytes === undefined ? undefined : parseKeyFile(bytes);
    },
    save: (keys: SiteKeys) => {
      refuseInsideProfile(file, profile);
      writeKeyFile(file, utf8(encodeSiteKeys(keys)));
    },
  };
}

function parseKeyFile(bytes: Uint8Array): SiteKeys {
  try {
    return decodeSiteKeys(fromUtf8(bytes));
  } catch {
    // The cause is left out: a JSON error quotes the text it stumbled on, and this text is keys.
    throw new KeyStoreError('KEY_FILE_BROKEN', 'The key file cannot be read as the keys of a site.');
  }
}

function readKeyFile(file: string): Uint8Array | undefined {
  let descriptor: number;
  try {
    // O_NONBLOCK: opening a pipe put in the file's place does not hang.
    descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined;
    throw unavailable(error);
  }
  try {
    // The mode is read from what was opened, not from the name: no swap between check and use.
    const stat = fstatSync(descriptor);
    if (!stat.isFile() || stat.size > MAX_KEY_FILE_BYTES) {
      throw new KeyStoreError('KEY_FILE_BROKEN', 'The key file is no plain file of a fitting size.');
    }
    refuseMode(stat.mode, stat.uid);
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Stops another account of the machine from reading the keys, or from having planted its own. */
function refuseMode(mode: number, uid: number): void {
  if (!hasPosixModes) return;
  if ((mode & 0o077) !== 0) {
    throw new KeyStoreError('KEY_FILE_MODE', 'Other accounts may read or change the key file.', {
      details: { expected: '600', found: (mode & 0o777).toString(8).padStart(3, '0') },
    });
  }
  if (uid !== process.getuid?.()) {
    throw new KeyStoreError('KEY_FILE_MODE', 'The key file belongs to another account.', {
      details: { expected: 'own file', found: 'file of another account' },
    });
  }
}

/** Stops another account from putting its own file in the place of ours. A sticky folder (such as /tmp) is safe. */
function refuseFolder(folder: string): void {
  if (!hasPosixModes) return;
  const { mode } = statSync(folder);
  if ((mode & 0o022) !== 0 && (mode & 0o1000) === 0) {
    throw new KeyStoreError('KEY_FILE_MODE', 'Other accounts may write into the folder of the key file.', {
      details: { expected: '700', found: (mode & 0o777).toString(8).padStart(3, '0') },
    });
  }
}

function writeKeyFile(file: string, bytes: Uint8Array): void {
  const folder = dirname(resolve(file));
  const temporary = join(folder, `.${basename(file)}.${process.pid}.tmp`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    refuseFolder(folder);
    rmSync(temporary, { force: true });
    writeDurably(temporary, bytes);
    renameSync(temporary, file);
    syncFolder(folder);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error instanceof KeyStoreError ? error : unavailable(error);
  }
}

function writeDurably(file: string, bytes: Uint8Array): void {
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    for (let written = 0; written < bytes.length; ) {
      written += writeSync(descriptor, bytes, written);
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes the rename itself survive a power cut. Windows has no handle on folders and needs none. */
function syncFolder(folder: string): void {
  if (!hasPosixModes) return;
  const descriptor = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Stops a copy of the profile from carrying its own keys, also through symbolic links and `..`. */
function refuseInsideProfile(file: string, profile: string): void {
  const path = relative(realLocation(profile), realLocation(file));
  const isOutside = path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path);
  if (!isOutside) {
    throw new KeyStoreError('KEY_FILE_INSIDE_PROFILE', 'The key file must lie outside the profile folder.');
  }
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

function unavailable(error: unknown): KeyStoreError {
  return new KeyStoreError('KEY_FILE_UNAVAILABLE', 'The key file cannot be opened or written.', {
    details: { found: errno(error) },
  });
}

function errno(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}

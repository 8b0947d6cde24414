// What another program may ask of the app: to show one of our screens, or to look at one file of ours. Read from command lines, deep
// links and opened files; all three can be written by a stranger (a web page can open consilium://), so nothing else gets through.
import path from 'node:path';

/** The renderer's screens by their hash address. */
export const screens = ['home', 'import', 'consent', 'round', 'audit-log'] as const;
export type Screen = (typeof screens)[number];

/** Extension of a file that the app is registered for -> what it is. electron-builder.yml has the same. */
export const openableFiles = { 'consilium-bundle': 'bundle', 'consilium-update': 'update' } as const;
export const deepLinkScheme = 'consilium';

export type OpenRequest =
  | { readonly kind: 'screen'; readonly screen: Screen }
  /** Absolute path; nobody has looked at the file yet. */
  | { readonly kind: 'bundle' | 'update'; readonly file: string };

const maxPathLength = 4096;

/** `consilium://open/SCREEN`, letter for letter: no query, fragment, port or user, so that a link can carry no data. */
export function parseDeepLink(address: string): OpenRequest | undefined {
  const screen = screens.find((known) => address === `${deepLinkScheme}://open/${known}`);
  return screen === undefined ? undefined : { kind: 'screen', screen };
}

/** A file by its extension. Refused: a share of another machine (Windows would send it the person's credentials), a NUL. */
export function parseOpenedFile(file: string): OpenRequest | undefined {
  if (file.length > maxPathLength || file.includes('\0') || /^[\\/]{2}/.test(file) || !path.isAbsolute(file))
    return undefined;
  const extension = path.extname(file).slice(1);
  return isOpenable(extension) ? { kind: openableFiles[extension], file: path.normalize(file) } : undefined;
}

/**
 * The request in the arguments of a start, the last one that is one. Switches are passed over: they are Chromium's, and a link must
 * not smuggle one in.
 * @param argv as Electron gives it: the program first.
 */
export function parseOpenArguments(
  argv: readonly string[],
  workingDirectory: string,
): OpenRequest | undefined {
  const requests = argv.slice(1).flatMap((argument) => {
    if (argument.startsWith('-')) return [];
    const isLink = argument.startsWith(`${deepLinkScheme}:`);
    const found = isLink ? parseDeepLink(argument) : parseOpenedFile(absolute(argument, workingDirectory));
    return found === undefined ? [] : [found];
  });
  return requests.at(-1);
}

/** A share's name stays as it is, for parseOpenedFile to refuse. */
function absolute(argument: string, workingDirectory: string): string {
  return /^[\\/]{2}/.test(argument) || argument.includes('\0')
    ? argument
    : path.resolve(workingDirectory, argument);
}

function isOpenable(extension: string): extension is keyof typeof openableFiles {
  return Object.hasOwn(openableFiles, extension);
}

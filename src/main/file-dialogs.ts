// The system's own dialogs: which bundle to open, and what is wrong. A dialog's words come from the closed table of texts.
import type { BrowserWindow, Dialog, MessageBoxOptions } from 'electron';
import { type OpenRequest, openableFiles, parseOpenedFile } from './open-request.ts';
import type { ShellTexts } from './shell-texts.ts';

/** What the person chose, or undefined; the name is judged like one from a stranger. */
export async function chooseBundle(
  dialog: Pick<Dialog, 'showOpenDialog'>,
  window: BrowserWindow,
  texts: ShellTexts,
): Promise<OpenRequest | undefined> {
  const { canceled, filePaths } = await dialog.showOpenDialog(window, {
    title: texts.openBundle,
    // Links are followed by the system, so what is opened is what was shown; nothing is put into the list of recent files.
    properties: ['openFile', 'dontAddToRecent'],
    filters: [{ name: texts.bundles, extensions: Object.keys(openableFiles) }],
  });
  const [file] = filePaths;
  return canceled || file === undefined ? undefined : parseOpenedFile(file);
}

/** A message with a title, an explanation, and buttons; the first is the safe one and what Escape means. */
export function messageOf(
  texts: ShellTexts,
  words: { readonly message: string; readonly detail?: string; readonly buttons?: readonly string[] },
): MessageBoxOptions {
  const buttons = [...(words.buttons ?? [texts.ok])];
  return {
    type: 'info',
    title: 'Consilium',
    message: words.message,
    ...(words.detail === undefined ? {} : { detail: words.detail }),
    buttons,
    defaultId: 0,
    cancelId: 0,
    noLink: true,
  };
}

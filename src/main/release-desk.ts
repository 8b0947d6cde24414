// "Look for a new release": asks the places of the managed policy, and shows a person what was found. Installs nothing.
import path from 'node:path';
import { isCodedError } from '#base/coded-error.ts';
import type { ReleasePolicy } from '#host/managed-policy.ts';
import type { DeskSettings } from './desk.ts';
import { messageOf } from './file-dialogs.ts';
import { type FoundRelease, findRelease, stageInstaller } from './release-check.ts';
import { openReleaseFeed, openReleaseFolder } from './release-source.ts';
import { type ShellTexts, withVersion } from './shell-texts.ts';

export async function askForRelease(settings: DeskSettings, texts: ShellTexts): Promise<void> {
  const { electron, window, releases, logger } = settings;
  const tell = (words: Parameters<typeof messageOf>[1]) =>
    electron.dialog.showMessageBox(window, messageOf(texts, words));
  if (releases === undefined) {
    await tell({ message: texts['release.unset'], detail: texts['release.unset.detail'] });
    return;
  }
  try {
    const found = await lookFor(settings, releases);
    if (found === undefined) {
      await tell({ message: texts['release.none'] });
      return;
    }
    const file = await stage(settings, releases, found);
    const { response } = await tell({
      message: withVersion(texts['release.found'], found.release.version),
      detail: texts['release.found.detail'],
      buttons: [texts.cancel, texts['release.show']],
    });
    if (response === 1) electron.shell.showItemInFolder(file);
  } catch (error) {
    const code = isCodedError(error) ? error.code : 'BUG';
    logger.warn('a release was not taken', { code });
    await tell({
      message: texts['release.refused'],
      detail: `${texts['release.refused.detail']}\n\n${code}`,
    });
  }
}

function lookFor(
  { electron, clock }: DeskSettings,
  releases: ReleasePolicy,
): Promise<FoundRelease | undefined> {
  const { folder, feed, keys, threshold } = releases;
  const sources = [
    ...(folder === undefined ? [] : [openReleaseFolder(folder)]),
    ...(feed === undefined
      ? []
      : [openReleaseFeed((address, options) => electron.net.fetch(address, options), feed)]),
  ];
  return findRelease(sources, {
    trust: { keys, threshold },
    nowMs: clock.nowMs(),
    runningVersion: electron.app.getVersion(),
  });
}

function stage(
  { electron, platform, arch }: DeskSettings,
  { format }: ReleasePolicy,
  found: FoundRelease,
): Promise<string> {
  const folder = path.join(electron.app.getPath('userData'), 'releases');
  return stageInstaller(found, { platform, arch, format, folder });
}

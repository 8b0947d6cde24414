// Nothing but fixed sentences and numbers leaves the shell for the desktop (security.md X14), in both languages.
import { describe, expect, it } from 'vitest';
import { createMenuTemplate } from './app-menu.ts';
import { createNoticeDesk, type Notice, notices } from './notices.ts';
import { shellLanguage, shellTexts, withCount, withVersion } from './shell-texts.ts';
import { drawTrayBitmap } from './waiting-tray.ts';

const planted = 'Ada Lovelace 1815-12-10';

describe('the texts of the shell', () => {
  it('are there in both languages, with the same places for numbers', () => {
    expect(Object.keys(shellTexts.de)).toEqual(Object.keys(shellTexts.en));
    for (const [key, english] of Object.entries(shellTexts.en)) {
      const german = shellTexts.de[key as keyof typeof shellTexts.en];
      expect(german.trim(), key).not.toBe('');
      expect(german.match(/\{\w+\}/g), key).toEqual(english.match(/\{\w+\}/g));
    }
  });

  it.each([
    [['de-AT', 'en-GB'], 'de'],
    [['DE'], 'de'],
    [['en-GB', 'de'], 'en'],
    [['fr'], 'en'],
    [[], 'en'],
  ] as const)('follow the system: %j -> %s', (preferred, language) => {
    expect(shellLanguage(preferred)).toBe(language);
  });

  it('take a number or a version and no text', () => {
    expect(withCount('{count} wait', 3.9)).toBe('3 wait');
    expect(withCount('{count} wait', planted as unknown as number)).toBe('NaN wait');
    expect(withVersion('Release {version}', '0.2.0')).toBe('Release 0.2.0');
    expect(withVersion('{version}', planted)).toBe('18151210');
  });
});

describe('a notice', () => {
  const shown: { title?: string; body?: string }[] = [];
  const desk = createNoticeDesk({
    texts: shellTexts.de,
    create: (options) => ({ on: () => {}, show: () => shown.push(options) }),
    onClick: () => {},
  });

  it.each(notices)('%s is a sentence of the table', (notice) => {
    desk.show(notice);
    expect(shown.at(-1)).toEqual({
      title: 'Consilium',
      body: shellTexts.de[`notice.${notice}`],
      silent: true,
    });
  });

  it.each([planted, 'toString', '__proto__', '', `update-waits ${planted}`])('is not made of %j', (text) => {
    const before = shown.length;
    expect(() => desk.show(text as Notice)).toThrow(expect.objectContaining({ code: 'BUG' }));
    expect(shown).toHaveLength(before);
  });
});

describe('the menu', () => {
  const actions = { openBundle: () => {}, showScreen: () => {}, openHelp: () => {}, checkRelease: () => {} };
  const entries = (platform: NodeJS.Platform, devTools: boolean) =>
    createMenuTemplate({ texts: shellTexts.de, platform, devTools, actions }).flatMap((menu) =>
      Array.isArray(menu.submenu) ? [menu, ...menu.submenu] : [menu],
    );

  it('has no developer tools and no reload in a release', () => {
    const roles = (devTools: boolean) => entries('linux', devTools).map(({ role }) => role);
    expect(roles(false)).not.toEqual(expect.arrayContaining(['toggleDevTools']));
    expect(roles(false)).not.toEqual(expect.arrayContaining(['reload']));
    expect(roles(true)).toEqual(expect.arrayContaining(['reload', 'toggleDevTools']));
  });

  it("is the platform's: the app's own menu on macOS, quit under File elsewhere", () => {
    expect(
      createMenuTemplate({ texts: shellTexts.en, platform: 'darwin', devTools: false, actions })[0]?.label,
    ).toBe('Consilium');
    for (const platform of ['darwin', 'linux', 'win32'] as const)
      expect(entries(platform, false).filter(({ role }) => role === 'quit')).toHaveLength(1);
  });

  it('says its own entries in the language of the system', () => {
    const labels = entries('linux', false).map(({ label }) => label);
    expect(labels).toEqual(
      expect.arrayContaining(['Datei', 'Prüfprotokoll', 'Beenden', 'Nach neuer Version sehen …']),
    );
  });
});

it('the tray tells by shape and colour whether something waits', () => {
  const at = (isWaiting: boolean, x: number, y: number) => {
    const { size, pixels } = drawTrayBitmap(16, isWaiting);
    return [...pixels.subarray((y * size + x) * 4, (y * size + x) * 4 + 4)];
  };
  expect(at(false, 8, 8)[3]).toBe(0); // a ring is empty in its middle
  expect(at(true, 8, 8)[3]).toBe(255);
  expect(at(false, 8, 2)).not.toEqual(at(true, 8, 2));
  expect(at(true, 0, 0)[3]).toBe(0);
});

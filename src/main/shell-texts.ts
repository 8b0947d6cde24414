// Every word that the shell itself shows, in English and German: menus, dialogs, notices, tray. The screens have their own resource
// files. Texts are closed: the only thing that goes into one is a number or a version (security.md X14).

const english = {
  file: 'File',
  openBundle: 'Open offline bundle…',
  quit: 'Quit',
  edit: 'Edit',
  view: 'View',
  window: 'Window',
  help: 'Help',
  helpPage: 'Consilium help',
  checkRelease: 'Look for a new release…',
  about: 'About Consilium',
  'screen.home': 'Home',
  'screen.import': 'Import',
  'screen.consent': 'Consent',
  'screen.round': 'Round',
  'screen.audit-log': 'Audit log',
  show: 'Show Consilium',
  ok: 'OK',
  cancel: 'Cancel',
  saveTitle: 'Save document',
  bundles: 'Offline bundles of Consilium',
  'notice.update-waits': 'An update waits for a steward.',
  'notice.training-failed':
    'The training process ended by itself. Nothing left this site; the round can be started again.',
  'notice.site-restarted': 'The site ended by itself and was started again. Sign in again to go on.',
  'tray.idle': 'Consilium: nothing waits',
  'tray.waiting': 'Consilium: {count} waiting for a decision',
  'problem.site': 'The site does not start',
  'problem.site.detail':
    'It ended {count} times within a few minutes. What was stored is safe. The log on standard error and “consilium site status” say more.',
  'problem.window': 'The screens ended by themselves',
  'problem.window.detail':
    'They were loaded again {count} times and ended each time. The site itself goes on.',
  'problem.keys': 'The keys of this site cannot be opened',
  'problem.SYSTEM_KEY_STORE_UNSAFE':
    'This session has no key store that keeps a secret, so the keys are not put there. Start under GNOME Keyring or KWallet; or let the administrator set keyStore in the managed policy to a passphrase, or to a key file of mode 0600 on another volume.',
  'problem.SYSTEM_KEY_STORE_UNAVAILABLE':
    'The key store of the system is not there or stays locked. Unlock it and start again; or let the administrator set keyStore in the managed policy to a passphrase, or to a key file of mode 0600 on another volume.',
  'problem.SYSTEM_KEY_STORE_OTHER':
    'The keys were kept by another account or machine. A copied profile does not open here.',
  'problem.KEY_FILE_OTHER_KIND': 'The keys are kept another way than the managed policy says.',
  'problem.policy': 'The managed policy cannot be used',
  'problem.other': 'The code of the problem is on standard error and in docs/errors.md.',
  'bundle.unread': 'This release cannot read offline bundles',
  'bundle.unread.detail': 'The file was not opened and nothing was changed.',
  'release.none': 'No newer release was found',
  'release.unset': 'Nobody has named a place for releases',
  'release.unset.detail':
    'The administrator names a folder or an address, and the keys that sign releases, in the managed policy.',
  'release.found': 'Release {version} is there',
  'release.found.detail':
    'Its signature and its digest hold. Nothing is installed by itself: give the shown file to whoever installs programs here.',
  'release.show': 'Show file',
  'release.refused': 'A release was found and refused',
  'release.refused.detail':
    'It is not signed as the managed policy asks, is older than this one, has expired or was changed. This release goes on unchanged.',
} as const;

export type ShellTextKey = keyof typeof english;
export type ShellTexts = Readonly<Record<ShellTextKey, string>>;

const german: ShellTexts = {
  file: 'Datei',
  openBundle: 'Offline-Paket öffnen …',
  quit: 'Beenden',
  edit: 'Bearbeiten',
  view: 'Ansicht',
  window: 'Fenster',
  help: 'Hilfe',
  helpPage: 'Hilfe zu Consilium',
  checkRelease: 'Nach neuer Version sehen …',
  about: 'Über Consilium',
  'screen.home': 'Start',
  'screen.import': 'Import',
  'screen.consent': 'Einwilligung',
  'screen.round': 'Runde',
  'screen.audit-log': 'Prüfprotokoll',
  show: 'Consilium zeigen',
  ok: 'OK',
  cancel: 'Abbrechen',
  saveTitle: 'Dokument sichern',
  bundles: 'Offline-Pakete von Consilium',
  'notice.update-waits': 'Ein Update wartet auf einen Data Steward.',
  'notice.training-failed':
    'Der Trainingsprozess endete von selbst. Nichts hat diesen Standort verlassen; die Runde kann neu gestartet werden.',
  'notice.site-restarted':
    'Der Standort endete von selbst und wurde neu gestartet. Melden Sie sich wieder an, um fortzufahren.',
  'tray.idle': 'Consilium: nichts wartet',
  'tray.waiting': 'Consilium: {count} warten auf eine Entscheidung',
  'problem.site': 'Der Standort startet nicht',
  'problem.site.detail':
    'Er endete {count} Mal in wenigen Minuten. Gespeichertes ist sicher. Das Protokoll auf der Standardfehlerausgabe und „consilium site status“ sagen mehr.',
  'problem.window': 'Die Oberfläche endete von selbst',
  'problem.window.detail':
    'Sie wurde {count} Mal neu geladen und endete jedes Mal. Der Standort selbst läuft weiter.',
  'problem.keys': 'Die Schlüssel dieses Standorts lassen sich nicht öffnen',
  'problem.SYSTEM_KEY_STORE_UNSAFE':
    'Diese Sitzung hat keinen Schlüsselspeicher, der ein Geheimnis hält; die Schlüssel werden deshalb nicht dort abgelegt. Starten Sie unter GNOME Keyring oder KWallet; oder die Administration setzt keyStore in der verwalteten Richtlinie auf eine Passphrase oder auf eine Schlüsseldatei mit Modus 0600 auf einem anderen Datenträger.',
  'problem.SYSTEM_KEY_STORE_UNAVAILABLE':
    'Der Schlüsselspeicher des Systems fehlt oder bleibt gesperrt. Entsperren Sie ihn und starten Sie neu; oder die Administration setzt keyStore in der verwalteten Richtlinie auf eine Passphrase oder auf eine Schlüsseldatei mit Modus 0600 auf einem anderen Datenträger.',
  'problem.SYSTEM_KEY_STORE_OTHER':
    'Die Schlüssel liegen bei einem anderen Konto oder Rechner. Ein kopiertes Profil öffnet sich hier nicht.',
  'problem.KEY_FILE_OTHER_KIND': 'Die Schlüssel liegen anders, als die verwaltete Richtlinie sagt.',
  'problem.policy': 'Die verwaltete Richtlinie ist nicht verwendbar',
  'problem.other': 'Der Code des Problems steht auf der Standardfehlerausgabe und in docs/errors.md.',
  'bundle.unread': 'Diese Version kann keine Offline-Pakete lesen',
  'bundle.unread.detail': 'Die Datei wurde nicht geöffnet, und nichts wurde geändert.',
  'release.none': 'Keine neuere Version gefunden',
  'release.unset': 'Niemand hat einen Ort für neue Versionen genannt',
  'release.unset.detail':
    'Die Administration nennt in der verwalteten Richtlinie einen Ordner oder eine Adresse und die Schlüssel, die Versionen signieren.',
  'release.found': 'Version {version} ist da',
  'release.found.detail':
    'Signatur und Prüfsumme stimmen. Nichts wird von selbst installiert: Geben Sie die gezeigte Datei an die Stelle, die hier Programme installiert.',
  'release.show': 'Datei zeigen',
  'release.refused': 'Eine Version wurde gefunden und abgelehnt',
  'release.refused.detail':
    'Sie ist nicht so signiert, wie die verwaltete Richtlinie es verlangt, ist älter als diese, abgelaufen oder verändert. Diese Version läuft unverändert weiter.',
};

export const shellTexts = { en: english as ShellTexts, de: german } as const;
export type ShellLanguage = keyof typeof shellTexts;

/** German where the system's first language is German, else English: the rule of the screens. */
export function shellLanguage(preferred: readonly string[]): ShellLanguage {
  return preferred[0]?.toLowerCase().startsWith('de') ? 'de' : 'en';
}

/** The text with a count in its place. Numbers only: no text of anybody's gets in. */
export function withCount(text: string, count: number): string {
  return text.replace('{count}', String(Math.trunc(count)));
}

/** The text with a version in its place; anything but digits and points becomes nothing. */
export function withVersion(text: string, version: string): string {
  return text.replace('{version}', version.replace(/[^0-9.]/g, ''));
}

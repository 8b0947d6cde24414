// The renderer's languages. Every visible word comes from en.json or de.json; their key sets are held equal by a test.
import { createInstance, type i18n as I18n } from 'i18next';
import { initReactI18next } from 'react-i18next';
import german from './de.json';
import english from './en.json';

export const languages = ['en', 'de'] as const;
export type Language = (typeof languages)[number];
const storageKey = 'consilium.language';

/** The language chosen before, else the system's where we have it, else English. */
export function preferredLanguage(stored: string | null, system: readonly string[]): Language {
  const known = languages.find((language) => language === stored);
  if (known !== undefined) return known;
  return system[0]?.toLowerCase().startsWith('de') ? 'de' : 'en';
}

/** Starts translation and keeps `<html lang>` and the stored choice up to date. */
export function createTranslation(): I18n {
  const instance = createInstance();
  instance.on('languageChanged', (language) => {
    document.documentElement.lang = language;
    localStorage.setItem(storageKey, language);
  });
  void instance.use(initReactI18next).init({
    lng: preferredLanguage(localStorage.getItem(storageKey), navigator.languages),
    fallbackLng: false,
    supportedLngs: [...languages],
    resources: { en: { translation: english }, de: { translation: german } },
    initAsync: false,
    nsSeparator: false,
    // React escapes what it renders; escaping twice would show entities.
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  return instance;
}

// Language and colours: two small groups of toggle buttons, the chosen one pressed.
import { type MantineColorScheme, useMantineColorScheme } from '@mantine/core';
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import { languages } from '../i18n/i18n.ts';
import styles from './frame.module.css';
import { Icon, type IconName } from './icons.tsx';

const schemes: readonly { name: MantineColorScheme; icon: IconName }[] = [
  { name: 'light', icon: 'sun' },
  { name: 'dark', icon: 'moon' },
  { name: 'auto', icon: 'system' },
];

export function LanguageChoice(): JSX.Element {
  const { t, i18n } = useTranslation();
  return (
    <fieldset className={styles.choice} style={{ margin: 0, padding: 0 }}>
      <legend className="visually-hidden">{t('app.language')}</legend>
      {languages.map((language) => (
        <button
          key={language}
          type="button"
          lang={language}
          aria-pressed={i18n.language === language}
          onClick={() => void i18n.changeLanguage(language)}
        >
          {language.toUpperCase()}
          <span className="visually-hidden"> {t(`language.${language}`)}</span>
        </button>
      ))}
    </fieldset>
  );
}

export function ColorSchemeChoice(): JSX.Element {
  const { t } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <fieldset className={styles.choice} style={{ margin: 0, padding: 0 }}>
      <legend className="visually-hidden">{t('app.colors')}</legend>
      {schemes.map(({ name, icon }) => (
        <button
          key={name}
          type="button"
          aria-pressed={colorScheme === name}
          aria-label={t(`colorScheme.${name}`)}
          title={t(`colorScheme.${name}`)}
          onClick={() => setColorScheme(name)}
        >
          <Icon name={icon} size={15} />
        </button>
      ))}
    </fieldset>
  );
}

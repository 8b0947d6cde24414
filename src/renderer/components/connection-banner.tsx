// Says that the site does not answer, once that has lasted longer than a moment.
import { type JSX, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import styles from './frame.module.css';

const patienceMs = 1500;

export function ConnectionBanner({ isConnected }: { isConnected: boolean }): JSX.Element {
  const { t } = useTranslation();
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (isConnected) return undefined;
    const timer = setTimeout(() => setLate(true), patienceMs);
    return () => clearTimeout(timer);
  }, [isConnected]);
  return (
    <div role="status">
      {isLate && (
        <p className={styles.banner}>
          <strong>{t('connection.lost')}</strong> {t('connection.trying')}
        </p>
      )}
    </div>
  );
}

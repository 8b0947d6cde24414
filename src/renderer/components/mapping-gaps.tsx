// What is still missing before a column mapping can be used, in sentences.
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import type { DraftGap } from '../mapping-draft.ts';
import styles from '../screens/screens.module.css';
import { Notice, PlainText } from './parts.tsx';

const shownGaps = 8;

export function MappingGaps({ gaps }: { gaps: readonly DraftGap[] }): JSX.Element {
  const { t } = useTranslation();
  return (
    <Notice tone="neutral" title={t('mapping.gaps')}>
      <ul className={styles.list}>
        {gaps.slice(0, shownGaps).map(({ kind, column }) => (
          <li key={`${kind} ${column}`}>
            {column !== null && (
              <>
                <PlainText limit={60}>{column}</PlainText>
                {': '}
              </>
            )}
            {t(`mapping.gap.${kind}`)}
          </li>
        ))}
        {gaps.length > shownGaps && <li>{t('mapping.moreGaps', { count: gaps.length - shownGaps })}</li>}
      </ul>
    </Notice>
  );
}

// The rows of one file in two short lines: how many are new, and below it whatever else came of them.
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import type { FileOutcome } from '#ipc/schema.ts';
import { useFormat } from '../i18n/format.ts';
import { rowKinds, sumOf } from '../import-totals.ts';
import styles from '../screens/screens.module.css';

export function RowCounts({ rows }: { rows: FileOutcome['rows'] }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  if (sumOf(rows) === 0) return <span className={styles.soft}>–</span>;
  const others = rowKinds
    .filter((kind) => kind !== 'accepted' && rows[kind] > 0)
    .map((kind) => t(`import.rowsCounted.${kind}`, { number: format.number(rows[kind]) }));
  return (
    <div className={styles.twoLines}>
      <span>{t('import.rowsCounted.accepted', { number: format.number(rows.accepted) })}</span>
      {others.length > 0 && <span className={styles.second}>{others.join(' · ')}</span>}
    </div>
  );
}

// Who is in a cohort and why others are not, as counts; small ones are not shown (security.md C12).
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import type { CohortPreview } from '#ipc/schema.ts';
import { useFormat } from '../i18n/format.ts';
import { term } from '../i18n/term.ts';
import styles from '../screens/screens.module.css';
import { Figures, PlainText, SmallTable } from './parts.tsx';

type Selection = CohortPreview['selection'];

/**
 * A count, or a word where the site withholds it. Not '<5': the site withholds larger counts and zeros too, where a small one
 * could be computed from them.
 */
export function useCountText(): (count: number | null) => string {
  const { t } = useTranslation();
  const format = useFormat();
  return (count) => (count === null ? t('cohort.withheld') : format.number(count));
}

export function SelectionTable({ selection }: { selection: Selection }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const countText = useCountText();
  const isSuppressed = [
    selection.trainingCount,
    selection.holdoutCount,
    ...selection.excluded.map((row) => row.count),
  ].includes(null);
  return (
    <div className={styles.stack}>
      <Figures
        figures={[
          { name: t('cohort.considered'), value: format.number(selection.subjectCount) },
          { name: t('cohort.training'), value: countText(selection.trainingCount) },
          { name: t('cohort.holdout'), value: countText(selection.holdoutCount) },
        ]}
      />
      {selection.excluded.length === 0 ? (
        <p className={styles.soft}>{t('cohort.noneExcluded')}</p>
      ) : (
        <SmallTable
          label={t('cohort.excludedTable')}
          rows={selection.excluded}
          maxHeight={280}
          columns={[
            {
              header: t('cohort.reason'),
              render: (row) => <PlainText limit={120}>{term(t, 'cohort.reasonOf', row.reason)}</PlainText>,
            },
            { header: t('cohort.count'), isNumber: true, render: (row) => countText(row.count) },
          ]}
        />
      )}
      {isSuppressed && <p className={`${styles.soft} ${styles.small}`}>{t('cohort.suppressed')}</p>}
    </div>
  );
}

// The outcome of every file that was ever imported here, newest first as the site gives them.
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import type { StoredOutcome } from '#ipc/schema.ts';
import { useFormat } from '../i18n/format.ts';
import { findTerm, term } from '../i18n/term.ts';
import styles from '../screens/screens.module.css';
import { useSite } from '../site-context.ts';
import { OutcomeBadge } from './outcome-badge.tsx';
import { usePagedRows } from './paged-rows.ts';
import { PagedTable } from './paged-table.tsx';
import { Empty, Panel, PlainText } from './parts.tsx';
import { RowCounts } from './row-counts.tsx';
import type { VirtualColumn } from './virtual-table.tsx';

export function StoredOutcomes(): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const { client } = useSite();
  const list = usePagedRows({
    key: ['ingest-outcomes'],
    fetchPage: async (page, signal) => {
      const { total, outcomes } = await client.ingest.outcomes(page, { signal });
      return { total, rows: outcomes };
    },
  });
  const columns = useColumns();
  const note =
    list.total > 0
      ? t('import.earlierCount', { count: list.total, total: format.number(list.total) })
      : undefined;
  return (
    <Panel title={t('import.earlier')} note={note}>
      <PagedTable
        list={list}
        empty={
          <Empty icon="file" title={t('import.noEarlier')}>
            <p>{t('import.noEarlierDetail')}</p>
          </Empty>
        }
        label={t('import.earlier')}
        columns={columns}
        rowHeight={52}
        leastWidth={760}
        maxHeight={400}
      />
    </Panel>
  );
}

function useColumns(): VirtualColumn<StoredOutcome>[] {
  const { t } = useTranslation();
  const format = useFormat();
  const reasonOf = (row: StoredOutcome): string | null =>
    row.code === null ? row.reason : (findTerm(t, 'error.sentence', row.code) ?? row.reason ?? row.code);
  return [
    {
      key: 'name',
      header: t('import.file'),
      track: 'minmax(200px, 2fr)',
      render: (row) => (
        <div className={styles.twoLines}>
          <PlainText limit={120}>{row.name}</PlainText>
          <span className={styles.second}>
            <PlainText limit={40}>
              {row.format === null ? t('import.noFormat') : term(t, 'import.formatOf', row.format)}
            </PlainText>
          </span>
        </div>
      ),
    },
    {
      key: 'result',
      header: t('import.result'),
      track: 'minmax(220px, 2fr)',
      render: (row) => {
        const reason = reasonOf(row);
        return (
          <div className={styles.twoLines}>
            <div>
              <OutcomeBadge outcome={row.outcome} />
            </div>
            {reason !== null && (
              <span className={styles.second}>
                <PlainText limit={160}>{reason}</PlainText>
              </span>
            )}
          </div>
        );
      },
    },
    {
      key: 'rows',
      header: t('import.tally.rows'),
      track: 'minmax(150px, 1.2fr)',
      render: (row) => <RowCounts rows={row.rows} />,
    },
    {
      key: 'finished',
      header: t('import.finished'),
      track: '184px',
      render: (row) => format.dateTime(row.finishedAt),
    },
  ];
}

// What is held in quarantine and why, in plain words; a steward releases or deletes each, with a reason.
import { Button } from '@mantine/core';
import { type JSX, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { QuarantineEntry } from '#ipc/ingest-contract.ts';
import { type Format, useFormat } from '../i18n/format.ts';
import { findTerm, term } from '../i18n/term.ts';
import styles from '../screens/screens.module.css';
import { useSite } from '../site-context.ts';
import { usePagedRows } from './paged-rows.ts';
import { PagedTable } from './paged-table.tsx';
import { Empty, Panel, PlainText } from './parts.tsx';
import { type QuarantineDecision, QuarantineDialog } from './quarantine-dialog.tsx';
import type { VirtualColumn } from './virtual-table.tsx';

/** Whose image it is cannot be decided by looking at it: the site releases none of these. */
const mendedAtSource: ReadonlySet<string> = new Set([
  'DICOM_NO_PATIENT_ID',
  'DICOM_PATIENT_CONFLICT',
  'DICOM_UID_CONFLICT',
]);
const deleteOnly = ['delete'] as const;
const bothDecisions = ['release', 'delete'] as const;

export function QuarantinePanel(): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const { client } = useSite();
  const [decision, setDecision] = useState<QuarantineDecision | null>(null);
  const list = usePagedRows({
    key: ['quarantine', 'list'],
    fetchPage: async (page, signal) => {
      const { total, entries } = await client.quarantine.list(page, { signal });
      return { total, rows: entries };
    },
  });
  const columns = useColumns(format, (entry, kind) => setDecision({ entry, kind }));
  return (
    <Panel title={t('quarantine.title')} note={t('quarantine.note')}>
      <PagedTable
        list={list}
        empty={
          <Empty icon="good" title={t('quarantine.none')}>
            <p>{t('quarantine.noneDetail')}</p>
          </Empty>
        }
        label={t('quarantine.table')}
        columns={columns}
        rowHeight={64}
        leastWidth={880}
        maxHeight={560}
      />
      <QuarantineDialog decision={decision} onClose={() => setDecision(null)} />
    </Panel>
  );
}

function useColumns(
  format: Format,
  onDecide: (entry: QuarantineEntry, kind: QuarantineDecision['kind']) => void,
): VirtualColumn<QuarantineEntry>[] {
  const { t } = useTranslation();
  return [
    {
      key: 'name',
      header: t('import.file'),
      track: 'minmax(180px, 1.6fr)',
      render: (entry) => (
        <div className={styles.twoLines}>
          <PlainText limit={120}>{entry.name}</PlainText>
          <span className={styles.second}>
            <PlainText limit={60}>
              {[
                entry.format === null ? t('import.noFormat') : term(t, 'import.formatOf', entry.format),
                ...(entry.modality === null ? [] : [entry.modality]),
                format.bytes(entry.byteCount),
              ].join(' · ')}
            </PlainText>
          </span>
        </div>
      ),
    },
    {
      key: 'why',
      header: t('quarantine.why'),
      track: 'minmax(260px, 2.6fr)',
      render: (entry) => (
        <div className={styles.wrapped}>
          <PlainText limit={200}>{findTerm(t, 'error.sentence', entry.code) ?? entry.reason}</PlainText>
          {mendedAtSource.has(entry.code) && (
            <div className={styles.second}>{t('quarantine.mendedAtSource')}</div>
          )}
        </div>
      ),
    },
    {
      key: 'since',
      header: t('quarantine.since'),
      track: '130px',
      render: (entry) => <div className={styles.wrapped}>{format.dateTime(entry.quarantinedAt)}</div>,
    },
    {
      key: 'action',
      header: t('consent.action'),
      track: '216px',
      render: (entry) => (
        <div className={styles.pair}>
          {(mendedAtSource.has(entry.code) ? deleteOnly : bothDecisions).map((kind) => (
            <Button
              key={kind}
              size="compact-sm"
              variant={kind === 'release' ? 'default' : 'subtle'}
              color={kind === 'delete' ? 'crimson' : 'petrol'}
              aria-label={t(`quarantine.${kind}Of`, { name: entry.name.slice(0, 60) })}
              onClick={() => onDecide(entry, kind)}
            >
              {t(`quarantine.${kind}`)}
            </Button>
          ))}
        </div>
      ),
    },
  ];
}

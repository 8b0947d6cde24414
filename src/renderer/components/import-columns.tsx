// The columns of an import's file list: what came of each file, its rows by what came of them, and the way to its details.
import { Button } from '@mantine/core';
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import type { FileOutcome } from '#ipc/schema.ts';
import { useFormat } from '../i18n/format.ts';
import { findTerm } from '../i18n/term.ts';
import type { FileProgress } from '../import-reading.ts';
import type { ImportSnapshot } from '../import-run.ts';
import styles from '../screens/screens.module.css';
import { OutcomeBadge } from './outcome-badge.tsx';
import { Badge, PlainText } from './parts.tsx';
import { RowCounts } from './row-counts.tsx';
import type { VirtualColumn } from './virtual-table.tsx';

export function useImportColumns(
  run: ImportSnapshot,
  onOpen: (file: FileOutcome) => void,
): VirtualColumn<FileProgress>[] {
  const { t } = useTranslation();
  const format = useFormat();
  const isOver = run.state === 'done' || run.state === 'stopped' || run.state === 'failed';
  return [
    {
      key: 'name',
      header: t('import.file'),
      track: 'minmax(200px, 2fr)',
      render: (file) => (
        <div className={styles.twoLines}>
          <PlainText limit={120}>{file.name}</PlainText>
          <span className={styles.second}>
            {file.offeredIndex === null ? t('import.inside') : format.bytes(file.size)}
          </span>
        </div>
      ),
    },
    {
      key: 'state',
      header: t('import.result'),
      track: 'minmax(200px, 2fr)',
      render: (file) => (
        <FileState file={file} isCurrent={run.files[run.currentIndex ?? -1] === file} isOver={isOver} />
      ),
    },
    {
      key: 'rows',
      header: t('import.tally.rows'),
      track: 'minmax(150px, 1.2fr)',
      render: ({ outcome }) => (outcome === null ? '–' : <RowCounts rows={outcome.rows} />),
    },
    {
      key: 'details',
      header: t('import.details'),
      track: '112px',
      render: (file) => {
        const { outcome } = file;
        if (outcome === null) return null;
        return (
          <Button
            size="compact-sm"
            variant="subtle"
            aria-label={t('import.detailsOf', { name: file.name.slice(0, 80) })}
            onClick={() => onOpen(outcome)}
          >
            {t('import.details')}
          </Button>
        );
      },
    },
  ];
}

function FileState({
  file,
  isCurrent,
  isOver,
}: {
  file: FileProgress;
  isCurrent: boolean;
  isOver: boolean;
}): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const { outcome } = file;
  if (outcome !== null) {
    const sentence =
      outcome.code === null ? null : (findTerm(t, 'error.sentence', outcome.code) ?? outcome.reason);
    return (
      <div className={styles.twoLines}>
        <div>
          <OutcomeBadge outcome={outcome.outcome} />
        </div>
        {sentence !== null && (
          <span className={styles.second}>
            <PlainText limit={160}>{sentence}</PlainText>
          </span>
        )}
      </div>
    );
  }
  if (!isCurrent) return <Badge>{t(isOver ? 'import.notRead' : 'import.waiting')}</Badge>;
  return (
    <div>
      <Badge tone="accent">{t('import.reading', { rows: format.number(file.rowCount) })}</Badge>
      <div className={styles.bar} aria-hidden="true">
        <div style={{ width: `${file.size === 0 ? 100 : (100 * file.bytesRead) / file.size}%` }} />
      </div>
    </div>
  );
}

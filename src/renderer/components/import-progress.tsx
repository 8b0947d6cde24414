// An import under way or just over: overall progress, one row per file, and its refused rows on demand.
import { Button, Progress } from '@mantine/core';
import { type JSX, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FileOutcome } from '#ipc/schema.ts';
import { useFormat } from '../i18n/format.ts';
import { findTerm, term } from '../i18n/term.ts';
import type { FileProgress, ImportSnapshot } from '../import-run.ts';
import styles from '../screens/screens.module.css';
import { Dialog } from './dialog.tsx';
import { FileOutcomeFacts } from './file-outcome-facts.tsx';
import { OutcomeBadge } from './outcome-badge.tsx';
import { Badge, Notice, Panel, PlainText, ProblemNotice } from './parts.tsx';
import { type VirtualColumn, VirtualTable } from './virtual-table.tsx';

export function ImportProgress(props: {
  run: ImportSnapshot;
  onStop: () => void;
  onClear: () => void;
}): JSX.Element {
  const { t } = useTranslation();
  const { run } = props;
  const [shown, setShown] = useState<FileOutcome | null>(null);
  const columns = useColumns(run, setShown);
  const isRunning = run.state === 'running' || run.state === 'stopping';
  const action = isRunning ? (
    <Button variant="default" disabled={run.state === 'stopping'} onClick={props.onStop}>
      {t('import.stop')}
    </Button>
  ) : (
    <Button onClick={props.onClear}>{t('import.again')}</Button>
  );
  return (
    <Panel title={t(`import.state.${run.state}`)} actions={action}>
      <div className={styles.stack}>
        <Overall run={run} />
        {run.problem !== null && <ProblemNotice problem={run.problem} />}
        {run.state === 'failed' && <p>{t('import.failedDetail')}</p>}
        <VirtualTable
          label={t('import.files')}
          columns={columns}
          total={run.files.length}
          rowAt={(index) => run.files[index]}
          rowHeight={52}
          leastWidth={820}
          maxHeight={420}
        />
      </div>
      <Dialog
        isOpen={shown !== null}
        onClose={() => setShown(null)}
        size="xl"
        title={t('import.fileDetails')}
      >
        {shown !== null && <FileOutcomeFacts file={shown} />}
      </Dialog>
    </Panel>
  );
}

function Overall({ run }: { run: ImportSnapshot }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const finished = run.files.filter((file) => file.outcome !== null).length;
  const fraction =
    run.bytesTotal === 0 ? finished / Math.max(1, run.files.length) : run.bytesRead / run.bytesTotal;
  const counts = { done: format.number(finished), total: format.number(run.files.length) };
  const isOver = run.state === 'done' || run.state === 'stopped';
  return (
    <div>
      {!isOver && (
        <>
          <div className={styles.progressHead}>
            <span role="status">{t('import.filesDone', counts)}</span>
            <span className={styles.soft}>
              {t('import.bytes', {
                read: format.number(run.bytesRead),
                total: format.number(run.bytesTotal),
              })}
            </span>
          </div>
          <Progress.Root size="md">
            <Progress.Section value={fraction * 100} aria-label={t('import.progress')} />
          </Progress.Root>
        </>
      )}
      <div role="status">{run.summary !== null && <Summary run={run} />}</div>
    </div>
  );
}

function Summary({ run }: { run: ImportSnapshot }): JSX.Element | null {
  const { t } = useTranslation();
  const format = useFormat();
  const { summary } = run;
  if (summary === null) return null;
  const rows = Object.entries(summary.rows).map(([kind, count]) =>
    t('import.rowsOf', { kind: term(t, 'import.rowKind', kind).slice(0, 40), count: format.number(count) }),
  );
  const isClean = summary.rejected === 0 && summary.quarantined === 0;
  return (
    <Notice
      tone={isClean ? 'good' : 'warn'}
      title={t(isClean ? 'import.summaryClean' : 'import.summaryMixed')}
    >
      <p>
        {t('import.summary', {
          accepted: format.number(summary.accepted),
          duplicate: format.number(summary.duplicate),
          quarantined: format.number(summary.quarantined),
          rejected: format.number(summary.rejected),
        })}
      </p>
      {rows.length > 0 && <p>{t('import.added', { list: format.list(rows) })}</p>}
    </Notice>
  );
}

function useColumns(run: ImportSnapshot, onOpen: (file: FileOutcome) => void): VirtualColumn<FileProgress>[] {
  const { t } = useTranslation();
  const format = useFormat();
  const rows = (file: FileProgress, kind: keyof FileOutcome['rows']): string =>
    file.outcome === null ? '–' : format.number(file.outcome.rows[kind]);
  return [
    {
      key: 'name',
      header: t('import.file'),
      track: 'minmax(200px, 2fr)',
      render: (file) => (
        <div className={styles.twoLines}>
          <PlainText limit={120}>{file.name}</PlainText>
          <span className={styles.second}>{t('import.size', { bytes: format.number(file.size) })}</span>
        </div>
      ),
    },
    {
      key: 'state',
      header: t('import.result'),
      track: 'minmax(200px, 2fr)',
      render: (file) => <FileState file={file} isCurrent={run.files[run.currentIndex ?? -1] === file} />,
    },
    {
      key: 'accepted',
      header: t('import.rows.accepted'),
      track: '86px',
      isNumber: true,
      render: (file) => rows(file, 'accepted'),
    },
    {
      key: 'duplicate',
      header: t('import.rows.duplicate'),
      track: '86px',
      isNumber: true,
      render: (file) => rows(file, 'duplicate'),
    },
    {
      key: 'rejected',
      header: t('import.rows.rejected'),
      track: '86px',
      isNumber: true,
      render: (file) => rows(file, 'rejected'),
    },
    {
      key: 'details',
      header: t('import.details'),
      track: '92px',
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

function FileState({ file, isCurrent }: { file: FileProgress; isCurrent: boolean }): JSX.Element {
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
  if (!isCurrent) return <Badge>{t('import.waiting')}</Badge>;
  return (
    <div>
      <Badge tone="accent">{t('import.reading', { rows: format.number(file.rowCount) })}</Badge>
      <div className={styles.bar} aria-hidden="true">
        <div style={{ width: `${file.size === 0 ? 100 : (100 * file.bytesRead) / file.size}%` }} />
      </div>
    </div>
  );
}

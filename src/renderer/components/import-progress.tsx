// An import under way or just over: how fast and how long still, what came of what, one row per file, and its refused rows on demand.
import { Button, Progress, SegmentedControl } from '@mantine/core';
import { type JSX, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FileOutcome } from '#ipc/schema.ts';
import { useFormat } from '../i18n/format.ts';
import type { ImportSnapshot } from '../import-run.ts';
import { needsLook } from '../import-totals.ts';
import styles from '../screens/screens.module.css';
import { Dialog } from './dialog.tsx';
import { FileOutcomeFacts } from './file-outcome-facts.tsx';
import { useImportColumns } from './import-columns.tsx';
import { ImportSummary } from './import-summary.tsx';
import { OutcomeTally } from './outcome-tally.tsx';
import { Empty, Figures, Panel, PlainText, ProblemNotice } from './parts.tsx';
import { VirtualTable } from './virtual-table.tsx';

export function ImportProgress(props: {
  run: ImportSnapshot;
  /** CSV files that lack a column mapping. */
  tablesToExplain: number;
  onStop: () => void;
  onClear: () => void;
  onMap: () => void;
}): JSX.Element {
  const { t } = useTranslation();
  const { run } = props;
  const [shown, setShown] = useState<FileOutcome | null>(null);
  const isRunning = run.state === 'running' || run.state === 'stopping';
  const action = isRunning ? (
    <Button variant="default" disabled={run.state === 'stopping'} onClick={props.onStop}>
      {t('import.stop')}
    </Button>
  ) : (
    <Button onClick={props.onClear}>{t('import.again')}</Button>
  );
  return (
    <Panel
      title={t(`import.state.${run.state}`)}
      note={isRunning ? t('import.stopNote') : undefined}
      actions={action}
    >
      <div className={styles.stack}>
        {isRunning && <UnderWay run={run} />}
        {run.problem !== null && <ProblemNotice problem={run.problem} />}
        {run.state === 'failed' && <p>{t('import.failedDetail')}</p>}
        <div role="status" className={styles.stack}>
          <ImportSummary run={run} tablesToExplain={props.tablesToExplain} onMap={props.onMap} />
        </div>
        <OutcomeTally totals={run.totals} isOver={!isRunning} />
        <Files run={run} onOpen={setShown} />
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

function UnderWay({ run }: { run: ImportSnapshot }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const { pace, totals } = run;
  const fraction =
    run.bytesTotal === 0
      ? totals.filesDone / Math.max(1, totals.filesOffered)
      : totals.bytesRead / run.bytesTotal;
  const current = run.files[run.currentIndex ?? -1];
  const rate = (count: number): string => format.number(count < 10 ? count : Math.round(count));
  return (
    <div className={styles.stack}>
      <div>
        <div className={styles.progressHead}>
          <strong>
            {t('import.bytes', {
              read: format.bytes(totals.bytesRead),
              total: format.bytes(run.bytesTotal),
            })}
          </strong>
          <span>
            {pace.remainingMs === null
              ? t('import.remainingUnknown')
              : t('import.remaining', { time: format.duration(pace.remainingMs) })}
          </span>
        </div>
        <Progress.Root size="md">
          <Progress.Section
            value={fraction * 100}
            aria-label={t('import.progress')}
            aria-valuetext={t('import.spoken', { percent: format.percent(Math.floor(fraction * 100) / 100) })}
          />
        </Progress.Root>
        <p className={`${styles.soft} ${styles.now}`}>
          {current !== undefined && (
            <>
              {t('import.now')} <PlainText limit={120}>{current.name}</PlainText>
            </>
          )}
        </p>
        {/* Told in tenths: a word for each chunk would drown out everything else. */}
        <p className="visually-hidden" role="status">
          {t('import.spoken', { percent: format.percent(Math.floor(fraction * 10) / 10) })}
        </p>
      </div>
      <Figures
        figures={[
          { name: t('import.rate.rows'), value: rate(pace.rowsPerSecond) },
          { name: t('import.rate.bytes'), value: format.bytes(Math.round(pace.bytesPerSecond)) },
          { name: t('import.rate.files'), value: rate(pace.filesPerSecond) },
          { name: t('import.rate.elapsed'), value: format.duration(pace.elapsedMs) },
        ]}
      />
    </div>
  );
}

function Files({ run, onOpen }: { run: ImportSnapshot; onOpen: (file: FileOutcome) => void }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const [filter, setFilter] = useState<'all' | 'look'>('all');
  const columns = useImportColumns(run, onOpen);
  const toLook = run.files.filter(({ outcome }) => outcome !== null && needsLook(outcome));
  const files = filter === 'all' ? run.files : toLook;
  return (
    <>
      <SegmentedControl
        className={styles.start ?? ''}
        aria-label={t('import.show')}
        value={filter}
        onChange={(value) => setFilter(value === 'look' ? 'look' : 'all')}
        data={[
          { value: 'all', label: t('import.showAll', { number: format.number(run.files.length) }) },
          { value: 'look', label: t('import.showLook', { number: format.number(toLook.length) }) },
        ]}
      />
      {files.length === 0 ? (
        <Empty icon="good" title={t('import.nothingToLook')} />
      ) : (
        <VirtualTable
          label={t('import.files')}
          columns={columns}
          total={files.length}
          rowAt={(index) => files[index]}
          rowHeight={52}
          leastWidth={760}
          maxHeight={420}
        />
      )}
    </>
  );
}

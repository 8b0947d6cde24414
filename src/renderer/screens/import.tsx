// Import: choose or drop exports, watch them being read, see what became of each file and what to do about it.
import { useQueryClient } from '@tanstack/react-query';
import { type JSX, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { FileChooser } from '../components/file-chooser.tsx';
import { ImportProgress } from '../components/import-progress.tsx';
import { PageHeader } from '../components/parts.tsx';
import { StoredOutcomes } from '../components/stored-outcomes.tsx';
import { useExternalStore } from '../external-store.ts';
import { useSite } from '../site-context.ts';
import styles from './screens.module.css';

export function Import(): JSX.Element {
  const { t } = useTranslation();
  const { importRun } = useSite();
  const queryClient = useQueryClient();
  const run = useExternalStore(importRun.store);
  const isRunning = run.state === 'running' || run.state === 'stopping';
  useEffect(() => {
    if (!isRunning) void queryClient.invalidateQueries();
  }, [isRunning, queryClient]);
  useEffect(() => {
    if (!isRunning) return undefined;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [isRunning]);
  return (
    <>
      <PageHeader title={t('import.title')} lead={t('import.lead')} />
      <div className={styles.stack}>
        {run.state === 'idle' && (
          <FileChooser onStart={(files, mapping) => void importRun.start(files, mapping)} />
        )}
        {run.state !== 'idle' && (
          <ImportProgress
            run={run}
            onStop={() => importRun.stop()}
            onClear={() => importRun.clear()}
            onMap={() => undefined}
          />
        )}
        <StoredOutcomes />
      </div>
    </>
  );
}

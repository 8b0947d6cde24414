// Import: choose or drop files, watch them go in, be led through the columns of a plain CSV; what is held in quarantine; where data
// comes from by itself.
import { Tabs } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type JSX, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Role } from '#ipc/schema.ts';
import { FileChooser } from '../components/file-chooser.tsx';
import { ImportProgress } from '../components/import-progress.tsx';
import { MappingWizard } from '../components/mapping-wizard.tsx';
import { PageHeader } from '../components/parts.tsx';
import { QuarantinePanel } from '../components/quarantine-panel.tsx';
import { SourcesPanel } from '../components/sources-panel.tsx';
import { StoredOutcomes } from '../components/stored-outcomes.tsx';
import { useExternalStore } from '../external-store.ts';
import { type ImportPart, importParts } from '../import-parts.ts';
import type { ImportFile } from '../import-run.ts';
import { useHeldCount, useSession, useSite } from '../site-context.ts';
import styles from './screens.module.css';

export function Import(): JSX.Element {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const search = useSearch({ from: '/import' });
  const role = useSession().data?.role;
  const parts: readonly ImportPart[] = importParts.filter(
    (part) => role !== undefined && rolesOf[part].includes(role),
  );
  const part = parts.find((known) => known === search.part) ?? parts[0] ?? 'files';
  return (
    <>
      <PageHeader title={t('import.title')} lead={t('import.lead')} />
      <Tabs
        value={part}
        keepMounted={false}
        onChange={(value) => {
          const chosen = importParts.find((known) => known === value);
          if (chosen !== undefined) void navigate({ to: '/import', search: { part: chosen } });
        }}
      >
        <Tabs.List mb={16} aria-label={t('import.parts')}>
          {parts.map((known) => (
            <Tabs.Tab key={known} value={known}>
              {t(`import.part.${known}`)}
              {known === 'quarantine' && <HeldCount />}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="files">
          <ImportFiles />
        </Tabs.Panel>
        <Tabs.Panel value="quarantine">
          <QuarantinePanel />
        </Tabs.Panel>
        <Tabs.Panel value="sources">
          <SourcesPanel />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

/** Who may see which part, as the host has it: others are not shown what they would be refused. */
const rolesOf: Readonly<Record<ImportPart, readonly Role[]>> = {
  files: ['steward', 'investigator'],
  quarantine: ['steward'],
  sources: ['steward', 'admin'],
};

/** How many files wait for a decision, beside the word. */
function HeldCount(): JSX.Element | null {
  const { t } = useTranslation();
  const total = useHeldCount();
  if (total === 0) return null;
  return (
    <span className={styles.tabCount}>
      {total}
      <span className="visually-hidden"> {t('quarantine.waiting', { count: total })}</span>
    </span>
  );
}

function ImportFiles(): JSX.Element {
  const { importRun } = useSite();
  const queryClient = useQueryClient();
  const run = useExternalStore(importRun.store);
  /** Tables to be explained: while the wizard is open, and those left for later. */
  const [tables, setTables] = useState<{ files: readonly ImportFile[]; isOpen: boolean }>({
    files: [],
    isOpen: false,
  });
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
  const unmapped = run.files.flatMap(({ outcome, offeredIndex }) =>
    outcome?.code === 'MAPPING_REQUIRED' && offeredIndex !== null ? [offeredIndex] : [],
  );
  const waiting = [...tables.files, ...importRun.filesOf(unmapped)];
  if (tables.isOpen) {
    return (
      <MappingWizard
        files={tables.files}
        onCancel={() => setTables({ ...tables, isOpen: false })}
        onImport={(mapping, files, others) => {
          setTables({ files: others, isOpen: false });
          void importRun.start(files, mapping);
        }}
      />
    );
  }
  return (
    <div className={styles.stack}>
      {run.state === 'idle' && (
        <FileChooser onStart={(files, mapping) => void importRun.start(files, mapping)} />
      )}
      {run.state !== 'idle' && (
        <ImportProgress
          run={run}
          tablesToExplain={new Set(waiting).size}
          onStop={() => importRun.stop()}
          onClear={() => {
            setTables({ files: [], isOpen: false });
            importRun.clear();
          }}
          onMap={() => setTables({ files: [...new Set(waiting)], isOpen: true })}
        />
      )}
      <StoredOutcomes />
    </div>
  );
}

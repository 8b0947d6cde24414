// Where data comes from by itself: each source with its state, what it brought and what went wrong last; add, run, remove.
import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Source } from '#ipc/ingest-contract.ts';
import { useFormat } from '../i18n/format.ts';
import { findTerm } from '../i18n/term.ts';
import styles from '../screens/screens.module.css';
import { useSession, useSite } from '../site-context.ts';
import { runnableKinds } from '../source-kinds.ts';
import { Dialog } from './dialog.tsx';
import { Badge, CodeText, Empty, Loading, Panel, PlainText, ProblemNotice, type Tone } from './parts.tsx';
import { SourceForm } from './source-form.tsx';

const tones: Readonly<Record<Source['state'], Tone>> = {
  off: 'neutral',
  listening: 'good',
  running: 'accent',
  failed: 'bad',
};
const refreshMs = 5_000;

export function SourcesPanel(): JSX.Element {
  const { t } = useTranslation();
  const { client } = useSite();
  const [isAdding, setAdding] = useState(false);
  const sources = useQuery({
    queryKey: ['sources'],
    queryFn: ({ signal }) => client.sources.list(undefined, { signal }),
    refetchInterval: refreshMs,
  });
  return (
    <Panel
      title={t('sources.title')}
      note={t('sources.note')}
      actions={<Button onClick={() => setAdding(true)}>{t('sources.add')}</Button>}
    >
      {sources.isPending && <Loading />}
      {sources.isError && <ProblemNotice error={sources.error} onRetry={() => void sources.refetch()} />}
      {sources.data?.length === 0 && (
        <Empty icon="import" title={t('sources.none')}>
          <p>{t('sources.noneDetail')}</p>
        </Empty>
      )}
      {sources.data !== undefined && sources.data.length > 0 && (
        <ul className={styles.tasks} aria-label={t('sources.title')}>
          {sources.data.map((source) => (
            <SourceItem key={source.sourceId} source={source} />
          ))}
        </ul>
      )}
      <Dialog isOpen={isAdding} onClose={() => setAdding(false)} title={t('sources.add')}>
        <SourceForm onDone={() => setAdding(false)} />
      </Dialog>
    </Panel>
  );
}

function SourceItem({ source }: { source: Source }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const { client } = useSite();
  const queryClient = useQueryClient();
  const [isRemoving, setRemoving] = useState(false);
  const role = useSession().data?.role;
  const label = source.label.slice(0, 60);
  const run = useMutation({
    mutationFn: async () => {
      // What it brings is seen in its counts and among the earlier imports; the events are only waited for.
      for await (const event of await client.sources.run({ sourceId: source.sourceId })) void event;
    },
    onSettled: () => queryClient.invalidateQueries(),
  });
  const received =
    source.lastReceivedAt === null
      ? t('sources.nothingYet')
      : t('sources.received', {
          count: source.received,
          number: format.number(source.received),
          when: format.dateTime(source.lastReceivedAt),
        });
  const settings = Object.entries(source.settings).flatMap(([name, value]) => {
    const word = findTerm(t, 'sources.shortSetting', name);
    return word === null ? [] : [`${word} ${value}`];
  });
  return (
    <li className={styles.source}>
      <div>
        <div className={styles.sourceHead}>
          <strong>
            <PlainText limit={100}>{source.label}</PlainText>
          </strong>
          <Badge tone={tones[source.state]}>{t(`sources.state.${source.state}`)}</Badge>
        </div>
        <p className={`${styles.soft} ${styles.small}`}>
          <PlainText limit={240}>{[t(`sources.kind.${source.kind}`), ...settings].join(' · ')}</PlainText>
        </p>
        <p>{received}</p>
        {source.code !== null && <CodeText code={source.code} />}
        {run.isError && <ProblemNotice error={run.error} />}
      </div>
      <div className={styles.pair}>
        {runnableKinds.has(source.kind) && role === 'steward' && (
          <Button
            size="compact-sm"
            variant="default"
            loading={run.isPending || source.state === 'running'}
            aria-label={t('sources.runOf', { label })}
            onClick={() => run.mutate()}
          >
            {t('sources.run')}
          </Button>
        )}
        <Button
          size="compact-sm"
          variant="subtle"
          color="crimson"
          aria-label={t('sources.removeOf', { label })}
          onClick={() => setRemoving(true)}
        >
          {t('sources.remove')}
        </Button>
      </div>
      <Dialog isOpen={isRemoving} onClose={() => setRemoving(false)} title={t('sources.removeTitle')}>
        <RemoveSource source={source} onClose={() => setRemoving(false)} />
      </Dialog>
    </li>
  );
}

function RemoveSource({ source, onClose }: { source: Source; onClose: () => void }): JSX.Element {
  const { t } = useTranslation();
  const { client } = useSite();
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () => client.sources.remove({ sourceId: source.sourceId }),
    onSuccess: async () => {
      onClose();
      await queryClient.invalidateQueries();
    },
  });
  return (
    <div className={styles.stack}>
      <p>
        <PlainText limit={100}>{source.label}</PlainText>
      </p>
      <p>{t('sources.removeWhat')}</p>
      {remove.isError && <ProblemNotice error={remove.error} />}
      <div className={styles.dialogActions}>
        <Button variant="default" onClick={onClose} data-autofocus>
          {t('common.cancel')}
        </Button>
        <Button color="crimson" loading={remove.isPending} onClick={() => remove.mutate()}>
          {t('sources.removeConfirm')}
        </Button>
      </div>
    </div>
  );
}

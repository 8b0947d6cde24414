// What waits: drafts to decide on, open rounds to take part in, files held in quarantine, approved updates to send. One line and one action each.
import { Button } from '@mantine/core';
import { useMutation, useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import type { JSX, ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { ResearchStudy, RoundState } from '#ipc/schema.ts';
import { useFormat } from '../i18n/format.ts';
import { term } from '../i18n/term.ts';
import styles from '../screens/screens.module.css';
import { useHeldCount, useResearchStudies, useSite } from '../site-context.ts';
import { ButtonLink } from './button-link.tsx';
import { Icon, type IconName } from './icons.tsx';
import { Empty, Loading, Notice, Panel, PlainText, ProblemNotice } from './parts.tsx';

interface OpenRound {
  readonly researchStudy: ResearchStudy;
  readonly state: RoundState;
}

function useOpenRounds(): { rounds: OpenRound[]; isPending: boolean; error: Error | null } {
  const { client } = useSite();
  const researchStudies = useResearchStudies();
  const states = useQueries({
    queries: (researchStudies.data ?? []).map((researchStudy) => ({
      queryKey: ['round', researchStudy.researchStudyId],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        client.round.current({ researchStudyId: researchStudy.researchStudyId }, { signal }),
      refetchInterval: 10_000,
    })),
  });
  const rounds = (researchStudies.data ?? []).flatMap((researchStudy, index) => {
    const state = states[index]?.data;
    const isOpen = state !== undefined && ['open', 'running', 'blocked'].includes(state.state);
    return isOpen ? [{ researchStudy, state }] : [];
  });
  const failed = states.find((state) => state.error !== null);
  return {
    rounds,
    isPending: researchStudies.isPending || states.some((state) => state.isPending),
    error: researchStudies.error ?? failed?.error ?? null,
  };
}

export function TaskList({ outboxCount }: { outboxCount: number }): JSX.Element {
  const { t } = useTranslation();
  const { client } = useSite();
  const updates = useQuery({
    queryKey: ['updates'],
    queryFn: ({ signal }) => client.updates.list(undefined, { signal }),
  });
  const researchStudies = useResearchStudies();
  const open = useOpenRounds();
  const held = useHeldCount();
  const drafts = (updates.data ?? []).filter((update) => update.state === 'draft');
  const isPending = updates.isPending || open.isPending;
  const error = updates.error ?? open.error;
  const count = drafts.length + open.rounds.length + (outboxCount > 0 ? 1 : 0) + (held > 0 ? 1 : 0);
  const titleOf = (id: string): string =>
    researchStudies.data?.find((researchStudy) => researchStudy.researchStudyId === id)?.title ?? id;
  return (
    <Panel title={t('tasks.title')} actions={<SyncButton />}>
      {error !== null && <ProblemNotice error={error} />}
      {isPending && error === null && <Loading />}
      {!isPending && error === null && count === 0 && (
        <Empty icon="good" title={t('tasks.none')}>
          <p>{t('tasks.noneDetail')}</p>
        </Empty>
      )}
      <ul className={styles.tasks}>
        {drafts.map((update) => (
          <Task
            key={update.updateId}
            icon="lock"
            isUrgent
            title={t('tasks.review', { kind: term(t, 'round.kind', update.kind), round: update.round })}
            detail={<PlainText limit={160}>{titleOf(update.researchStudyId)}</PlainText>}
            action={
              <ButtonLink to="/round" search={{ study: update.researchStudyId, update: update.updateId }}>
                {t('tasks.reviewAction')}
              </ButtonLink>
            }
          />
        ))}
        {open.rounds.map(({ researchStudy, state }) => (
          <OpenRoundTask key={researchStudy.researchStudyId} researchStudy={researchStudy} state={state} />
        ))}
        {held > 0 && (
          <Task
            icon="file"
            title={t('tasks.held', { count: held })}
            detail={t('tasks.heldDetail')}
            action={
              <ButtonLink variant="default" to="/import" search={{ part: 'quarantine' }}>
                {t('tasks.heldAction')}
              </ButtonLink>
            }
          />
        )}
        {outboxCount > 0 && (
          <Task
            icon="leave"
            title={t('tasks.outbox', { count: outboxCount })}
            detail={t('tasks.outboxDetail')}
            action={null}
          />
        )}
      </ul>
    </Panel>
  );
}

function OpenRoundTask({ researchStudy, state }: OpenRound): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const closes = state.closesAt === null ? null : format.relative(state.closesAt, Date.now());
  return (
    <Task
      icon="round"
      isUrgent={state.state === 'blocked'}
      title={t(
        `tasks.${state.state === 'open' ? 'open' : state.state === 'running' ? 'running' : 'blocked'}`,
        {
          round: state.round,
          kind: state.kind === null ? '' : term(t, 'round.kind', state.kind),
        },
      )}
      detail={
        <>
          <PlainText limit={160}>{researchStudy.title}</PlainText>
          {closes !== null && <span> · {t('tasks.closes', { when: closes })}</span>}
        </>
      }
      action={
        <ButtonLink variant="default" to="/round" search={{ study: researchStudy.researchStudyId }}>
          {t('tasks.openAction', { round: state.round })}
        </ButtonLink>
      }
    />
  );
}

function Task(props: {
  icon: IconName;
  title: string;
  detail: ReactNode;
  action: ReactNode;
  isUrgent?: boolean;
}): JSX.Element {
  return (
    <li className={[styles.task, props.isUrgent ? styles.taskUrgent : ''].join(' ')}>
      <span className={styles.taskIcon}>
        <Icon name={props.icon} size={20} />
      </span>
      <div>
        <div className={styles.taskTitle}>{props.title}</div>
        <div className={`${styles.soft} ${styles.small}`}>{props.detail}</div>
      </div>
      {props.action}
    </li>
  );
}

function SyncButton(): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const { client } = useSite();
  const queryClient = useQueryClient();
  const sync = useMutation({
    mutationFn: () => client.sync(),
    onSettled: () => queryClient.invalidateQueries(),
  });
  const refused = sync.data?.sent.filter((sent) => sent.outcome === 'refused') ?? [];
  const bytesSent = sync.data?.sent.reduce((sum, sent) => sum + sent.bytes, 0) ?? 0;
  return (
    <>
      <Button variant="default" size="xs" loading={sync.isPending} onClick={() => sync.mutate()}>
        {t('sync.action')}
      </Button>
      <div style={{ flexBasis: '100%' }} role="status">
        {sync.isSuccess && (
          <Notice tone={refused.length > 0 ? 'bad' : 'good'}>
            <p>
              {t('sync.done', {
                received: format.number(sync.data.received.length),
                sent: format.number(sync.data.sent.length),
                bytes: format.number(bytesSent),
              })}
            </p>
            {refused.map((sent) => (
              <p key={sent.updateId}>
                {t('sync.refused')}{' '}
                <PlainText limit={64}>{term(t, 'error.sentence', sent.code ?? '')}</PlainText>
              </p>
            ))}
          </Notice>
        )}
        {sync.isError && <ProblemNotice error={sync.error} />}
      </div>
    </>
  );
}

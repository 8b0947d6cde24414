// Round: where the research study stands, what this round does, running it, and deciding on exactly the bytes that would leave.
import { NativeSelect, Tabs } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type JSX, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import type { ResearchStudy } from '#ipc/schema.ts';
import { CohortPanel } from '../components/cohort-panel.tsx';
import { EvaluationsPanel } from '../components/evaluations-panel.tsx';
import { Empty, Loading, Notice, PageHeader, PlainText, ProblemNotice } from '../components/parts.tsx';
import { PlanPanel } from '../components/plan-panel.tsx';
import { QualityPanel } from '../components/quality-panel.tsx';
import { RoundSummary } from '../components/round-summary.tsx';
import { RunPanel } from '../components/run-panel.tsx';
import { UpdateReviewPanel } from '../components/update-review-panel.tsx';
import { useExternalStore } from '../external-store.ts';
import { optionText } from '../plain-text.ts';
import { useResearchStudies, useRoundState, useSite } from '../site-context.ts';
import styles from './screens.module.css';

export function Round(): JSX.Element {
  const { t } = useTranslation();
  const researchStudies = useResearchStudies();
  const search = useSearch({ from: '/round' });
  const researchStudy =
    researchStudies.data?.find((one) => one.researchStudyId === search.study) ?? researchStudies.data?.[0];
  return (
    <>
      <PageHeader
        title={t('round.title')}
        lead={
          researchStudy === undefined ? undefined : <PlainText limit={200}>{researchStudy.title}</PlainText>
        }
        actions={
          researchStudies.data !== undefined &&
          researchStudies.data.length > 1 &&
          researchStudy !== undefined ? (
            <ResearchStudyChoice
              researchStudies={researchStudies.data}
              chosen={researchStudy.researchStudyId}
            />
          ) : undefined
        }
      />
      {researchStudies.isPending && <Loading />}
      {researchStudies.isError && (
        <ProblemNotice error={researchStudies.error} onRetry={() => void researchStudies.refetch()} />
      )}
      {researchStudies.isSuccess && researchStudy === undefined && (
        <Empty icon="round" title={t('round.noStudy')}>
          <p>{t('round.noStudyDetail')}</p>
        </Empty>
      )}
      {researchStudy !== undefined && (
        <ResearchStudyRound
          key={researchStudy.researchStudyId}
          researchStudy={researchStudy}
          earlierUpdateId={search.update ?? null}
        />
      )}
    </>
  );
}

function ResearchStudyChoice({
  researchStudies,
  chosen,
}: {
  researchStudies: readonly ResearchStudy[];
  chosen: string;
}): JSX.Element {
  const { t } = useTranslation();
  const navigate = useNavigate();
  return (
    <NativeSelect
      label={t('round.study')}
      value={chosen}
      onChange={(event) => void navigate({ to: '/round', search: { study: event.currentTarget.value } })}
      data={researchStudies.map((researchStudy) => ({
        value: researchStudy.researchStudyId,
        label: optionText(researchStudy.title),
      }))}
    />
  );
}

function ResearchStudyRound({
  researchStudy,
  earlierUpdateId,
}: {
  researchStudy: ResearchStudy;
  earlierUpdateId: string | null;
}): JSX.Element {
  const { t } = useTranslation();
  const { roundRun } = useSite();
  const state = useRoundState(researchStudy.researchStudyId);
  const run = useExternalStore(roundRun.store);
  const queryClient = useQueryClient();
  // biome-ignore lint/correctness/useExhaustiveDependencies: what the site says is asked again when the run begins or ends
  useEffect(() => {
    void queryClient.invalidateQueries({ predicate: (query) => query.queryKey[0] !== 'session' });
  }, [run.state, queryClient]);
  if (state.isPending) return <Loading />;
  if (state.isError) return <ProblemNotice error={state.error} onRetry={() => void state.refetch()} />;
  const current = state.data;
  const isOwnRun =
    run.researchStudyId === researchStudy.researchStudyId &&
    (run.state === 'running' || run.state === 'cancelling');
  const updateId = isOwnRun ? null : (earlierUpdateId ?? current.updateId);
  const isEarlier = updateId !== null && updateId !== current.updateId;
  const canRun = ['open', 'running', 'refused', 'blocked'].includes(current.state) && !isEarlier;
  return (
    <div className={styles.stack}>
      <RoundSummary researchStudy={researchStudy} state={current} isRunning={isOwnRun} />
      {isEarlier && (
        <Notice tone="accent">
          <p>
            {t('round.earlier')}{' '}
            <Link to="/round" search={{ study: researchStudy.researchStudyId }}>
              {t('round.toCurrent')}
            </Link>
          </p>
        </Notice>
      )}
      <Tabs defaultValue="round" keepMounted={false}>
        <Tabs.List mb={16} aria-label={t('round.tabs')}>
          <Tabs.Tab value="round">{t('round.tabRound')}</Tabs.Tab>
          <Tabs.Tab value="plan">{t('round.tabPlan')}</Tabs.Tab>
          <Tabs.Tab value="data">{t('round.tabData')}</Tabs.Tab>
          <Tabs.Tab value="model">{t('round.tabModel')}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="round">
          <div className={styles.stack}>
            {(canRun || isOwnRun) && <RunPanel researchStudy={researchStudy} state={current} />}
            {updateId !== null && <UpdateReviewPanel key={updateId} updateId={updateId} />}
            {updateId === null && current.state !== 'none' && <CohortPanel researchStudy={researchStudy} />}
            {current.state === 'none' && updateId === null && (
              <Empty icon="round" title={t('round.noneOpen')}>
                <p>{t('round.noneOpenDetail')}</p>
              </Empty>
            )}
          </div>
        </Tabs.Panel>
        <Tabs.Panel value="plan">
          <PlanPanel researchStudy={researchStudy} />
        </Tabs.Panel>
        <Tabs.Panel value="data">
          <QualityPanel researchStudyId={researchStudy.researchStudyId} />
        </Tabs.Panel>
        <Tabs.Panel value="model">
          <EvaluationsPanel researchStudyId={researchStudy.researchStudyId} />
        </Tabs.Panel>
      </Tabs>
    </div>
  );
}

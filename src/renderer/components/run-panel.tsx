// Starting a round and watching it: phase, steps, live loss, cancel. A run that somebody else started is shown without its curve.
import { Button, Progress } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import type { ResearchStudy, RoundState } from '#ipc/schema.ts';
import { useExternalStore } from '../external-store.ts';
import { useFormat } from '../i18n/format.ts';
import type { RoundPhase, RoundRunSnapshot } from '../round-run.ts';
import styles from '../screens/screens.module.css';
import { useSite } from '../site-context.ts';
import { LossChart } from './loss-chart.tsx';
import { Loading, Notice, Panel, ProblemNotice } from './parts.tsx';

const phasesOf: Record<string, readonly RoundPhase[]> = {
  statistics: ['cohort', 'statistics', 'update'],
  training: ['cohort', 'training', 'update'],
  evaluation: ['cohort', 'evaluation', 'update'],
};

export function RunPanel({
  researchStudy,
  state,
}: {
  researchStudy: ResearchStudy;
  state: RoundState;
}): JSX.Element {
  const { roundRun } = useSite();
  const snapshot = useExternalStore(roundRun.store);
  const isOwn = snapshot.researchStudyId === researchStudy.researchStudyId;
  const isRunning = isOwn && (snapshot.state === 'running' || snapshot.state === 'cancelling');
  if (isRunning) return <Running run={snapshot} kind={state.kind} onCancel={() => void roundRun.cancel()} />;
  if (state.state === 'running') return <RunningElsewhere researchStudyId={researchStudy.researchStudyId} />;
  return <Start researchStudy={researchStudy} state={state} run={isOwn ? snapshot : null} />;
}

function Start(props: {
  researchStudy: ResearchStudy;
  state: RoundState;
  run: RoundRunSnapshot | null;
}): JSX.Element {
  const { t } = useTranslation();
  const { roundRun } = useSite();
  const { state, run } = props;
  const isAgain = state.state === 'refused' || state.state === 'blocked';
  return (
    <Panel
      title={t(isAgain ? 'run.againTitle' : 'run.startTitle')}
      note={t('run.startNote')}
      actions={
        <Button onClick={() => void roundRun.start(props.researchStudy.researchStudyId)}>
          {t(isAgain ? 'run.again' : 'run.start', { round: state.round })}
        </Button>
      }
    >
      <div className={styles.stack}>
        {state.state === 'blocked' && (
          <Notice tone="warn" title={t('run.blocked')}>
            <p>{t('run.blockedDetail')}</p>
          </Notice>
        )}
        {state.state === 'refused' && (
          <Notice tone="neutral">
            <p>{t('run.refusedBefore')}</p>
          </Notice>
        )}
        {run?.state === 'cancelled' && (
          <Notice tone="neutral" isAlert>
            <p>{t('run.cancelled')}</p>
          </Notice>
        )}
        {run?.state === 'failed' && run.problem !== null && <ProblemNotice problem={run.problem} />}
      </div>
    </Panel>
  );
}

function Running(props: {
  run: RoundRunSnapshot;
  kind: RoundState['kind'];
  onCancel: () => void;
}): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const { run } = props;
  const percent = run.stepCount === 0 ? 0 : (100 * run.step) / run.stepCount;
  const quarter = Math.floor(percent / 25) * 25;
  return (
    <Panel
      title={t('run.running')}
      note={t('run.runningNote')}
      actions={
        <Button variant="default" disabled={run.state === 'cancelling'} onClick={props.onCancel}>
          {t(run.state === 'cancelling' ? 'run.cancelling' : 'run.cancel')}
        </Button>
      }
    >
      <Phases phases={phasesOf[props.kind ?? 'training'] ?? []} current={run.phase} />
      <div className="visually-hidden" role="status">
        {run.phase !== null && t(`run.phase.${run.phase}`)}{' '}
        {run.stepCount > 0 && t('run.spoken', { percent: quarter })}
      </div>
      {run.problem !== null && <ProblemNotice problem={run.problem} />}
      {run.stepCount > 0 && (
        <div className={styles.stack}>
          <div>
            <div className={styles.progressHead}>
              <span>
                {t('run.steps', { step: format.number(run.step), count: format.number(run.stepCount) })}
              </span>
              <span className={styles.soft}>{format.percent(percent / 100)}</span>
            </div>
            <Progress.Root size="md">
              <Progress.Section value={percent} aria-label={t('run.progress')} />
            </Progress.Root>
          </div>
          {run.losses.length > 0 && <LossChart points={run.losses} stamp={run.step} />}
        </div>
      )}
    </Panel>
  );
}

function Phases({
  phases,
  current,
}: {
  phases: readonly RoundPhase[];
  current: RoundPhase | null;
}): JSX.Element {
  const { t } = useTranslation();
  const position = current === null ? -1 : phases.indexOf(current);
  return (
    <ol className={styles.phases} aria-label={t('run.phases')}>
      {phases.map((phase, index) => {
        const look = index < position ? styles.phaseDone : index === position ? styles.phaseNow : '';
        return (
          <li key={phase} className={look} aria-current={index === position ? 'step' : undefined}>
            {t(`run.phase.${phase}`)}
          </li>
        );
      })}
    </ol>
  );
}

function RunningElsewhere({ researchStudyId }: { researchStudyId: string }): JSX.Element {
  const { t } = useTranslation();
  const { client } = useSite();
  const cancel = useMutation({ mutationFn: () => client.round.cancel({ researchStudyId }) });
  return (
    <Panel
      title={t('run.running')}
      note={t('run.elsewhere')}
      actions={
        <Button variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
          {t('run.cancel')}
        </Button>
      }
    >
      {cancel.isError ? <ProblemNotice error={cancel.error} /> : <Loading />}
    </Panel>
  );
}

// Where the research study stands: the round, what it does in one sentence, when it closes, and the rounds of the plan in a strip.
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import type { ResearchStudy, RoundState } from '#ipc/schema.ts';
import { useFormat } from '../i18n/format.ts';
import { term } from '../i18n/term.ts';
import styles from '../screens/screens.module.css';
import { Panel } from './parts.tsx';
import { RoundStateBadge } from './round-state-badge.tsx';

export function RoundSummary(props: {
  researchStudy: ResearchStudy;
  state: RoundState;
  isRunning: boolean;
}): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const { round, roundCount, kind, closesAt } = props.state;
  const title =
    round === null || kind === null
      ? t('round.betweenRounds')
      : t('round.of', { round, count: roundCount, kind: term(t, 'round.kind', kind) });
  const closing =
    closesAt === null
      ? null
      : t('round.closes', { time: format.dateTime(closesAt), when: format.relative(closesAt, Date.now()) });
  return (
    <Panel
      title={title}
      note={closing ?? undefined}
      actions={<RoundStateBadge state={props.isRunning ? 'running' : props.state.state} />}
    >
      <div className={styles.stack}>
        {kind !== null && <p>{t(`round.does.${kind}`)}</p>}
        <RoundStrip rounds={props.researchStudy.rounds} current={round} />
      </div>
    </Panel>
  );
}

const stripLimit = 60;

function RoundStrip({ rounds, current }: { rounds: readonly string[]; current: number | null }): JSX.Element {
  const { t } = useTranslation();
  return (
    <ol className={styles.rounds} aria-label={t('round.strip')}>
      {rounds.slice(0, stripLimit).map((kind, index) => {
        const number = index + 1;
        const isNow = number === current;
        const isDone = current !== null && number < current;
        const label = t('updates.roundOf', { round: number, kind: term(t, 'round.kind', kind).slice(0, 40) });
        return (
          <li
            // biome-ignore lint/suspicious/noArrayIndexKey: a round is its number
            key={index}
            title={label}
            aria-current={isNow ? 'step' : undefined}
            className={[styles.roundMark, isNow ? styles.roundNow : '', isDone ? styles.roundDone : ''].join(
              ' ',
            )}
          >
            <span aria-hidden="true">
              {kind === 'training' ? number : term(t, 'round.short', kind).slice(0, 12)}
            </span>
            <span className="visually-hidden">{label}</span>
          </li>
        );
      })}
      {rounds.length > stripLimit && (
        <li className={styles.roundMark}>{t('round.more', { count: rounds.length - stripLimit })}</li>
      )}
    </ol>
  );
}

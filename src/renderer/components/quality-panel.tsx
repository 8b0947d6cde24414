// What is wrong with the data that a research study reads here, and what to do about it: found on demand, with progress, cancelled at once.
import { Button, Progress } from '@mantine/core';
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import type { QualityFinding, QualityReport } from '#ipc/quality-schema.ts';
import { type QualityWords, qualityWords, shownCount, shownPatients } from '#ipc/quality-words.ts';
import { type QualityRunState, useQualityRun } from '../quality-run.ts';
import styles from '../screens/screens.module.css';
import { Badge, Notice, Panel, PlainText, ProblemNotice, SmallTable, type Tone } from './parts.tsx';
import { QualityFeatures } from './quality-features.tsx';

export function QualityPanel({ researchStudyId }: { researchStudyId: string }): JSX.Element {
  const { t } = useTranslation();
  const { state, start, cancel } = useQualityRun(researchStudyId);
  const words = useQualityWords();
  const isRunning = state.kind === 'running';
  return (
    <div className={styles.stack}>
      <Panel
        title={words.page.title}
        note={t('quality.note')}
        actions={
          isRunning ? (
            <Button variant="default" onClick={cancel}>
              {t('common.cancel')}
            </Button>
          ) : (
            <Button onClick={start}>{t(state.kind === 'done' ? 'quality.again' : 'quality.start')}</Button>
          )
        }
      >
        <Standing state={state} words={words} />
      </Panel>
      {state.kind === 'done' && <Report report={state.report} words={words} />}
    </div>
  );
}

function useQualityWords(): QualityWords {
  const { i18n } = useTranslation();
  return i18n.language.startsWith('de') ? qualityWords.de : qualityWords.en;
}

function Standing({ state, words }: { state: QualityRunState; words: QualityWords }): JSX.Element {
  const { t } = useTranslation();
  switch (state.kind) {
    case 'idle':
      return <p className={styles.soft}>{t('quality.idle')}</p>;
    case 'running':
      return <Running done={state.done} total={state.total} />;
    case 'failed':
      return <ProblemNotice problem={state.problem} />;
    case 'done':
      return <Population report={state.report} words={words} />;
  }
}

function Running({ done, total }: { done: number; total: number }): JSX.Element {
  const { t } = useTranslation();
  const text = total === 0 ? t('quality.selecting') : t('quality.running', { done: done + 1, total });
  return (
    <div className={styles.stack}>
      <p role="status">{text}</p>
      <Progress.Root size="md">
        <Progress.Section value={total === 0 ? 0 : (100 * done) / total} color="petrol" aria-label={text} />
      </Progress.Root>
    </div>
  );
}

function Population({ report, words }: { report: QualityReport; words: QualityWords }): JSX.Element {
  const { page } = words;
  return (
    <div className={styles.stack}>
      <p role="status">{page.population.replace('{count}', () => shownCount(report.subjectCount, page))}</p>
      {report.findings.length === 0 && (
        <Notice tone="good">
          <p>{page.none}</p>
        </Notice>
      )}
      <p className={`${styles.soft} ${styles.small}`}>{page.rule}</p>
    </div>
  );
}

function Report({ report, words }: { report: QualityReport; words: QualityWords }): JSX.Element {
  const { page } = words;
  const groups = [...Map.groupBy(report.findings, ({ code }) => code)];
  return (
    <>
      {groups.length > 0 && (
        <Panel title={page.findings}>
          <div className={styles.stack}>
            {groups.map(([code, findings]) => (
              <Findings key={code} code={code} findings={findings} words={words} />
            ))}
          </div>
        </Panel>
      )}
      {report.features.length > 0 && <QualityFeatures features={report.features} page={page} />}
    </>
  );
}

const tones: Readonly<Record<QualityFinding['severity'], Tone>> = {
  problem: 'bad',
  warning: 'warn',
  note: 'neutral',
};

/** One kind of finding: its words stand once, whatever it is about. */
function Findings(props: {
  code: string;
  findings: readonly QualityFinding[];
  words: QualityWords;
}): JSX.Element {
  const { code, findings, words } = props;
  const { page } = words;
  const { title, means, fix } = words.findings[code] ?? { title: code, means: code, fix: code };
  return (
    <section aria-label={title} className={styles.stack}>
      <h3>{title}</h3>
      <p>{means}</p>
      <p>
        <strong>{page.fix.replace('{fix}', () => fix)}</strong>
      </p>
      <SmallTable
        label={`${title}: ${page.found}`}
        rows={findings}
        maxHeight={280}
        columns={[
          { header: page.about, render: (row) => <PlainText limit={80}>{row.about}</PlainText> },
          {
            header: page.severity,
            render: (row) => <Badge tone={tones[row.severity]}>{page[row.severity]}</Badge>,
          },
          { header: page.patients, isNumber: true, render: (row) => shownPatients(row, page) },
          {
            header: page.detail,
            render: (row) => (row.detail === '' ? '–' : <PlainText limit={160}>{row.detail}</PlainText>),
          },
        ]}
      />
    </section>
  );
}

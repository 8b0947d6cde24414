// How an import ended, in sentences: what went in, what did not and why, and what to do next.
import { Button } from '@mantine/core';
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../i18n/format.ts';
import { findTerm } from '../i18n/term.ts';
import type { ImportSnapshot } from '../import-run.ts';
import { filesLeft } from '../import-totals.ts';
import styles from '../screens/screens.module.css';
import { Notice, PlainText } from './parts.tsx';

const shownReasons = 6;
const kindNames: ReadonlySet<string> = new Set([
  'patient',
  'encounter',
  'condition',
  'measurement',
  'medication',
  'procedure',
  'consent',
  'imagingStudy',
  'sopInstance',
]);

export function ImportSummary({
  run,
  tablesToExplain,
  onMap,
}: {
  run: ImportSnapshot;
  /** CSV files that lack a column mapping. */
  tablesToExplain: number;
  /** Leads through a column mapping for the files that lack one. */
  onMap: () => void;
}): JSX.Element | null {
  const { t } = useTranslation();
  const format = useFormat();
  const { summary, totals } = run;
  if (summary === null) return null;
  const added = Object.entries(summary.rows)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) =>
      kindNames.has(kind)
        ? t(`import.added.${kind}`, { count, number: format.number(count) })
        : `${format.number(count)} ${kind.slice(0, 40)}`,
    );
  const left = filesLeft(totals);
  const isStopped = run.state === 'stopped';
  const isClean = !isStopped && totals.codes.size === 0 && totals.rows.rejected === 0;
  const title = isStopped ? 'import.summaryStopped' : isClean ? 'import.summaryClean' : 'import.summaryMixed';
  return (
    <>
      <Notice tone={isClean ? 'good' : 'warn'} title={t(title)}>
        {isStopped && (
          <p>
            {t('import.stoppedDetail', {
              done: format.number(totals.filesDone),
              left: format.number(left),
            })}
          </p>
        )}
        <p>
          {added.length > 0 ? t('import.addedList', { list: format.list(added) }) : t('import.nothingAdded')}
        </p>
        <Reasons run={run} isLed={tablesToExplain > 0} />
      </Notice>
      {tablesToExplain > 0 && (
        <Notice
          tone="accent"
          title={t('import.mapTitle', { count: tablesToExplain })}
          actions={<Button onClick={onMap}>{t('import.mapAction')}</Button>}
        >
          <p>{t('import.mapDetail')}</p>
        </Notice>
      )}
    </>
  );
}

/** The reasons of files that did not go in whole, the most frequent first. */
function Reasons({ run, isLed }: { run: ImportSnapshot; isLed: boolean }): JSX.Element | null {
  const { t } = useTranslation();
  const format = useFormat();
  const reasons = [...run.totals.codes]
    .filter(([code]) => !(isLed && code === 'MAPPING_REQUIRED'))
    .sort((left, right) => right[1] - left[1]);
  if (reasons.length === 0) return null;
  return (
    <ul className={styles.list}>
      {reasons.slice(0, shownReasons).map(([code, count]) => (
        <li key={code}>
          <PlainText>
            {t('import.reasonCount', {
              count,
              number: format.number(count),
              reason: findTerm(t, 'error.sentence', code) ?? code.slice(0, 64),
            })}
          </PlainText>
        </li>
      ))}
      {reasons.length > shownReasons && (
        <li>{t('import.moreReasons', { count: reasons.length - shownReasons })}</li>
      )}
    </ul>
  );
}

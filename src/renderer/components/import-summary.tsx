// How an import ended, in sentences: what went in, what did not and why, and what to do next.
import { Button } from '@mantine/core';
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../i18n/format.ts';
import { findTerm, term } from '../i18n/term.ts';
import type { ImportSnapshot } from '../import-run.ts';
import { filesLeft } from '../import-totals.ts';
import styles from '../screens/screens.module.css';
import { Notice, PlainText } from './parts.tsx';

const shownReasons = 6;

export function ImportSummary({
  run,
  onMap,
}: {
  run: ImportSnapshot;
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
      t('import.rowsOf', { kind: term(t, 'import.rowKind', kind).slice(0, 40), count: format.number(count) }),
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
        <p>{added.length > 0 ? t('import.added', { list: format.list(added) }) : t('import.nothingAdded')}</p>
        <Reasons run={run} />
      </Notice>
      {totals.codes.has('MAPPING_REQUIRED') && (
        <Notice
          tone="accent"
          title={t('import.mapTitle', { count: totals.codes.get('MAPPING_REQUIRED') ?? 0 })}
          actions={<Button onClick={onMap}>{t('import.mapAction')}</Button>}
        >
          <p>{t('import.mapDetail')}</p>
        </Notice>
      )}
    </>
  );
}

/** The reasons of files that did not go in whole, the most frequent first. */
function Reasons({ run }: { run: ImportSnapshot }): JSX.Element | null {
  const { t } = useTranslation();
  const format = useFormat();
  const reasons = [...run.totals.codes].sort((left, right) => right[1] - left[1]);
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

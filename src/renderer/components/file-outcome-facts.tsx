// One file's outcome in full: why, what to do, and the first rows that were refused, by row number and field, never by value.
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import type { FileOutcome } from '#ipc/schema.ts';
import { useFormat } from '../i18n/format.ts';
import { term } from '../i18n/term.ts';
import { sumOf } from '../import-totals.ts';
import styles from '../screens/screens.module.css';
import { OutcomeBadge } from './outcome-badge.tsx';
import { CodeText, type Fact, Facts, PlainText, SmallTable } from './parts.tsx';

export function FileOutcomeFacts({ file }: { file: FileOutcome }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const { rows } = file;
  const facts: (Fact | null)[] = [
    [t('import.file'), <PlainText key="name">{file.path}</PlainText>],
    [t('import.result'), <OutcomeBadge key="outcome" outcome={file.outcome} />],
    [
      t('import.format'),
      <PlainText key="format">
        {file.format === null ? t('import.noFormat') : term(t, 'import.formatOf', file.format)}
      </PlainText>,
    ],
    file.code === null
      ? null
      : [t('import.why'), <CodeText key="why" code={file.code} message={file.reason} />],
    [
      t('import.rowCounts'),
      t('import.rowCountsValue', {
        accepted: format.number(rows.accepted),
        duplicate: format.number(rows.duplicate),
        notNeeded: format.number(rows.notNeeded),
        rejected: format.number(rows.rejected),
        all: format.number(sumOf(rows)),
      }),
    ],
  ];
  return (
    <div className={styles.stack}>
      <Facts facts={facts.filter((fact) => fact !== null)} />
      {file.refusals.length > 0 && (
        <>
          <h3>
            {t('import.refusedRows', {
              shown: format.number(file.refusals.length),
              total: format.number(file.rows.rejected),
            })}
          </h3>
          <SmallTable
            label={t('import.refusedTable')}
            rows={file.refusals}
            maxHeight={320}
            columns={[
              { header: t('import.row'), render: (row) => format.number(row.row) },
              {
                header: t('import.field'),
                render: (row) => <PlainText limit={80}>{row.field ?? '–'}</PlainText>,
              },
              { header: t('import.whyAndStep'), render: (row) => <CodeText code={row.code} /> },
            ]}
          />
        </>
      )}
    </div>
  );
}

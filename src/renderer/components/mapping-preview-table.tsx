// The first rows of a table as they would be stored, refusals included.
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import type { MappingPreview } from '#ipc/ingest-contract.ts';
import { useFormat } from '../i18n/format.ts';
import { findTerm } from '../i18n/term.ts';
import styles from '../screens/screens.module.css';
import { Badge, Notice, PlainText, SmallTable } from './parts.tsx';

type Row = MappingPreview['rows'][number];
const shownFacts = 8;

export function MappingPreviewTable({ preview }: { preview: MappingPreview }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const { accepted, rejected, rows } = preview;
  return (
    <>
      <Notice tone={rejected === 0 ? 'good' : 'warn'}>
        <p role="status">
          {t('mapping.previewCounts', {
            accepted: format.number(accepted),
            rejected: format.number(rejected),
            all: format.number(accepted + rejected),
          })}
        </p>
      </Notice>
      <SmallTable<Row>
        label={t('mapping.previewTable')}
        rows={rows}
        maxHeight={360}
        isDense
        columns={[
          { header: t('import.row'), render: ({ row }) => format.number(row) },
          { header: t('mapping.day'), render: ({ day }) => (day === null ? '–' : format.date(day)) },
          { header: t('mapping.stored'), render: (row) => <Facts row={row} /> },
          { header: t('import.result'), render: (row) => <Verdict row={row} /> },
        ]}
      />
    </>
  );
}

function Facts({ row }: { row: Row }): JSX.Element {
  const { t } = useTranslation();
  if (row.facts.length === 0) return <>–</>;
  return (
    <ul className={styles.facts}>
      {row.facts.slice(0, shownFacts).map(({ code, value, unit }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: facts of a row have no other identity and do not move
        <li key={index}>
          <PlainText limit={80}>{code}</PlainText>{' '}
          <strong>
            <PlainText limit={60}>{unit === null ? value : `${value} ${unit}`}</PlainText>
          </strong>
        </li>
      ))}
      {row.facts.length > shownFacts && (
        <li>{t('mapping.moreFacts', { count: row.facts.length - shownFacts })}</li>
      )}
    </ul>
  );
}

function Verdict({ row }: { row: Row }): JSX.Element {
  const { t } = useTranslation();
  if (row.refusal === null) return <Badge tone="good">{t('mapping.wouldGoIn')}</Badge>;
  const { code, field } = row.refusal;
  return (
    <>
      <Badge tone="bad">{t('import.outcome.rejected')}</Badge>{' '}
      <span>
        {findTerm(t, 'error.sentence', code) ?? code.slice(0, 64)}
        {field !== null && (
          <>
            {' ('}
            <PlainText limit={60}>{field}</PlainText>)
          </>
        )}
      </span>
    </>
  );
}

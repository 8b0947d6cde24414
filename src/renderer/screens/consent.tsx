// Consent: who takes part and why, searched and filtered over any number of rows; withdraw in one action, or record a consent.
import { Button, NativeSelect, SegmentedControl, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { type JSX, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ConsentRow } from '#ipc/schema.ts';
import { type ConsentChange, ConsentDialog } from '../components/consent-dialog.tsx';
import { Icon } from '../components/icons.tsx';
import { usePagedRows } from '../components/paged-rows.ts';
import { PagedTable } from '../components/paged-table.tsx';
import { Badge, Empty, PageHeader, PlainText } from '../components/parts.tsx';
import { type NamedSubject, SubjectRoundsDialog } from '../components/subject-rounds-dialog.tsx';
import type { VirtualColumn } from '../components/virtual-table.tsx';
import { useFormat } from '../i18n/format.ts';
import { term } from '../i18n/term.ts';
import { optionText } from '../plain-text.ts';
import { useResearchStudies, useSite } from '../site-context.ts';
import styles from './screens.module.css';

type Decision = ConsentRow['decision'] | null;

interface Filter {
  readonly search: string;
  readonly decision: Decision;
  readonly researchStudyId: string | null;
}

export function Consent(): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const { client } = useSite();
  const [filter, setFilter] = useState<Filter>({ search: '', decision: null, researchStudyId: null });
  const [search] = useDebouncedValue(filter.search, 250);
  const [change, setChange] = useState<ConsentChange | null>(null);
  const [subject, setSubject] = useState<NamedSubject | null>(null);
  const { decision, researchStudyId } = filter;
  const list = usePagedRows({
    key: ['consent', { search, decision, researchStudyId }],
    fetchPage: (page, signal) =>
      client.consent.list({ search, decision, researchStudyId, ...page }, { signal }),
  });
  const isFiltered = search !== '' || decision !== null;
  const columns = useColumns({
    onChange: (row, kind) => setChange({ row, kind, researchStudyId }),
    onRounds: setSubject,
  });
  return (
    <>
      <PageHeader title={t('consent.title')} lead={t('consent.lead')} />
      <div className={styles.fill} data-fill>
        <Toolbar filter={filter} onChange={setFilter} />
        <p className={styles.soft} role="status">
          {list.first !== undefined &&
            t('consent.counts', {
              total: format.number(list.first.total),
              permitted: format.number(list.first.permitted),
              denied: format.number(list.first.denied),
            })}
        </p>
        <PagedTable
          list={list}
          empty={
            <Empty icon="consent" title={t(isFiltered ? 'consent.noneFound' : 'consent.none')}>
              <p>{t(isFiltered ? 'consent.noneFoundDetail' : 'consent.noneDetail')}</p>
            </Empty>
          }
          label={t('consent.table')}
          columns={columns}
          rowHeight={46}
          leastWidth={1030}
        />
      </div>
      <ConsentDialog change={change} onClose={() => setChange(null)} onRemedy={setSubject} />
      <SubjectRoundsDialog subject={subject} onClose={() => setSubject(null)} />
    </>
  );
}

function Toolbar({ filter, onChange }: { filter: Filter; onChange: (filter: Filter) => void }): JSX.Element {
  const { t } = useTranslation();
  const researchStudies = useResearchStudies();
  return (
    <search className={styles.toolbar}>
      <TextInput
        type="search"
        className={styles.grow ?? ''}
        label={t('consent.search')}
        placeholder={t('consent.searchHint')}
        leftSection={<Icon name="search" size={16} />}
        value={filter.search}
        maxLength={200}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => onChange({ ...filter, search: event.currentTarget.value })}
      />
      <NativeSelect
        label={t('consent.scope')}
        value={filter.researchStudyId ?? ''}
        onChange={(event) => onChange({ ...filter, researchStudyId: event.currentTarget.value || null })}
        data={[
          { value: '', label: t('consent.anyResearch') },
          ...(researchStudies.data ?? []).map((researchStudy) => ({
            value: researchStudy.researchStudyId,
            label: optionText(researchStudy.title),
          })),
        ]}
      />
      <SegmentedControl
        aria-label={t('consent.filter')}
        value={filter.decision ?? 'all'}
        onChange={(value) =>
          onChange({ ...filter, decision: value === 'permit' || value === 'deny' ? value : null })
        }
        data={[
          { value: 'all', label: t('consent.all') },
          { value: 'permit', label: t('consent.decision.permit') },
          { value: 'deny', label: t('consent.decision.deny') },
        ]}
      />
    </search>
  );
}

interface RowActions {
  readonly onChange: (row: ConsentRow, kind: ConsentChange['kind']) => void;
  readonly onRounds: (row: ConsentRow) => void;
}

function useColumns({ onChange, onRounds }: RowActions): VirtualColumn<ConsentRow>[] {
  const { t } = useTranslation();
  const format = useFormat();
  return [
    {
      key: 'patient',
      header: t('consent.patient'),
      track: 'minmax(200px, 1.5fr)',
      render: (row) => (
        <div className={styles.twoLines}>
          <span>
            {row.patientName === null ? (
              t('consent.nameHidden')
            ) : (
              <PlainText limit={80}>{row.patientName}</PlainText>
            )}
          </span>
          <span className={styles.second}>
            <PlainText limit={40}>{row.subjectId}</PlainText>
          </span>
        </div>
      ),
    },
    {
      key: 'decision',
      header: t('consent.today'),
      track: '150px',
      render: (row) => (
        <Badge tone={row.decision === 'permit' ? 'good' : 'neutral'}>
          {term(t, 'consent.decision', row.decision)}
        </Badge>
      ),
    },
    {
      key: 'rule',
      header: t('consent.why'),
      track: 'minmax(160px, 1.4fr)',
      render: (row) => <PlainText limit={80}>{term(t, 'consent.rule', row.rule)}</PlainText>,
    },
    {
      key: 'until',
      header: t('consent.until'),
      track: '110px',
      render: (row) => {
        // Only a consent that permits, or did until its last day, has an end to speak of.
        if (row.decision !== 'permit' && row.rule !== 'expired') return '–';
        if (row.untilDate !== null) return format.date(row.untilDate);
        return row.decision === 'permit' ? t('consent.open') : '–';
      },
    },
    {
      key: 'source',
      header: t('consent.source'),
      track: '86px',
      render: (row) => (
        <PlainText limit={40}>
          {row.source === null ? '–' : term(t, 'consent.sourceOf', row.source)}
        </PlainText>
      ),
    },
    {
      key: 'action',
      header: t('consent.action'),
      track: '330px',
      render: (row) => {
        const kind = row.decision === 'permit' ? 'withdraw' : 'grant';
        return (
          <div className={styles.rowActions}>
            <Button
              size="compact-sm"
              variant={kind === 'withdraw' ? 'default' : 'subtle'}
              aria-label={t(`consent.${kind}Of`, { subject: row.subjectId.slice(0, 40) })}
              onClick={() => onChange(row, kind)}
            >
              {t(`consent.${kind}`)}
            </Button>
            {row.awaitsErasure ? (
              <Button
                size="compact-sm"
                variant="default"
                aria-label={t('consent.eraseOf', { subject: row.subjectId.slice(0, 40) })}
                onClick={() => onChange(row, 'withdraw')}
              >
                {t('consent.erase')}
              </Button>
            ) : null}
            <Button
              size="compact-sm"
              variant="subtle"
              aria-label={t('rounds.of', { subject: row.subjectId.slice(0, 40) })}
              onClick={() => onRounds(row)}
            >
              {t('rounds.open')}
            </Button>
          </div>
        );
      },
    },
  ];
}

// Audit log: every act at this site, filtered and searched over any number of entries; details of one; the whole verified on demand.
import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useMutation } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AuditEntry } from '#ipc/schema.ts';
import { AuditEntryFacts } from '../components/audit-entry-facts.tsx';
import { AuditVerdict } from '../components/audit-verdict.tsx';
import { Dialog } from '../components/dialog.tsx';
import { Icon } from '../components/icons.tsx';
import { usePagedRows } from '../components/paged-rows.ts';
import { PagedTable } from '../components/paged-table.tsx';
import { Badge, Empty, PageHeader, PlainText, ProblemNotice, type Tone } from '../components/parts.tsx';
import type { VirtualColumn } from '../components/virtual-table.tsx';
import { useFormat } from '../i18n/format.ts';
import { term } from '../i18n/term.ts';
import { optionText } from '../plain-text.ts';
import { useSite } from '../site-context.ts';
import styles from './screens.module.css';

const tones: Record<AuditEntry['outcome'], Tone> = { success: 'good', refused: 'warn', failed: 'bad' };

export function AuditLog(): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const { client } = useSite();
  const [text, setText] = useState('');
  const [action, setAction] = useState<string | null>(null);
  const [entry, setEntry] = useState<AuditEntry | null>(null);
  const [search] = useDebouncedValue(text, 250);
  const list = usePagedRows({
    key: ['audit', { search, action }],
    fetchPage: async (page, signal) => {
      const found = await client.audit.list({ search, action, ...page }, { signal });
      return { total: found.total, actions: found.actions, rows: found.entries };
    },
    refetchIntervalMs: 15_000,
  });
  const verify = useMutation({ mutationFn: () => client.audit.verify() });
  const columns = useColumns(setEntry);
  return (
    <>
      <PageHeader
        title={t('audit.title')}
        lead={t('audit.lead')}
        actions={
          <Button loading={verify.isPending} onClick={() => verify.mutate()}>
            {t('audit.verify')}
          </Button>
        }
      />
      <div className={styles.fill} data-fill>
        <div role="status">{verify.isSuccess && <AuditVerdict verification={verify.data} />}</div>
        {verify.isError && <ProblemNotice error={verify.error} />}
        <search className={styles.toolbar}>
          <TextInput
            type="search"
            className={styles.grow ?? ''}
            label={t('audit.search')}
            placeholder={t('audit.searchHint')}
            leftSection={<Icon name="search" size={16} />}
            value={text}
            maxLength={200}
            spellCheck={false}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          <NativeSelect
            label={t('audit.action')}
            value={action ?? ''}
            onChange={(event) => setAction(event.currentTarget.value || null)}
            data={[
              { value: '', label: t('audit.allActions') },
              ...(list.first?.actions ?? []).map((name) => ({
                value: name,
                label: optionText(term(t, 'audit.actionOf', name)),
              })),
            ]}
          />
        </search>
        <p className={styles.soft} role="status">
          {list.first !== undefined &&
            t('audit.count', { count: list.total, total: format.number(list.total) })}
        </p>
        <PagedTable
          list={list}
          empty={<Empty icon="audit" title={t('audit.none')} />}
          label={t('audit.table')}
          columns={columns}
          rowHeight={40}
          leastWidth={930}
        />
      </div>
      <Dialog
        isOpen={entry !== null}
        onClose={() => setEntry(null)}
        title={t('audit.entry', { seq: entry?.seq ?? 0 })}
      >
        {entry !== null && <AuditEntryFacts entry={entry} />}
      </Dialog>
    </>
  );
}

function useColumns(onOpen: (entry: AuditEntry) => void): VirtualColumn<AuditEntry>[] {
  const { t } = useTranslation();
  const format = useFormat();
  return [
    {
      key: 'seq',
      header: t('audit.seq'),
      track: '58px',
      isNumber: true,
      render: (entry) => format.number(entry.seq),
    },
    { key: 'time', header: t('audit.time'), track: '176px', render: (entry) => format.exactTime(entry.time) },
    {
      key: 'actor',
      header: t('audit.actor'),
      track: 'minmax(110px, 1fr)',
      render: (entry) => (
        <PlainText limit={60}>{entry.actor === 'system' ? t('audit.system') : entry.actor}</PlainText>
      ),
    },
    {
      key: 'action',
      header: t('audit.action'),
      track: 'minmax(150px, 1.6fr)',
      render: (entry) => <PlainText limit={80}>{term(t, 'audit.actionOf', entry.action)}</PlainText>,
    },
    {
      key: 'object',
      header: t('audit.object'),
      track: 'minmax(90px, 1fr)',
      render: (entry) => <PlainText limit={60}>{entry.object ?? '–'}</PlainText>,
    },
    {
      key: 'round',
      header: t('audit.round'),
      track: '50px',
      isNumber: true,
      render: (entry) => (entry.round === null ? '–' : format.number(entry.round)),
    },
    {
      key: 'outcome',
      header: t('audit.outcome'),
      track: '100px',
      render: (entry) => (
        <Badge tone={tones[entry.outcome]}>{term(t, 'audit.outcomeOf', entry.outcome)}</Badge>
      ),
    },
    {
      key: 'details',
      header: t('audit.details'),
      track: '104px',
      render: (entry) => (
        <Button
          size="compact-sm"
          variant="subtle"
          aria-label={t('audit.detailsOf', { seq: entry.seq })}
          onClick={() => onOpen(entry)}
        >
          {t('audit.details')}
        </Button>
      ),
    },
  ];
}

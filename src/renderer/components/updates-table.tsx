// Every update this site has built, and what became of it.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../i18n/format.ts';
import { term } from '../i18n/term.ts';
import { useSite } from '../site-context.ts';
import { Empty, Loading, Panel, PlainText, ProblemNotice, SmallTable } from './parts.tsx';
import { RoundStateBadge } from './round-state-badge.tsx';

export function UpdatesTable(): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const { client } = useSite();
  const updates = useQuery({
    queryKey: ['updates'],
    queryFn: ({ signal }) => client.updates.list(undefined, { signal }),
  });
  return (
    <Panel title={t('updates.title')} note={t('updates.note')}>
      {updates.isPending && <Loading />}
      {updates.isError && <ProblemNotice error={updates.error} onRetry={() => void updates.refetch()} />}
      {updates.data?.length === 0 && <Empty icon="round" title={t('updates.none')} />}
      {updates.data !== undefined && updates.data.length > 0 && (
        <SmallTable
          label={t('updates.title')}
          rows={updates.data}
          maxHeight={320}
          columns={[
            {
              header: t('updates.round'),
              render: (row) => (
                <Link to="/round" search={{ study: row.researchStudyId, update: row.updateId }}>
                  {t('updates.roundOf', { round: row.round, kind: term(t, 'round.kind', row.kind) })}
                </Link>
              ),
            },
            {
              header: t('updates.study'),
              render: (row) => <PlainText limit={64}>{row.researchStudyId}</PlainText>,
            },
            { header: t('updates.built'), render: (row) => format.dateTime(row.builtAt) },
            { header: t('updates.state'), render: (row) => <RoundStateBadge state={row.state} /> },
          ]}
        />
      )}
    </Panel>
  );
}

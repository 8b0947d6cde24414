// Home: what waits for the signed-in person, the updates of this site, and the state of the site at a glance.

import { useQuery } from '@tanstack/react-query';
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import type { SiteStatus } from '#ipc/schema.ts';
import { codeSystemName } from '../code-systems.ts';
import { EnrolmentPanel } from '../components/enrolment-panel.tsx';
import {
  Empty,
  Facts,
  Figures,
  Loading,
  PageHeader,
  Panel,
  PlainText,
  ProblemNotice,
  SmallTable,
} from '../components/parts.tsx';
import { TaskList } from '../components/task-list.tsx';
import { UpdatesTable } from '../components/updates-table.tsx';
import { useFormat } from '../i18n/format.ts';
import { findTerm, term } from '../i18n/term.ts';
import { useSession, useSite, useStatus } from '../site-context.ts';
import styles from './screens.module.css';

export function Home(): JSX.Element {
  const { t } = useTranslation();
  const status = useStatus();
  const person = useSession().data;
  return (
    <>
      <PageHeader
        title={t('home.title')}
        lead={person ? <PlainText limit={140}>{t('home.lead', { name: person.name })}</PlainText> : undefined}
      />
      {status.isError && <ProblemNotice error={status.error} onRetry={() => void status.refetch()} />}
      <div className={styles.columns}>
        <div className={styles.stack}>
          {status.data?.siteId === null && <EnrolmentPanel />}
          <TaskList outboxCount={status.data?.outboxCount ?? 0} />
          <UpdatesTable />
          {person?.role === 'steward' && <RecordsPanel />}
        </div>
        <SitePanel status={status.data} />
      </div>
    </>
  );
}

function SitePanel({ status }: { status: SiteStatus | undefined }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  if (status === undefined) {
    return (
      <Panel title={t('home.site')}>
        <Loading />
      </Panel>
    );
  }
  const engine = status.engine;
  return (
    <Panel title={t('home.site')}>
      <div className={styles.stack}>
        <Figures
          figures={[
            { name: t('home.subjects'), value: format.number(status.subjectCount) },
            { name: t('home.facts'), value: format.number(status.factCount) },
            { name: t('home.toReview'), value: format.number(status.updatesToReview) },
            { name: t('home.outbox'), value: format.number(status.outboxCount) },
          ]}
        />
        <Facts
          facts={[
            [t('home.name'), <PlainText key="name">{status.name}</PlainText>],
            [t('home.siteId'), <PlainText key="id">{status.siteId ?? t('home.notEnrolled')}</PlainText>],
            [
              t('home.consortium'),
              <PlainText key="consortium">{status.consortium ?? t('home.none')}</PlainText>,
            ],
            [
              t('home.engine'),
              engine === null ? (
                t('home.engineNone')
              ) : (
                <>
                  <PlainText>{`${engine.name} ${engine.version}`}</PlainText>
                  <div className={`${styles.soft} ${styles.small}`}>
                    <PlainText>{findTerm(t, 'home.engineReason', engine.name) ?? engine.reason}</PlainText>
                  </div>
                </>
              ),
            ],
            [t('home.version'), <PlainText key="version">{status.version}</PlainText>],
          ]}
        />
      </div>
    </Panel>
  );
}

/** For stewards alone: exact counts would give away what a cohort preview withholds. */
function RecordsPanel(): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const { client } = useSite();
  const records = useQuery({
    queryKey: ['records'],
    queryFn: ({ signal }) => client.records(undefined, { signal }),
  });
  return (
    <Panel title={t('home.records')} note={t('home.recordsNote')}>
      {records.isPending && <Loading />}
      {records.isError && <ProblemNotice error={records.error} onRetry={() => void records.refetch()} />}
      {records.data?.length === 0 && <Empty icon="import" title={t('home.noRecords')} />}
      {records.data !== undefined && records.data.length > 0 && (
        <SmallTable
          label={t('home.records')}
          rows={records.data}
          maxHeight={300}
          columns={[
            {
              header: t('home.code'),
              render: (row) => (
                <div className={styles.twoLines}>
                  <PlainText limit={64}>{row.code}</PlainText>
                  <span className={styles.second}>
                    <PlainText limit={40}>{term(t, 'home.kindOf', row.kind)}</PlainText>
                  </span>
                </div>
              ),
            },
            {
              header: t('home.system'),
              render: (row) => <PlainText limit={120}>{codeSystemName(row.system)}</PlainText>,
            },
            { header: t('home.subjects'), isNumber: true, render: (row) => format.number(row.subjectCount) },
            { header: t('home.facts'), isNumber: true, render: (row) => format.number(row.factCount) },
          ]}
        />
      )}
    </Panel>
  );
}

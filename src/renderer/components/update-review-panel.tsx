// An update before its steward: the disclosure report on the left, the decision beside it for as long as it is open.
import { useQuery } from '@tanstack/react-query';
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import type { UpdateReview } from '#ipc/schema.ts';
import { useFormat } from '../i18n/format.ts';
import { readProblem } from '../problem.ts';
import styles from '../screens/screens.module.css';
import { useSite } from '../site-context.ts';
import { DecisionPanel } from './decision-panel.tsx';
import { LossChart } from './loss-chart.tsx';
import { Digest, Facts, Loading, Notice, Panel, PlainText, ProblemNotice } from './parts.tsx';
import { ReportBytes, ReportComparison, ReportNotices, ReportStatement } from './report-parts.tsx';
import { SelectionTable } from './selection-table.tsx';

export function UpdateReviewPanel({ updateId }: { updateId: string }): JSX.Element {
  const { t } = useTranslation();
  const { client } = useSite();
  const review = useQuery({
    queryKey: ['review', updateId],
    queryFn: ({ signal }) => client.updates.review({ updateId }, { signal }),
  });
  if (review.isPending) return <Loading />;
  if (review.isError && readProblem(review.error).code === 'ROLE_NOT_ALLOWED') {
    return (
      <Notice tone="neutral" icon="lock">
        <p>{t('report.rolesOnly')}</p>
      </Notice>
    );
  }
  if (review.isError) return <ProblemNotice error={review.error} onRetry={() => void review.refetch()} />;
  const { report, lossCurve } = review.data;
  return (
    <div className={styles.columns}>
      <div className={styles.stack}>
        <ReportBytes report={report} />
        <ReportStatement report={report} />
        <ReportNotices report={report} />
        <ReportComparison report={report} />
        {lossCurve.length > 0 && (
          <Panel title={t('report.loss')} note={t('report.lossNote')}>
            <LossChart points={lossCurve} stamp={0} />
          </Panel>
        )}
        <Panel title={t('report.selection')} note={t('report.selectionNote')}>
          <SelectionTable selection={report.selection} />
        </Panel>
        <Evidence review={review.data} />
      </div>
      <div className={styles.sticky}>
        <DecisionPanel review={review.data} />
      </div>
    </div>
  );
}

function Evidence({ review }: { review: UpdateReview }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const { report } = review;
  return (
    <Panel title={t('report.evidence')} note={t('report.evidenceNote')}>
      <Facts
        facts={[
          [t('report.updateDigest'), <Digest key="update">{report.updateDigest}</Digest>],
          [t('report.reportDigest'), <Digest key="report">{review.reportDigest}</Digest>],
          [t('report.planDigest'), <Digest key="plan">{report.plan.digest}</Digest>],
          [t('report.cohortDigest'), <Digest key="cohort">{report.cohortDigest}</Digest>],
          [t('report.consentAt'), format.dateTime(report.consent.evaluatedAt)],
          [t('report.consentDigest'), <Digest key="consent">{report.consent.snapshotDigest}</Digest>],
          [t('report.recipient'), <PlainText key="recipient">{report.recipient.consortium}</PlainText>],
          [t('report.recipientKey'), <Digest key="key">{report.recipient.keyId}</Digest>],
          [t('report.site'), <PlainText key="site">{report.siteId}</PlainText>],
        ]}
      />
    </Panel>
  );
}

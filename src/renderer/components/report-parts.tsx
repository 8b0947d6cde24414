// The disclosure report in parts: the exact bytes, the statement that leaves with them, what does and does not protect them, and the figures behind them.
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import type { DisclosureReport } from '#ipc/schema.ts';
import { useFormat } from '../i18n/format.ts';
import { findTerm, term } from '../i18n/term.ts';
import styles from '../screens/screens.module.css';
import { Digest, Facts, Figures, Notice, Panel, PlainText, SmallTable } from './parts.tsx';

type Tensor = DisclosureReport['tensors'][number];

const sizeOf = (tensor: Tensor): number => tensor.shape.reduce((product, length) => product * length, 1);

/** What leaves first of all: so many bytes of numbers, under this digest. */
export function ReportBytes({ report }: { report: DisclosureReport }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const numbers = report.tensors.reduce((sum, tensor) => sum + sizeOf(tensor), 0);
  return (
    <Panel title={t('report.leaves')} note={t(`report.leavesNote.${report.roundKind}`)}>
      <div className={styles.stack}>
        <Figures
          figures={[
            {
              name: t('report.bytes'),
              value: format.number(report.payloadBytes),
              note: t('report.bytesNote'),
            },
            {
              name: t('report.numbers'),
              value: format.number(numbers),
              note: t('report.tensorCount', { count: report.tensors.length }),
            },
            { name: t('report.records'), value: format.number(0), note: t('report.recordsNote') },
          ]}
        />
        <Facts
          facts={[
            [t('report.payloadDigest'), <Digest key="payload">{report.payloadDigest}</Digest>],
            [t('report.plan'), t('report.planVersion', { version: format.number(report.plan.version) })],
            [t('report.to'), <PlainText key="to">{report.recipient.consortium}</PlainText>],
          ]}
        />
        <SmallTable
          label={t('report.tensorTable')}
          rows={report.tensors}
          maxHeight={300}
          columns={[
            {
              header: t('report.tensor'),
              render: (tensor) => <PlainText limit={120}>{tensor.name}</PlainText>,
            },
            {
              header: t('report.type'),
              render: (tensor) => <PlainText limit={20}>{tensor.dtype}</PlainText>,
            },
            {
              header: t('report.shape'),
              render: (tensor) => tensor.shape.map((length) => format.number(length)).join(' × ') || '1',
            },
            { header: t('report.count'), isNumber: true, render: (tensor) => format.number(sizeOf(tensor)) },
            { header: t('report.norm'), isNumber: true, render: (tensor) => format.number(tensor.l2Norm) },
            {
              header: t('report.largest'),
              isNumber: true,
              render: (tensor) => format.number(tensor.largest),
            },
          ]}
        />
      </div>
    </Panel>
  );
}

export function ReportNotices({ report }: { report: DisclosureReport }): JSX.Element | null {
  const { t } = useTranslation();
  if (report.notices.length === 0) return null;
  return (
    <Notice tone="warn" title={t('report.notices')}>
      <ul className={styles.list}>
        {report.notices.map((notice) => (
          <li key={notice}>
            <PlainText limit={400}>{findTerm(t, 'report.notice', notice) ?? notice}</PlainText>
          </li>
        ))}
      </ul>
    </Notice>
  );
}

/** What leaves with the numbers: every field of the signed statement (docs/formats/dsse-record.md) and of the approval. */
export function ReportStatement({ report }: { report: DisclosureReport }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const { lossBefore, lossAfter } = report.metrics;
  const loss = (value: number | null): string => (value === null ? '–' : format.number(value, 4));
  return (
    <Panel title={t('report.statement')} note={t('report.statementNote')}>
      <div className={styles.stack}>
        <Figures
          figures={[
            { name: t('report.patients'), value: format.number(report.patientCount) },
            { name: t('report.examples'), value: format.number(report.exampleCount) },
            { name: t('report.lossBefore'), value: loss(lossBefore) },
            { name: t('report.lossAfter'), value: loss(lossAfter) },
          ]}
        />
        <Facts
          facts={[
            [
              t('report.statementAbout'),
              <PlainText key="about">
                {t('report.statementAboutValue', {
                  site: report.siteId,
                  researchStudyId: report.researchStudyId,
                  round: report.round,
                  kind: term(t, 'round.kind', report.roundKind),
                })}
              </PlainText>,
            ],
            [
              t('report.statementTimes'),
              t('report.statementTimesValue', { checked: format.dateTime(report.consent.evaluatedAt) }),
            ],
            [t('report.statementDigests'), t('report.statementDigestsValue')],
            [t('report.statementSite'), t('report.statementSiteValue')],
            [t('report.statementApproval'), t('report.statementApprovalValue')],
          ]}
        />
      </div>
    </Panel>
  );
}

/** What helps to judge the figures; it stays here. */
export function ReportComparison({ report }: { report: DisclosureReport }): JSX.Element {
  const { t } = useTranslation();
  return (
    <Panel
      title={t('report.behind')}
      note={t('updates.roundOf', { round: report.round, kind: term(t, 'round.kind', report.roundKind) })}
    >
      <div className={styles.stack}>
        {report.roundKind === 'training' && <Norm report={report} />}
        <SinceLast report={report} />
      </div>
    </Panel>
  );
}

function Norm({ report }: { report: DisclosureReport }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const share = report.maxUpdateNorm > 0 ? report.l2Norm / report.maxUpdateNorm : 0;
  return (
    <div>
      <div className={styles.progressHead}>
        <span>
          {t('report.size', {
            norm: format.number(report.l2Norm),
            limit: format.number(report.maxUpdateNorm),
          })}
        </span>
        <span className={styles.soft}>{t('report.sizeShare', { share: format.percent(share) })}</span>
      </div>
      <div className={styles.bar} aria-hidden="true">
        <div style={{ width: `${Math.min(100, share * 100)}%` }} />
      </div>
    </div>
  );
}

function SinceLast({ report }: { report: DisclosureReport }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const { sinceLast } = report;
  if (sinceLast === null) return <p className={styles.soft}>{t('report.sinceFirst')}</p>;
  return (
    <div>
      <h3>{t('report.since', { round: sinceLast.round })}</h3>
      <ul className={styles.list}>
        <li>{t(sinceLast.exampleCountChanged ? 'report.examplesChanged' : 'report.examplesSame')}</li>
        <li>{t('report.normRatio', { ratio: format.number(sinceLast.l2NormRatio, 2) })}</li>
      </ul>
    </div>
  );
}

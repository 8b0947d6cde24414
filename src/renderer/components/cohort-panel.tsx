// The cohort as it would be frozen now: counts in and out, and how complete each feature is.
import { useQuery } from '@tanstack/react-query';
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import type { CohortPreview, ResearchStudy } from '#ipc/schema.ts';
import { useFormat } from '../i18n/format.ts';
import styles from '../screens/screens.module.css';
import { useSite } from '../site-context.ts';
import { Badge, Loading, Notice, Panel, PlainText, ProblemNotice, SmallTable } from './parts.tsx';
import { SelectionTable, useCountText } from './selection-table.tsx';

export function CohortPanel({ researchStudy }: { researchStudy: ResearchStudy }): JSX.Element {
  const { t } = useTranslation();
  const { client } = useSite();
  const { researchStudyId } = researchStudy;
  const preview = useQuery({
    queryKey: ['cohort', researchStudyId],
    queryFn: ({ signal }) => client.cohort.preview({ researchStudyId }, { signal }),
  });
  if (preview.isPending || preview.isError) {
    return (
      <Panel title={t('cohort.title')} note={t('cohort.note')}>
        {preview.isPending ? (
          <Loading />
        ) : (
          <ProblemNotice error={preview.error} onRetry={() => void preview.refetch()} />
        )}
      </Panel>
    );
  }
  return (
    <div className={styles.stack}>
      <Panel title={t('cohort.title')} note={t('cohort.note')}>
        <div className={styles.stack}>
          <Minimum researchStudy={researchStudy} preview={preview.data} />
          <SelectionTable selection={preview.data.selection} />
        </div>
      </Panel>
      <QualityPanel preview={preview.data} />
    </div>
  );
}

function Minimum({
  researchStudy,
  preview,
}: {
  researchStudy: ResearchStudy;
  preview: CohortPreview;
}): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const least = {
    training: format.number(researchStudy.minimumCohort.training),
    evaluation: format.number(researchStudy.minimumCohort.evaluation),
  };
  if (preview.meetsMinimum) {
    return (
      <Notice tone="good">
        <p>{t('cohort.meets', least)}</p>
      </Notice>
    );
  }
  return (
    <Notice tone="bad" title={t('cohort.tooSmall')}>
      <p>{t('cohort.tooSmallDetail', least)}</p>
      <p>
        <PlainText limit={1000}>{researchStudy.minimumCohort.reason}</PlainText>
      </p>
    </Notice>
  );
}

function QualityPanel({ preview }: { preview: CohortPreview }): JSX.Element {
  const { t } = useTranslation();
  const countText = useCountText();
  return (
    <Panel title={t('cohort.quality')} note={t('cohort.qualityNote')}>
      <SmallTable
        label={t('cohort.quality')}
        rows={preview.features}
        maxHeight={420}
        columns={[
          { header: t('plan.feature'), render: (row) => <PlainText limit={80}>{row.name}</PlainText> },
          {
            header: t('cohort.present'),
            isNumber: true,
            render: (row) => countText(row.presentCount),
          },
          {
            header: t('cohort.missing'),
            isNumber: true,
            render: (row) => countText(row.missingCount),
          },
          {
            header: t('cohort.unitNotConvertible'),
            isNumber: true,
            render: (row) => countText(row.unitNotConvertibleCount),
          },
          {
            header: t('cohort.flagged'),
            isNumber: true,
            render: (row) => countText(row.flaggedCount),
          },
          {
            header: t('cohort.remark'),
            render: (row) => (row.isConstant ? <Badge tone="warn">{t('cohort.constant')}</Badge> : '–'),
          },
        ]}
      />
    </Panel>
  );
}

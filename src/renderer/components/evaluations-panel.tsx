// How good each global model is on this site's own test patients.
import { useQuery } from '@tanstack/react-query';
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../i18n/format.ts';
import { useSite } from '../site-context.ts';
import { Digest, Empty, Loading, Panel, ProblemNotice, SmallTable } from './parts.tsx';

export function EvaluationsPanel({ researchStudyId }: { researchStudyId: string }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const { client } = useSite();
  const evaluations = useQuery({
    queryKey: ['evaluations', researchStudyId],
    queryFn: ({ signal }) => client.evaluations({ researchStudyId }, { signal }),
  });
  return (
    <Panel title={t('evaluation.title')} note={t('evaluation.note')}>
      {evaluations.isPending && <Loading />}
      {evaluations.isError && (
        <ProblemNotice error={evaluations.error} onRetry={() => void evaluations.refetch()} />
      )}
      {evaluations.data?.length === 0 && <Empty icon="round" title={t('evaluation.none')} />}
      {evaluations.data !== undefined && evaluations.data.length > 0 && (
        <SmallTable
          label={t('evaluation.title')}
          rows={evaluations.data}
          maxHeight={520}
          columns={[
            { header: t('evaluation.afterRound'), render: (row) => format.number(row.round) },
            {
              header: t('evaluation.accuracy'),
              isNumber: true,
              render: (row) => format.percent(row.accuracy),
            },
            {
              header: t('evaluation.correct'),
              isNumber: true,
              render: (row) =>
                t('evaluation.correctOf', {
                  correct: format.number(row.correctCount),
                  total: format.number(row.exampleCount),
                }),
            },
            {
              header: t('evaluation.meanLoss'),
              isNumber: true,
              render: (row) => format.number(row.meanLoss, 4),
            },
            { header: t('evaluation.at'), render: (row) => format.dateTime(row.evaluatedAt) },
            { header: t('evaluation.model'), render: (row) => <Digest>{row.modelDigest}</Digest> },
          ]}
        />
      )}
    </Panel>
  );
}

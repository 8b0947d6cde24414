// In which rounds a patient was, what of them left, and what the plan promises after a withdrawal: asked for here, without saying for whom.
import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';
import type { SubjectRound } from '#ipc/subject-rounds-schema.ts';
import { useFormat } from '../i18n/format.ts';
import { term } from '../i18n/term.ts';
import styles from '../screens/screens.module.css';
import { useResearchStudies, useSite } from '../site-context.ts';
import { Dialog, useLastShown } from './dialog.tsx';
import { Badge, Facts, Loading, Notice, PlainText, ProblemNotice, SmallTable, type Tone } from './parts.tsx';

export interface NamedSubject {
  readonly subjectId: string;
  readonly patientName: string | null;
}

/** Rounds that learned from a patient who is out since, and of whose remedy nothing was asked yet, or in vain. */
export function awaitsRemedy({ remedy, departure, erasedAt, remedyState }: SubjectRound): boolean {
  const isOpen = remedyState !== 'requested' && remedyState !== 'carried-out';
  return remedy !== null && departure !== 'never' && erasedAt !== null && isOpen;
}

export function SubjectRoundsDialog({
  subject,
  onClose,
}: {
  subject: NamedSubject | null;
  onClose: () => void;
}): JSX.Element {
  const { t } = useTranslation();
  const shown = useLastShown(subject);
  return (
    <Dialog isOpen={subject !== null} onClose={onClose} title={t('rounds.title')} size="xl">
      {shown !== null && <Content key={shown.subjectId} subject={shown} onClose={onClose} />}
    </Dialog>
  );
}

function Content({ subject, onClose }: { subject: NamedSubject; onClose: () => void }): JSX.Element {
  const { t } = useTranslation();
  const { client } = useSite();
  const { subjectId, patientName } = subject;
  const rounds = useQuery({
    queryKey: ['consent', 'rounds', subjectId],
    queryFn: ({ signal }) => client.consent.rounds({ subjectId }, { signal }),
  });
  return (
    <div className={styles.stack}>
      <Facts
        facts={[
          [
            t('consent.patient'),
            patientName === null ? t('consent.nameHidden') : <PlainText key="name">{patientName}</PlainText>,
          ],
          [t('consent.subject'), <PlainText key="id">{subjectId}</PlainText>],
        ]}
      />
      {rounds.isPending && <Loading />}
      {rounds.isError && <ProblemNotice error={rounds.error} onRetry={() => void rounds.refetch()} />}
      {rounds.isSuccess && <Rounds rounds={rounds.data} subjectId={subjectId} />}
      <div className={styles.dialogActions}>
        <Button variant="default" onClick={onClose} data-autofocus>
          {t('common.close')}
        </Button>
      </div>
    </div>
  );
}

function Rounds({ rounds, subjectId }: { rounds: readonly SubjectRound[]; subjectId: string }): JSX.Element {
  const { t } = useTranslation();
  if (rounds.length === 0) return <p className={styles.soft}>{t('rounds.none')}</p>;
  const asked = Map.groupBy(rounds.filter(awaitsRemedy), ({ researchStudyId }) => researchStudyId);
  const hasLeft = rounds.some(({ departure, epsilon }) => departure !== 'never' && epsilon === null);
  return (
    <>
      <RoundsTable rounds={rounds} />
      {hasLeft && <p className={`${styles.soft} ${styles.small}`}>{t('rounds.noBound')}</p>}
      {[...asked].map(([researchStudyId, some]) => (
        <RemedyNotice
          key={researchStudyId}
          subjectId={subjectId}
          researchStudyId={researchStudyId}
          rounds={some}
        />
      ))}
    </>
  );
}

const tones: Readonly<Record<SubjectRound['remedyState'], Tone>> = {
  none: 'neutral',
  requested: 'accent',
  refused: 'bad',
  dismissed: 'bad',
  'carried-out': 'good',
};

function RoundsTable({ rounds }: { rounds: readonly SubjectRound[] }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const titleOf = useStudyTitle();
  return (
    <SmallTable
      label={t('rounds.table')}
      rows={rounds}
      maxHeight={320}
      columns={[
        {
          header: t('rounds.study'),
          render: (row) => <PlainText limit={80}>{titleOf(row.researchStudyId)}</PlainText>,
        },
        { header: t('rounds.round'), isNumber: true, render: (row) => format.number(row.round) },
        {
          header: t('rounds.part'),
          render: (row) => <span className={styles.oneLine}>{term(t, 'rounds.partOf', row.part)}</span>,
        },
        { header: t('rounds.left'), render: (row) => term(t, 'rounds.departure', row.departure) },
        {
          header: t('rounds.erased'),
          render: (row) => (
            <span className={styles.oneLine}>
              {row.erasedAt === null ? t('rounds.member') : format.date(row.erasedAt)}
            </span>
          ),
        },
        {
          header: t('rounds.remedy'),
          render: (row) =>
            row.remedyState === 'none' ? (
              '–'
            ) : (
              <>
                <Badge tone={tones[row.remedyState]}>{term(t, 'rounds.remedyState', row.remedyState)}</Badge>{' '}
                {row.dismissalReason === null ? null : (
                  <PlainText limit={500}>{row.dismissalReason}</PlainText>
                )}
              </>
            ),
        },
      ]}
    />
  );
}

interface RemedyOffer {
  readonly subjectId: string;
  readonly researchStudyId: string;
  /** At least one. */
  readonly rounds: readonly SubjectRound[];
}

/** What the plan promises, and the one step that asks for it. */
function RemedyNotice({ subjectId, researchStudyId, rounds }: RemedyOffer): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const { client } = useSite();
  const queryClient = useQueryClient();
  const titleOf = useStudyTitle();
  const remedy = rounds[0]?.remedy ?? 'keep-model';
  const ask = useMutation({
    mutationFn: () => client.consent.requestRemedy({ subjectId, researchStudyId }),
    onSuccess: async () => {
      notifications.show({ message: t('rounds.asked'), withCloseButton: false });
      await queryClient.invalidateQueries();
    },
  });
  const numbers = format.list(
    [...new Set(rounds.map(({ round }) => round))].map((one) => format.number(one)),
  );
  return (
    <Notice
      tone={remedy === 'keep-model' ? 'neutral' : 'warn'}
      title={<PlainText limit={200}>{titleOf(researchStudyId)}</PlainText>}
      actions={
        remedy !== 'keep-model' && (
          <Button color="petrol" loading={ask.isPending} onClick={() => ask.mutate()}>
            {t('rounds.ask')}
          </Button>
        )
      }
    >
      <p>{t('rounds.leftBefore', { rounds: numbers })}</p>
      <p>{term(t, 'rounds.remedyOf', remedy)}</p>
      {remedy !== 'keep-model' && <p>{t('rounds.askWhat')}</p>}
      {ask.isError && <ProblemNotice error={ask.error} />}
    </Notice>
  );
}

function useStudyTitle(): (researchStudyId: string) => string {
  const researchStudies = useResearchStudies();
  return (researchStudyId) =>
    researchStudies.data?.find((one) => one.researchStudyId === researchStudyId)?.title ?? researchStudyId;
}

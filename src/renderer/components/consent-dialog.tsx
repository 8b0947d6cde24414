// Confirms a withdrawal or a new consent: for whom, what it does and what it cannot undo. Esc or Cancel changes nothing.
import { Button, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ConsentRow } from '#ipc/schema.ts';
import { term } from '../i18n/term.ts';
import styles from '../screens/screens.module.css';
import { useSite } from '../site-context.ts';
import { Dialog, useLastShown } from './dialog.tsx';
import { Facts, Notice, PlainText, ProblemNotice } from './parts.tsx';
import { awaitsRemedy } from './subject-rounds-dialog.tsx';

export interface ConsentChange {
  readonly row: ConsentRow;
  readonly kind: 'withdraw' | 'grant';
  /** The research study it is for; null: research in general. */
  readonly researchStudyId: string | null;
}

export function ConsentDialog({
  change,
  onClose,
  onRemedy,
}: {
  change: ConsentChange | null;
  onClose: () => void;
  /** After a withdrawal of somebody of whom updates had left: what the plan promises is the next step. */
  onRemedy: (row: ConsentRow) => void;
}): JSX.Element {
  const { t } = useTranslation();
  const shown = useLastShown(change);
  return (
    <Dialog
      isOpen={change !== null}
      onClose={onClose}
      title={shown === null ? '' : t(`consent.${shown.kind}Title`)}
    >
      {shown !== null && (
        <Content
          key={shown.row.subjectId + shown.kind}
          change={shown}
          onClose={onClose}
          onRemedy={onRemedy}
        />
      )}
    </Dialog>
  );
}

function Content({
  change,
  onClose,
  onRemedy,
}: {
  change: ConsentChange;
  onClose: () => void;
  onRemedy: (row: ConsentRow) => void;
}): JSX.Element {
  const { t } = useTranslation();
  const { client } = useSite();
  const queryClient = useQueryClient();
  const [untilDate, setUntilDate] = useState('');
  const { row, kind, researchStudyId } = change;
  const { subjectId } = row;
  const scope = researchStudyId === null ? 'all' : 'one';
  const save = useMutation({
    mutationFn: () =>
      kind === 'withdraw'
        ? client.consent.withdraw({ subjectId, researchStudyId })
        : client.consent.grant({
            subjectId,
            researchStudyId,
            untilDate: untilDate === '' ? null : untilDate,
          }),
    onSuccess: async (saved) => {
      // A consent that changes nothing is no success to announce: the dialog stays and says why.
      if (kind === 'withdraw' || saved.decision === 'permit') {
        notifications.show({
          message: t(`consent.${kind}Done`, { subject: subjectId.slice(0, 40) }),
          withCloseButton: false,
        });
        onClose();
      }
      if (kind === 'withdraw' && (await client.consent.rounds({ subjectId })).some(awaitsRemedy))
        onRemedy(row);
      await queryClient.invalidateQueries();
    },
  });
  if (save.isSuccess && kind === 'grant' && save.data.decision === 'deny') {
    return <StillOut rule={save.data.rule} onClose={onClose} />;
  }
  return (
    <div className={styles.stack}>
      <Facts
        facts={[
          [
            t('consent.patient'),
            row.patientName === null ? (
              t('consent.nameHidden')
            ) : (
              <PlainText key="name">{row.patientName}</PlainText>
            ),
          ],
          [t('consent.subject'), <PlainText key="id">{subjectId}</PlainText>],
          [
            t('consent.scope'),
            <PlainText key="scope">{researchStudyId ?? t('consent.anyResearch')}</PlainText>,
          ],
        ]}
      />
      {kind === 'withdraw' ? (
        <Notice tone="warn" title={t('consent.withdrawWhat')}>
          <ul className={styles.list}>
            <li>{t(`consent.withdrawEffectNow.${scope}`)}</li>
            <li>{t(`consent.withdrawEffectUpdate.${scope}`)}</li>
            <li>{t(`consent.withdrawEffectErased.${scope}`)}</li>
            <li>{t('consent.withdrawEffectPast')}</li>
            <li>{t('consent.withdrawEffectLog')}</li>
          </ul>
        </Notice>
      ) : (
        <>
          <p>{t('consent.grantWhat')}</p>
          <TextInput
            type="date"
            label={t('consent.untilDate')}
            description={t('consent.untilDateHint')}
            value={untilDate}
            onChange={(event) => setUntilDate(event.currentTarget.value)}
          />
        </>
      )}
      {save.isError && <ProblemNotice error={save.error} />}
      <div className={styles.dialogActions}>
        <Button variant="default" onClick={onClose} data-autofocus>
          {t('common.cancel')}
        </Button>
        <Button
          color={kind === 'withdraw' ? 'crimson' : 'petrol'}
          loading={save.isPending}
          onClick={() => save.mutate()}
        >
          {t(`consent.${kind}Confirm`)}
        </Button>
      </div>
    </div>
  );
}

/** After a consent that another record outweighs. */
function StillOut({ rule, onClose }: { rule: string; onClose: () => void }): JSX.Element {
  const { t } = useTranslation();
  return (
    <div className={styles.stack}>
      <Notice tone="warn" title={t('consent.grantStillOut')} isAlert>
        <p>
          <PlainText limit={200}>
            {t('consent.grantStillOutWhy', { why: term(t, 'consent.rule', rule) })}
          </PlainText>
        </p>
        <p>{t('consent.grantStillOutStep')}</p>
      </Notice>
      <div className={styles.dialogActions}>
        <Button variant="default" onClick={onClose} data-autofocus>
          {t('common.close')}
        </Button>
      </div>
    </div>
  );
}

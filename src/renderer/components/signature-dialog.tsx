// Signs one decision: shows what the signature means and covers, and asks for the secret again (21 CFR 11.50, 11.200).
import { Button, Textarea } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type JSX, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { UpdateReview } from '#ipc/schema.ts';
import { useFormat } from '../i18n/format.ts';
import { term } from '../i18n/term.ts';
import { readProblem } from '../problem.ts';
import styles from '../screens/screens.module.css';
import { useSession, useSite } from '../site-context.ts';
import { Dialog, useLastShown } from './dialog.tsx';
import { Digest, Facts, Notice, PlainText, ProblemNotice } from './parts.tsx';
import { SecretInput } from './secret-input.tsx';

export type Decision = 'approve' | 'refuse';

export function SignatureDialog(props: {
  review: UpdateReview;
  decision: Decision | null;
  onClose: () => void;
}): JSX.Element {
  const { t } = useTranslation();
  const decision = useLastShown(props.decision);
  return (
    <Dialog
      isOpen={props.decision !== null}
      onClose={props.onClose}
      title={decision === null ? '' : t(`decision.${decision}Title`)}
    >
      {decision !== null && (
        <SignatureForm key={decision} review={props.review} decision={decision} onClose={props.onClose} />
      )}
    </Dialog>
  );
}

function SignatureForm(props: {
  review: UpdateReview;
  decision: Decision;
  onClose: () => void;
}): JSX.Element {
  const { t } = useTranslation();
  const { client } = useSite();
  const queryClient = useQueryClient();
  const [secret, setSecret] = useState('');
  const [reason, setReason] = useState('');
  const { review, decision } = props;
  const { updateId } = review.summary;
  const { reportDigest } = review;
  const sign = useMutation({
    mutationFn: () =>
      decision === 'approve'
        ? client.updates.approve({ updateId, reportDigest, secret })
        : client.updates.refuse({ updateId, reportDigest, reason: reason.trim(), secret }),
    onSuccess: async () => {
      const { round } = review.summary;
      notifications.show({ message: t(`decision.${decision}Done`, { round }), withCloseButton: false });
      props.onClose();
      await queryClient.invalidateQueries();
    },
    onSettled: () => setSecret(''),
  });
  const isComplete = secret !== '' && (decision === 'approve' || reason.trim() !== '');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isComplete && !sign.isPending) sign.mutate();
  };
  return (
    <form className={styles.stack} onSubmit={submit}>
      <Meaning review={review} decision={decision} />
      {decision === 'refuse' && (
        <Textarea
          label={t('decision.reason')}
          description={t('decision.reasonHint')}
          value={reason}
          maxLength={1000}
          rows={3}
          onChange={(event) => setReason(event.currentTarget.value)}
          data-autofocus
        />
      )}
      <SecretInput
        label={t('decision.secret')}
        description={t('decision.secretHint')}
        value={secret}
        onChange={setSecret}
        {...(decision === 'approve' ? { 'data-autofocus': true } : {})}
      />
      {sign.isError && <SigningProblem error={sign.error} />}
      <div className={styles.dialogActions}>
        <Button variant="default" onClick={props.onClose}>
          {t('common.cancel')}
        </Button>
        <Button
          type="submit"
          color={decision === 'refuse' ? 'crimson' : 'petrol'}
          loading={sign.isPending}
          disabled={!isComplete}
        >
          {t(`decision.${decision}Confirm`)}
        </Button>
      </div>
    </form>
  );
}

/** Only the secret is asked for here, so a refused sign-in is said as what it is: a wrong secret. */
function SigningProblem({ error }: { error: unknown }): JSX.Element {
  const { t } = useTranslation();
  const { code } = readProblem(error);
  if (code !== 'SIGN_IN_REFUSED' && code !== 'WRONG_SECRET') return <ProblemNotice error={error} />;
  return (
    <Notice tone="bad" isAlert>
      <p>{t('decision.wrongSecret')}</p>
    </Notice>
  );
}

function Meaning({ review, decision }: { review: UpdateReview; decision: Decision }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const person = useSession().data;
  const { report } = review;
  return (
    <>
      <p className={styles.meaning}>
        <PlainText limit={800}>
          {t(`decision.${decision}Meaning`, {
            name: person?.name ?? '',
            role: term(t, 'role', person?.role ?? ''),
            bytes: format.number(report.payloadBytes),
            round: report.round,
            recipient: report.recipient.consortium.slice(0, 120),
          })}
        </PlainText>
      </p>
      <Facts
        facts={[
          [t('report.updateDigest'), <Digest key="update">{report.updateDigest}</Digest>],
          [t('report.reportDigest'), <Digest key="report">{review.reportDigest}</Digest>],
        ]}
      />
    </>
  );
}

// Joining a consortium with its invitation, shown as long as the site belongs to none.
import { Button, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type JSX, useState } from 'react';
import { useTranslation } from 'react-i18next';
import styles from '../screens/screens.module.css';
import { useSite } from '../site-context.ts';
import { Panel, ProblemNotice } from './parts.tsx';

export function EnrolmentPanel(): JSX.Element {
  const { t } = useTranslation();
  const { client } = useSite();
  const queryClient = useQueryClient();
  const [invitation, setInvitation] = useState('');
  const accept = useMutation({
    mutationFn: () => client.enrolment.accept({ invitation: invitation.trim() }),
    onSuccess: () => queryClient.invalidateQueries(),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (invitation.trim() !== '') accept.mutate();
  };
  return (
    <Panel title={t('enrolment.title')} note={t('enrolment.note')}>
      <form onSubmit={submit} className={styles.stack}>
        {accept.isError && <ProblemNotice error={accept.error} />}
        <Textarea
          label={t('enrolment.invitation')}
          value={invitation}
          onChange={(event) => setInvitation(event.currentTarget.value)}
          rows={3}
          spellCheck={false}
        />
        <div>
          <Button type="submit" loading={accept.isPending} disabled={invitation.trim() === ''}>
            {t('enrolment.accept')}
          </Button>
        </div>
      </form>
    </Panel>
  );
}

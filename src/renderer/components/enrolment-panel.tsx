// Joining a consortium with its invitation, shown as long as the site belongs to none.
import { Button, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type JSX, useState } from 'react';
import { useTranslation } from 'react-i18next';
import styles from '../screens/screens.module.css';
import { useSession, useSite } from '../site-context.ts';
import { Panel, ProblemNotice } from './parts.tsx';
import { SecretInput } from './secret-input.tsx';

export function EnrolmentPanel(): JSX.Element {
  const { t } = useTranslation();
  const { client } = useSite();
  const queryClient = useQueryClient();
  const person = useSession().data;
  const [invitation, setInvitation] = useState('');
  const [name, setName] = useState(person?.role === 'steward' ? person.name : '');
  const [secret, setSecret] = useState('');
  const accept = useMutation({
    mutationFn: () =>
      client.enrolment.accept({ invitation: invitation.trim(), stewards: [{ name: name.trim(), secret }] }),
    onSuccess: () => queryClient.invalidateQueries(),
    onSettled: () => setSecret(''),
  });
  const isComplete = invitation.trim() !== '' && name.trim() !== '' && secret !== '';
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isComplete && !accept.isPending) accept.mutate();
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
        <p className={styles.soft}>{t('enrolment.stewardNote')}</p>
        <div className={styles.toolbar}>
          <TextInput
            className={styles.grow ?? ''}
            label={t('enrolment.steward')}
            value={name}
            maxLength={100}
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <SecretInput
            className={styles.grow ?? ''}
            label={t('enrolment.stewardSecret')}
            value={secret}
            onChange={setSecret}
          />
        </div>
        <div>
          <Button type="submit" loading={accept.isPending} disabled={!isComplete}>
            {t('enrolment.accept')}
          </Button>
        </div>
      </form>
    </Panel>
  );
}

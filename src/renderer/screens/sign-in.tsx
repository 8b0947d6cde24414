// Sign in with name and secret. The secret goes to the site once and is kept nowhere here.
import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type JSX, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Mark } from '../components/icons.tsx';
import { PlainText, ProblemNotice } from '../components/parts.tsx';
import { ColorSchemeChoice, LanguageChoice } from '../components/preferences.tsx';
import { SecretInput } from '../components/secret-input.tsx';
import { useSite } from '../site-context.ts';
import styles from './sign-in.module.css';

/** The site's name where the host tells it before sign-in; nothing where it does not. */
function useSiteName(): string | null {
  const { client } = useSite();
  const status = useQuery({
    queryKey: ['status-before-sign-in'],
    queryFn: ({ signal }) => client.status(undefined, { signal }),
    retry: false,
  });
  return status.data?.name ?? null;
}

export function SignIn({ isReady }: { isReady: boolean }): JSX.Element {
  const { t, i18n } = useTranslation();
  const siteName = useSiteName();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the title changes with the language too
  useEffect(() => {
    document.title = t('app.windowTitle', { screen: t('signIn.title') });
  }, [t, i18n.language]);
  return (
    <div className={styles.page}>
      <header className={styles.welcome}>
        <div className={styles.ornament}>
          <Mark size={560} />
        </div>
        <div className={styles.brand}>
          <Mark size={40} />
          {t('app.name')}
        </div>
        <div className={styles.promise}>
          <p>{t('signIn.promise')}</p>
          <p>{t('signIn.promiseDetail')}</p>
        </div>
        <div className={styles.site}>
          {siteName !== null && <PlainText limit={120}>{siteName}</PlainText>}
        </div>
      </header>
      <main className={styles.form}>
        <div className={styles.choices}>
          <LanguageChoice />
          <ColorSchemeChoice />
        </div>
        <SignInForm isReady={isReady} />
      </main>
    </div>
  );
}

function SignInForm({ isReady }: { isReady: boolean }): JSX.Element {
  const { t } = useTranslation();
  const { client } = useSite();
  const queryClient = useQueryClient();
  const [name, setName] = useState('');
  const [secret, setSecret] = useState('');
  const signIn = useMutation({
    mutationFn: () => client.session.signIn({ name: name.trim(), secret }),
    onSuccess: async (person) => {
      queryClient.setQueryData(['session'], person);
      await queryClient.invalidateQueries();
    },
    onSettled: () => setSecret(''),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (name.trim() !== '' && secret !== '') signIn.mutate();
  };
  return (
    <form className={styles.card} onSubmit={submit} aria-busy={signIn.isPending}>
      <div>
        <h1>{t('signIn.title')}</h1>
        <p>{t('signIn.lead')}</p>
      </div>
      {signIn.isError && <ProblemNotice error={signIn.error} />}
      <TextInput
        label={t('signIn.name')}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        autoComplete="username"
        maxLength={100}
        spellCheck={false}
        required
        withAsterisk={false}
        data-autofocus
      />
      <SecretInput
        label={t('signIn.secret')}
        value={secret}
        onChange={setSecret}
        autoComplete="current-password"
        required
        withAsterisk={false}
      />
      <Button type="submit" loading={signIn.isPending} disabled={!isReady} size="md" fullWidth>
        {t('signIn.submit')}
      </Button>
      <p className={styles.help}>{t('signIn.help')}</p>
    </form>
  );
}

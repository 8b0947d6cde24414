// Adds a source: which kind, what to call it, and the few settings of that kind.
import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { sourceKind } from '#ipc/ingest-contract.ts';
import styles from '../screens/screens.module.css';
import { useSite } from '../site-context.ts';
import { readSettings, settingsOf, sourceKinds } from '../source-kinds.ts';
import { ProblemNotice } from './parts.tsx';

export function SourceForm({ onDone }: { onDone: () => void }): JSX.Element {
  const { t } = useTranslation();
  const { client } = useSite();
  const queryClient = useQueryClient();
  const [kind, setKind] = useState(sourceKinds[0] ?? 'folder');
  const [label, setLabel] = useState('');
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const settings = readSettings(kind, values);
  const isComplete = settings !== null && label.trim() !== '';
  const save = useMutation({
    mutationFn: async () => {
      if (settings !== null) await client.sources.save({ kind, label: label.trim(), settings });
    },
    onSuccess: async () => {
      onDone();
      await queryClient.invalidateQueries();
    },
  });
  return (
    <form
      className={styles.stack}
      onSubmit={(event) => {
        event.preventDefault();
        if (isComplete) save.mutate();
      }}
    >
      <NativeSelect
        label={t('sources.kindLabel')}
        description={t(`sources.kindHint.${kind}`)}
        value={kind}
        onChange={(event) => {
          setKind(sourceKind.parse(event.currentTarget.value));
          setValues({});
        }}
        data={sourceKinds.map((value) => ({ value, label: t(`sources.kind.${value}`) }))}
      />
      <TextInput
        label={t('sources.label')}
        required
        maxLength={100}
        value={label}
        onChange={(event) => setLabel(event.currentTarget.value)}
      />
      {settingsOf[kind].map(({ name, isRequired, example, kind: type }) => (
        <TextInput
          key={name}
          label={t(`sources.setting.${name}`)}
          required={isRequired}
          maxLength={500}
          spellCheck={false}
          autoComplete={type === 'secret' ? 'new-password' : 'off'}
          type={type === 'secret' ? 'password' : 'text'}
          inputMode={type === 'number' ? 'numeric' : 'text'}
          {...(example === undefined ? {} : { placeholder: example })}
          value={values[name] ?? ''}
          onChange={(event) => setValues({ ...values, [name]: event.currentTarget.value })}
        />
      ))}
      {save.isError && <ProblemNotice error={save.error} />}
      <div className={styles.dialogActions}>
        <Button variant="default" onClick={onDone}>
          {t('common.cancel')}
        </Button>
        <Button type="submit" loading={save.isPending} disabled={!isComplete}>
          {t('sources.addConfirm')}
        </Button>
      </div>
    </form>
  );
}

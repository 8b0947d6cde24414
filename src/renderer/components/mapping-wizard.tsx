// Leads through the columns of a plain CSV: what each means, how its first rows would be stored, and the mapping to save and to import
// with. Nothing is stored before the person says so.
import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type JSX, useDeferredValue, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { MappingSuggestion } from '#ipc/ingest-contract.ts';
import type { ImportFile } from '../import-run.ts';
import {
  composeMapping,
  createDraft,
  dateForms,
  decimalMarks,
  isFixed,
  type MappingDraft,
} from '../mapping-draft.ts';
import { mappingFileName, readHead, splitByColumns } from '../mapping-files.ts';
import { optionText } from '../plain-text.ts';
import styles from '../screens/screens.module.css';
import { useSite } from '../site-context.ts';
import { MappingColumns } from './mapping-columns.tsx';
import { MappingGaps } from './mapping-gaps.tsx';
import { MappingPreviewTable } from './mapping-preview-table.tsx';
import { Loading, Notice, Panel, PlainText, ProblemNotice } from './parts.tsx';

const exampleAuthority = 'https://hospital.example/patient-number';

interface WizardProps {
  /** CSV files without a mapping; at least one. */
  readonly files: readonly ImportFile[];
  /** Imports `files`, which share their columns; `others` still wait. */
  readonly onImport: (mapping: string, files: ImportFile[], others: ImportFile[]) => void;
  readonly onCancel: () => void;
}

export function MappingWizard(props: WizardProps): JSX.Element {
  const { t } = useTranslation();
  const { client } = useSite();
  const [chosen, setChosen] = useState(0);
  const file = props.files[chosen] ?? props.files[0];
  const suggestion = useQuery({
    queryKey: ['mapping-suggestion', file?.name, file?.size, chosen],
    queryFn: async ({ signal }) => {
      if (file === undefined) throw new Error('no file');
      const head = await readHead(file);
      return { head, found: await client.mapping.suggest({ head }, { signal }) };
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Panel
      title={t('mapping.title')}
      note={t('mapping.note')}
      actions={
        <Button variant="default" onClick={props.onCancel}>
          {t('mapping.later')}
        </Button>
      }
    >
      <div className={styles.stack}>
        {props.files.length > 1 ? (
          <NativeSelect
            className={styles.start ?? ''}
            label={t('mapping.table')}
            value={String(chosen)}
            onChange={(event) => setChosen(Number(event.currentTarget.value))}
            data={props.files.map(({ name }, index) => ({ value: String(index), label: optionText(name) }))}
          />
        ) : (
          <p>
            {t('mapping.tableIs')} <PlainText limit={120}>{file?.name ?? ''}</PlainText>
          </p>
        )}
        {suggestion.isPending && <Loading />}
        {suggestion.isError && (
          <ProblemNotice error={suggestion.error} onRetry={() => void suggestion.refetch()} />
        )}
        {suggestion.isSuccess && file !== undefined && (
          <Editor key={chosen} {...props} file={file} {...suggestion.data} />
        )}
      </div>
    </Panel>
  );
}

function Editor({
  file,
  files,
  head,
  found,
  onImport,
}: WizardProps & { file: ImportFile; head: string; found: MappingSuggestion }): JSX.Element {
  const { t } = useTranslation();
  const [draft, setDraft] = useState(() => createDraft(found));
  const composed = useMemo(() => composeMapping(draft), [draft]);
  const { text, preview, gaps } = composed;
  const start = async (mapping: string): Promise<void> => {
    const { same, others } = await splitByColumns(files, file);
    onImport(mapping, same, others);
  };
  return (
    <>
      {isFixed(draft) ? (
        <Notice tone="accent" title={t('mapping.known')}>
          <p>{t('mapping.knownDetail')}</p>
        </Notice>
      ) : (
        <>
          <WholeTable draft={draft} onChange={setDraft} />
          <MappingColumns
            columns={draft.columns}
            onChange={(columns) => setDraft((now) => ({ ...now, columns }))}
          />
        </>
      )}
      <h3>{t('mapping.preview')}</h3>
      {gaps.length > 0 && <MappingGaps gaps={gaps} />}
      {preview !== null && <Preview head={head} mapping={preview} />}
      <div className={styles.dialogActions}>
        <Button
          variant="default"
          disabled={text === null}
          onClick={() => {
            if (text !== null) saveText(mappingFileName(file.name), text);
          }}
        >
          {t('mapping.save')}
        </Button>
        <Button
          disabled={text === null}
          onClick={() => {
            if (text !== null) void start(text);
          }}
        >
          {t('mapping.import')}
        </Button>
      </div>
    </>
  );
}

/** What holds for the whole table. */
function WholeTable({
  draft,
  onChange,
}: {
  draft: MappingDraft;
  onChange: (draft: MappingDraft) => void;
}): JSX.Element {
  const { t } = useTranslation();
  return (
    <div className={styles.toolbar}>
      <TextInput
        className={styles.grow ?? ''}
        label={t('mapping.authority')}
        description={t('mapping.authorityHint')}
        placeholder={exampleAuthority}
        value={draft.authority}
        maxLength={200}
        spellCheck={false}
        error={!URL.canParse(draft.authority.trim())}
        onChange={(event) => onChange({ ...draft, authority: event.currentTarget.value })}
      />
      <NativeSelect
        label={t('mapping.dates')}
        value={draft.dates}
        onChange={(event) => {
          const dates = dateForms.find((form) => form === event.currentTarget.value);
          if (dates !== undefined) onChange({ ...draft, dates });
        }}
        data={dateForms.map((form) => ({
          value: form,
          label: t(`mapping.dateForm.${form.replaceAll('.', '-')}`),
        }))}
      />
      <NativeSelect
        label={t('mapping.decimals')}
        value={draft.decimals}
        onChange={(event) => {
          const decimals = decimalMarks.find((mark) => mark === event.currentTarget.value);
          if (decimals !== undefined) onChange({ ...draft, decimals });
        }}
        data={decimalMarks.map((mark) => ({
          value: mark,
          label: t(mark === '.' ? 'mapping.decimalPoint' : 'mapping.decimalComma'),
        }))}
      />
    </div>
  );
}

/** What the site would store of the first rows, under the mapping as it is now. */
function Preview({ head, mapping }: { head: string; mapping: string }): JSX.Element {
  const { client } = useSite();
  const settled = useDeferredValue(mapping);
  const preview = useQuery({
    queryKey: ['mapping-preview', head.length, settled],
    queryFn: ({ signal }) => client.mapping.preview({ head, mapping: settled }, { signal }),
    placeholderData: (earlier) => earlier,
  });
  if (preview.isError) return <ProblemNotice error={preview.error} onRetry={() => void preview.refetch()} />;
  if (preview.data === undefined) return <Loading />;
  return <MappingPreviewTable preview={preview.data} />;
}

/** Lets the browser save `text`; the address of it lives only as long as the click. */
function saveText(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
}

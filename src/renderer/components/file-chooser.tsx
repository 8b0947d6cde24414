// Where files are dropped or chosen; a saved mapping may go with CSV files. Everything also works by keyboard.
import { Button } from '@mantine/core';
import { type ChangeEvent, type DragEvent, type JSX, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../i18n/format.ts';
import type { ImportFile } from '../import-run.ts';
import styles from '../screens/screens.module.css';
import { filesOfDrop, inOrder } from './dropped-files.ts';
import { Icon } from './icons.tsx';
import { Notice, PlainText } from './parts.tsx';

const maxMappingBytes = 1_000_000;

interface Mapping {
  readonly name: string;
  readonly text: string;
}

/** A chosen folder gives each file's path inside it as the name. */
function named(file: File): ImportFile {
  const name = file.webkitRelativePath || file.name;
  return { name, size: file.size, slice: (start, end) => file.slice(start, end) };
}

export function FileChooser(props: {
  onStart: (files: ImportFile[], mapping: string | null) => void;
}): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const [mapping, setMapping] = useState<Mapping | null>(null);
  const [trouble, setTrouble] = useState<'noFiles' | 'badMapping' | null>(null);
  const [isOver, setOver] = useState(false);
  /** While a dropped folder is walked: files found so far. */
  const [found, setFound] = useState<number | null>(null);
  const start = (files: ImportFile[]): void => {
    if (files.length === 0) setTrouble('noFiles');
    else props.onStart(files, mapping?.text ?? null);
  };
  const drop = async (event: DragEvent): Promise<void> => {
    event.preventDefault();
    setOver(false);
    const dropped = filesOfDrop(event.dataTransfer, setFound);
    setFound(0);
    try {
      start(await dropped);
    } catch {
      // A file that went away while the folder was walked.
      setTrouble('noFiles');
    } finally {
      setFound(null);
    }
  };
  return (
    <section
      aria-label={t('import.drop')}
      className={[styles.drop, isOver ? styles.dropActive : ''].join(' ')}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => void drop(event)}
    >
      <Icon name="import" size={34} />
      <strong>{t('import.drop')}</strong>
      <p className={styles.soft}>{t('import.formats')}</p>
      <div className={styles.buttons}>
        <PickButton
          label={t('import.chooseFiles')}
          onPick={(files) => start(files.map(named))}
          isMultiple
          isFilled
        />
        <PickButton
          label={t('import.chooseFolder')}
          onPick={(files) => start(inOrder(files.map(named)))}
          isFolder
        />
      </div>
      <MappingChoice mapping={mapping} onChange={setMapping} onTrouble={() => setTrouble('badMapping')} />
      <p role="status" className={styles.soft}>
        {found !== null && t('import.gathering', { count: found, number: format.number(found) })}
      </p>
      {trouble !== null && (
        <Notice tone="warn" isAlert>
          <p>{t(`import.${trouble}`)}</p>
        </Notice>
      )}
    </section>
  );
}

function MappingChoice(props: {
  mapping: Mapping | null;
  onChange: (mapping: Mapping | null) => void;
  onTrouble: () => void;
}): JSX.Element {
  const { t } = useTranslation();
  const pick = async ([file]: File[]): Promise<void> => {
    if (file === undefined) return;
    if (file.size > maxMappingBytes) {
      props.onTrouble();
      return;
    }
    const text = await file.text();
    try {
      JSON.parse(text);
      props.onChange({ name: file.name, text });
    } catch {
      props.onTrouble();
    }
  };
  return (
    <div className={`${styles.buttons} ${styles.small}`}>
      <span className={styles.soft} role="status">
        {props.mapping === null ? t('import.mappingNone') : t('import.mappingChosen')}{' '}
        {props.mapping !== null && <PlainText limit={80}>{props.mapping.name}</PlainText>}
      </span>
      {props.mapping === null ? (
        <PickButton
          label={t('import.chooseMapping')}
          accept=".json,application/json"
          onPick={(files) => void pick(files)}
        />
      ) : (
        <Button size="xs" variant="subtle" onClick={() => props.onChange(null)}>
          {t('import.removeMapping')}
        </Button>
      )}
    </div>
  );
}

function PickButton(props: {
  label: string;
  onPick: (files: File[]) => void;
  isMultiple?: boolean;
  isFolder?: boolean;
  isFilled?: boolean;
  accept?: string;
}): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const pick = (event: ChangeEvent<HTMLInputElement>): void => {
    const files = [...(event.currentTarget.files ?? [])];
    // The same file may be chosen again after it was corrected.
    event.currentTarget.value = '';
    if (files.length > 0) props.onPick(files);
  };
  return (
    <>
      <input
        ref={input}
        type="file"
        hidden
        aria-label={props.label}
        multiple={props.isMultiple}
        accept={props.accept}
        {...(props.isFolder ? { webkitdirectory: '' } : {})}
        onChange={pick}
      />
      <Button
        size={props.isFilled ? 'sm' : props.isFolder ? 'sm' : 'xs'}
        variant={props.isFilled ? 'filled' : 'default'}
        onClick={() => input.current?.click()}
      >
        {props.label}
      </Button>
    </>
  );
}

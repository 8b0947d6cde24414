// One line per column of a plain CSV: its name with sample cells, what it means, and what that meaning needs to be told.
import { Button, NativeSelect, TextInput } from '@mantine/core';
import { type JSX, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { columnRole } from '#ipc/ingest-contract.ts';
import { codeSystems } from '../code-systems.ts';
import { type DraftColumn, factRoles, usualValues, valueRoles } from '../mapping-draft.ts';
import styles from './mapping-columns.module.css';
import { Badge, PlainText } from './parts.tsx';

const commonUnits = [
  'mg/dL',
  'mmol/L',
  'g/dL',
  'g/L',
  'mm[Hg]',
  '/min',
  'kg',
  'cm',
  'kg/m2',
  '%',
  'Cel',
  'U/L',
  'a',
  '1',
];
/** Below this a suggestion is marked as one to check. */
const sureFrom = 0.6;
const shownSamples = 3;

export function MappingColumns(props: {
  columns: readonly DraftColumn[];
  onChange: (columns: DraftColumn[]) => void;
}): JSX.Element {
  const { t } = useTranslation();
  const units = useId();
  return (
    <div className={styles.columns}>
      <datalist id={units}>
        {commonUnits.map((unit) => (
          <option key={unit} value={unit} />
        ))}
      </datalist>
      <div className={styles.head} aria-hidden="true">
        <span>{t('mapping.column')}</span>
        <span>{t('mapping.meaning')}</span>
        <span>{t('mapping.details')}</span>
      </div>
      {props.columns.map((column, index) => (
        <ColumnLine
          key={column.name}
          column={column}
          units={units}
          onChange={(change) =>
            props.onChange(
              props.columns.map((each, at) => (at === index ? { ...each, ...change, confidence: 1 } : each)),
            )
          }
        />
      ))}
    </div>
  );
}

interface LineProps {
  readonly column: DraftColumn;
  readonly units: string;
  readonly onChange: (change: Partial<DraftColumn>) => void;
}

function ColumnLine({ column, units, onChange }: LineProps): JSX.Element {
  const { t } = useTranslation();
  const id = useId();
  const name = column.name.slice(0, 60);
  const toCheck = column.role !== 'ignore' && column.confidence < sureFrom;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would put its legend on the border
    <div
      role="group"
      aria-labelledby={id}
      className={[styles.line, column.role === 'ignore' ? styles.ignored : ''].join(' ')}
    >
      <div>
        <div id={id} className={styles.name}>
          <PlainText limit={80}>{column.name}</PlainText>
        </div>
        <div className={styles.samples}>
          <PlainText limit={120}>
            {column.samples.length === 0
              ? t('mapping.noSamples')
              : column.samples.slice(0, shownSamples).join(' · ')}
          </PlainText>
        </div>
      </div>
      <div>
        <NativeSelect
          aria-label={t('mapping.meaningOf', { column: name })}
          value={column.role}
          onChange={(event) => {
            const role = columnRole.parse(event.currentTarget.value);
            onChange({ role, values: usualValues(role, column.samples) });
          }}
          data={columnRole.options.map((role) => ({ value: role, label: t(`mapping.role.${role}`) }))}
        />
        {toCheck && (
          <div className={styles.check}>
            <Badge tone="warn">{t('mapping.check')}</Badge>
          </div>
        )}
      </div>
      <div className={styles.fields}>
        {factRoles.includes(column.role) && <CodeFields column={column} units={units} onChange={onChange} />}
        {valueRoles.includes(column.role) && <ValueFields column={column} onChange={onChange} />}
      </div>
    </div>
  );
}

function CodeFields({ column, units, onChange }: LineProps): JSX.Element {
  const { t } = useTranslation();
  const isListed = codeSystems.some(([, system]) => system === column.system);
  const [isOther, setOther] = useState(!isListed && column.system !== '');
  return (
    <>
      {column.display !== '' && (
        <p className={styles.display}>
          <PlainText limit={120}>{column.display}</PlainText>
        </p>
      )}
      <div className={styles.code}>
        <NativeSelect
          label={t('mapping.system')}
          value={isOther ? 'other' : column.system}
          error={!isOther && column.system === ''}
          onChange={(event) => {
            const { value } = event.currentTarget;
            setOther(value === 'other');
            onChange({ system: value === 'other' ? '' : value });
          }}
          data={[
            { value: '', label: t('mapping.chooseSystem') },
            ...codeSystems.map(([label, value]) => ({ value, label })),
            { value: 'other', label: t('mapping.otherSystem') },
          ]}
        />
        {isOther && (
          <TextInput
            label={t('mapping.systemAddress')}
            value={column.system}
            maxLength={200}
            spellCheck={false}
            onChange={(event) => onChange({ system: event.currentTarget.value })}
          />
        )}
        <TextInput
          label={t('mapping.code')}
          value={column.code}
          error={column.code.trim() === ''}
          maxLength={64}
          spellCheck={false}
          onChange={(event) => onChange({ code: event.currentTarget.value, display: '' })}
        />
        {column.role === 'quantity' && (
          <TextInput
            label={t('mapping.unit')}
            value={column.unit}
            error={column.unit.trim() === ''}
            maxLength={64}
            spellCheck={false}
            list={units}
            onChange={(event) => onChange({ unit: event.currentTarget.value })}
          />
        )}
      </div>
    </>
  );
}

const choicesOf = {
  sex: ['male', 'female', 'other', 'unknown'],
  boolean: ['true', 'false'],
  consent: ['permit', 'deny'],
} as const;

function ValueFields({ column, onChange }: Omit<LineProps, 'units'>): JSX.Element {
  const { t } = useTranslation();
  const [cell, setCell] = useState('');
  const { role, values } = column;
  const choices = role === 'sex' || role === 'boolean' || role === 'consent' ? choicesOf[role] : null;
  const set = (key: string, meaning: string): void => onChange({ values: { ...values, [key]: meaning } });
  return (
    <div className={styles.values}>
      {Object.entries(values).map(([key, meaning]) =>
        choices === null ? (
          <TextInput
            key={key}
            label={t('mapping.cellMeans', { cell: key.slice(0, 40) })}
            placeholder={t('mapping.code')}
            value={meaning}
            maxLength={264}
            spellCheck={false}
            onChange={(event) => set(key, event.currentTarget.value)}
          />
        ) : (
          <NativeSelect
            key={key}
            label={t('mapping.cellMeans', { cell: key.slice(0, 40) })}
            value={meaning}
            onChange={(event) => set(key, event.currentTarget.value)}
            data={[
              { value: '', label: t('mapping.refuseRow') },
              ...choices.map((choice) => ({ value: choice, label: t(`mapping.choice.${choice}`) })),
            ]}
          />
        ),
      )}
      <div className={styles.addCell}>
        <TextInput
          label={t('mapping.otherCell')}
          value={cell}
          maxLength={200}
          onChange={(event) => setCell(event.currentTarget.value)}
        />
        <Button
          variant="default"
          disabled={cell.trim() === '' || cell.trim() in values}
          onClick={() => {
            set(cell.trim(), '');
            setCell('');
          }}
        >
          {t('mapping.addCell')}
        </Button>
      </div>
    </div>
  );
}

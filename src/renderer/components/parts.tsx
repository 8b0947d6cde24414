// The small parts that every screen is made of: headings, panels, badges, notices, facts, empty and loading states.
import { Button } from '@mantine/core';
import { type JSX, type ReactNode, useId } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../i18n/format.ts';
import { findTerm } from '../i18n/term.ts';
import { showText } from '../plain-text.ts';
import { type Problem, readProblem } from '../problem.ts';
import { Icon, type IconName } from './icons.tsx';
import styles from './parts.module.css';

export type Tone = 'neutral' | 'accent' | 'good' | 'warn' | 'bad';
export const pageTitleId = 'page-title';

/** Text that somebody else wrote: isolated, bounded, with hidden characters named. Never HTML. */
export function PlainText({ children, limit = 300 }: { children: string; limit?: number }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const { text, cutFrom } = showText(children, limit);
  return (
    <bdi className={styles.plain}>
      {text}
      {cutFrom !== null && (
        <span className={styles.cut}> {t('common.cut', { length: format.number(cutFrom) })}</span>
      )}
    </bdi>
  );
}

export function PageHeader(props: { title: string; lead?: ReactNode; actions?: ReactNode }): JSX.Element {
  return (
    <header className={styles.header}>
      <div>
        <h1 id={pageTitleId} tabIndex={-1}>
          {props.title}
        </h1>
        {props.lead !== undefined && <p>{props.lead}</p>}
      </div>
      {props.actions}
    </header>
  );
}

export function Panel(props: {
  title: string;
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
}): JSX.Element {
  const id = useId();
  return (
    <section aria-labelledby={id} className={[styles.panel, props.className].filter(Boolean).join(' ')}>
      <div className={styles.panelHead}>
        <div>
          <h2 id={id}>{props.title}</h2>
          {props.note !== undefined && <p className={styles.panelNote}>{props.note}</p>}
        </div>
        {props.actions}
      </div>
      {props.children}
    </section>
  );
}

export function Badge({ tone = 'neutral', children }: { tone?: Tone; children: ReactNode }): JSX.Element {
  return (
    <span className={[styles.badge, tone === 'neutral' ? '' : styles[tone]].join(' ')}>
      <span>{children}</span>
    </span>
  );
}

export function Notice(props: {
  tone: Tone;
  icon?: IconName;
  title?: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
  /** Spoken at once; for what appears because of what the person did. */
  isAlert?: boolean;
}): JSX.Element {
  const icons: Record<Tone, IconName> = {
    neutral: 'info',
    accent: 'info',
    good: 'good',
    warn: 'warn',
    bad: 'bad',
  };
  return (
    <div
      className={[styles.notice, props.tone === 'neutral' ? '' : styles[props.tone]].join(' ')}
      role={props.isAlert ? 'alert' : undefined}
    >
      <Icon name={props.icon ?? icons[props.tone]} />
      <div>
        {props.title !== undefined && <strong>{props.title}</strong>}
        {props.children}
        {props.actions !== undefined && <div className={styles.noticeActions}>{props.actions}</div>}
      </div>
    </div>
  );
}

/** A code as a sentence and the next step, with the code small behind it. Unknown codes show what the site said. */
export function CodeText({ code, message = null }: { code: string; message?: string | null }): JSX.Element {
  const { t } = useTranslation();
  const sentence = findTerm(t, 'error.sentence', code);
  const step = findTerm(t, 'error.step', code);
  return (
    <>
      <p>
        {sentence ?? t('error.unknown')}{' '}
        {sentence === null && message !== null && <PlainText>{message}</PlainText>}
      </p>
      <p>
        {step ?? t('error.unknownStep')}{' '}
        <span className={styles.code}>
          <PlainText limit={64}>{code}</PlainText>
        </span>
      </p>
    </>
  );
}

export function ProblemNotice(props: {
  error?: unknown;
  problem?: Problem;
  onRetry?: () => void;
}): JSX.Element {
  const { t } = useTranslation();
  const { code, message } = props.problem ?? readProblem(props.error);
  const retry = props.onRetry && (
    <Button size="xs" variant="default" onClick={props.onRetry}>
      {t('common.retry')}
    </Button>
  );
  return (
    <Notice tone="bad" isAlert actions={retry}>
      <CodeText code={code} message={message} />
    </Notice>
  );
}

export function Empty(props: { icon?: IconName; title: string; children?: ReactNode }): JSX.Element {
  return (
    <div className={styles.empty}>
      {props.icon && <Icon name={props.icon} size={26} />}
      <strong>{props.title}</strong>
      {props.children}
    </div>
  );
}

export function Loading(): JSX.Element {
  const { t } = useTranslation();
  return (
    <div className={styles.loading} role="status">
      <span aria-hidden="true" />
      <span aria-hidden="true" />
      <span aria-hidden="true" />
      <div className="visually-hidden">{t('common.loading')}</div>
    </div>
  );
}

export function Digest({ children }: { children: string }): JSX.Element {
  return (
    <code className={styles.digest}>
      <PlainText limit={128}>{children}</PlainText>
    </code>
  );
}

export type Fact = readonly [term: string, value: ReactNode];

export function Facts({ facts }: { facts: readonly Fact[] }): JSX.Element {
  return (
    <dl className={styles.facts}>
      {facts.map(([name, value]) => (
        <FactRow key={name} name={name} value={value} />
      ))}
    </dl>
  );
}

function FactRow({ name, value }: { name: string; value: ReactNode }): JSX.Element {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}

/** Numbers to be taken in at a glance. */
export function Figures({
  figures,
}: {
  figures: readonly { name: string; value: ReactNode; note?: ReactNode }[];
}): JSX.Element {
  return (
    <dl className={styles.figures}>
      {figures.map((figure) => (
        <div key={figure.name}>
          <dt>{figure.name}</dt>
          <dd>{figure.value}</dd>
          {figure.note !== undefined && <dd className={styles.small}>{figure.note}</dd>}
        </div>
      ))}
    </dl>
  );
}

export interface SmallColumn<Row> {
  readonly header: string;
  readonly isNumber?: boolean;
  render(row: Row): ReactNode;
}

/** A table of at most a few hundred rows; the first column names the row. Scrolls inside itself from `maxHeight` on. */
export function SmallTable<Row>(props: {
  label: string;
  columns: readonly SmallColumn<Row>[];
  rows: readonly Row[];
  maxHeight?: number;
  isDense?: boolean;
}): JSX.Element {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a group is no landmark, a fieldset is for inputs
    <div
      role="group"
      className={styles.tableScroll}
      style={{ maxHeight: props.maxHeight }}
      aria-label={props.label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scroll area must be reachable by keyboard
      tabIndex={0}
    >
      <table className={[styles.table, props.isDense ? styles.dense : ''].join(' ')}>
        <caption className="visually-hidden">{props.label}</caption>
        <thead>
          <tr>
            {props.columns.map((column) => (
              <th key={column.header} scope="col" className={column.isNumber ? styles.number : undefined}>
                {column.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows of a report have no other identity and do not move
            <tr key={index}>
              {props.columns.map((column, position) =>
                position === 0 ? (
                  <th key={column.header} scope="row">
                    {column.render(row)}
                  </th>
                ) : (
                  <td key={column.header} className={column.isNumber ? styles.number : undefined}>
                    {column.render(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

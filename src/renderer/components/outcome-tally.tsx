// Files and rows of an import by what came of them, laid out as a sum: the parts stand beside the total they add up to.
import { type JSX, useId } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../i18n/format.ts';
import { filesLeft, type ImportTotals, sumOf } from '../import-totals.ts';
import styles from './outcome-tally.module.css';

const kinds = ['accepted', 'duplicate', 'notNeeded', 'quarantined', 'rejected'] as const;

export function OutcomeTally({ totals, isOver }: { totals: ImportTotals; isOver: boolean }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const caption = useId();
  const left = filesLeft(totals);
  const hasLeft = left > 0 || !isOver;
  const cell = (kind: (typeof kinds)[number], count: number | null): JSX.Element => (
    <td key={kind} className={count === null || count === 0 ? styles.none : styles[kind]}>
      {count === null ? '–' : format.number(count)}
    </td>
  );
  const { files, rows } = totals;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a group is no landmark, a fieldset is for inputs
    <div
      className={styles.scroll}
      role="group"
      aria-labelledby={caption}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scroll area must be reachable by keyboard
      tabIndex={0}
    >
      <table className={styles.tally}>
        <caption id={caption} className="visually-hidden">
          {t('import.tally.caption')}
        </caption>
        <thead>
          <tr>
            <td />
            {kinds.map((kind) => (
              <th key={kind} scope="col">
                {t(`import.tally.${kind}`)}
              </th>
            ))}
            {hasLeft && <th scope="col">{t(isOver ? 'import.tally.notRead' : 'import.tally.left')}</th>}
            <th scope="col">{t('import.tally.all')}</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">{t('import.tally.files')}</th>
            {kinds.map((kind) => cell(kind, kind === 'notNeeded' ? null : files[kind]))}
            {hasLeft && <td className={left === 0 ? styles.none : undefined}>{format.number(left)}</td>}
            <td className={styles.sum}>{format.number(totals.filesOffered)}</td>
          </tr>
          <tr>
            <th scope="row">{t('import.tally.rows')}</th>
            {kinds.map((kind) => cell(kind, kind === 'quarantined' ? null : rows[kind]))}
            {hasLeft && <td className={styles.none}>–</td>}
            <td className={styles.sum}>{format.number(sumOf(rows))}</td>
          </tr>
        </tbody>
      </table>
    </div>
  );
}

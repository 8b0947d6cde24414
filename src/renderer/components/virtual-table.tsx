// A table of any length: only the rows in sight are in the document, the others are counted for screen readers (aria-rowcount).
import { defaultRangeExtractor, type Range, useVirtualizer } from '@tanstack/react-virtual';
import {
  type CSSProperties,
  type FocusEvent,
  type JSX,
  type ReactNode,
  useCallback,
  useEffect,
  useRef,
  useState,
} from 'react';
import { useTranslation } from 'react-i18next';
import styles from './virtual-table.module.css';

export interface VirtualColumn<Row> {
  readonly key: string;
  readonly header: string;
  /** A track of grid-template-columns, e.g. '120px' or 'minmax(160px, 2fr)'. */
  readonly track: string;
  readonly isNumber?: boolean;
  render(row: Row): ReactNode;
}

export interface VirtualTableProps<Row> {
  readonly label: string;
  readonly columns: readonly VirtualColumn<Row>[];
  readonly total: number;
  /** undefined while it is on its way. */
  rowAt(index: number): Row | undefined;
  /** Called with the first and last row in sight. */
  onRange?(first: number, last: number): void;
  readonly rowHeight: number;
  /** Below this width (px) the table scrolls sideways. */
  readonly leastWidth: number;
  /** Height limit in px; without it the table fills its flex column. */
  readonly maxHeight?: number;
}

/** Rows in sight and, wherever it is, the row that has the focus: scrolling must not drop it. */
function useRangeWithFocus(): {
  extractor: (range: Range) => number[];
  onFocus: (event: FocusEvent) => void;
  onBlur: () => void;
} {
  const [focused, setFocused] = useState<number | null>(null);
  const extractor = useCallback(
    (range: Range) => {
      const rows = defaultRangeExtractor(range);
      if (focused === null || focused >= range.count || rows.includes(focused)) return rows;
      return [...rows, focused].sort((a, b) => a - b);
    },
    [focused],
  );
  const onFocus = (event: FocusEvent): void => {
    const row = event.target.closest('[data-index]')?.getAttribute('data-index');
    setFocused(row === null || row === undefined ? null : Number(row));
  };
  return { extractor, onFocus, onBlur: () => setFocused(null) };
}

export function VirtualTable<Row>(props: VirtualTableProps<Row>): JSX.Element {
  const { t } = useTranslation();
  const scroll = useRef<HTMLDivElement>(null);
  const { extractor, onFocus, onBlur } = useRangeWithFocus();
  const virtualizer = useVirtualizer({
    count: props.total,
    getScrollElement: () => scroll.current,
    estimateSize: () => props.rowHeight,
    overscan: 12,
    rangeExtractor: extractor,
  });
  const items = virtualizer.getVirtualItems();
  const range = virtualizer.range;
  const { onRange } = props;
  const first = range?.startIndex ?? 0;
  const last = range?.endIndex ?? 0;
  useEffect(() => onRange?.(first, last), [onRange, first, last]);
  const sizes = {
    '--columns': props.columns.map((column) => column.track).join(' '),
    '--least-width': `${props.leastWidth}px`,
    maxHeight: props.maxHeight,
  } as CSSProperties;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a group is no landmark, a fieldset is for inputs
    <div
      role="group"
      ref={scroll}
      className={[styles.scroll, props.maxHeight === undefined ? styles.fill : ''].join(' ')}
      style={sizes}
      aria-label={props.label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scroll area must be reachable by keyboard
      tabIndex={0}
    >
      {/* biome-ignore lint/a11y/useSemanticElements: rows are placed absolutely, which table elements do not allow */}
      <div role="table" aria-label={props.label} aria-rowcount={props.total + 1} className={styles.table}>
        {/* biome-ignore lint/a11y/useSemanticElements: as above */}
        <div role="rowgroup">
          {/* biome-ignore lint/a11y/useSemanticElements: as above */}
          {/* biome-ignore lint/a11y/useFocusableInteractive: a header row that does nothing takes no focus */}
          <div role="row" aria-rowindex={1} className={styles.head}>
            {props.columns.map((column) => (
              // biome-ignore lint/a11y/useSemanticElements: as above
              // biome-ignore lint/a11y/useFocusableInteractive: as above
              <div
                key={column.key}
                role="columnheader"
                className={column.isNumber ? styles.number : undefined}
              >
                {column.header}
              </div>
            ))}
          </div>
        </div>
        {/* biome-ignore lint/a11y/useSemanticElements: as above */}
        <div
          role="rowgroup"
          className={styles.body}
          style={{ height: virtualizer.getTotalSize() }}
          onFocus={onFocus}
          onBlur={onBlur}
        >
          {items.map((item) => (
            <VirtualRow
              key={item.key}
              columns={props.columns}
              row={props.rowAt(item.index)}
              index={item.index}
              start={item.start}
              height={props.rowHeight}
              waiting={t('common.loading')}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

function VirtualRow<Row>(props: {
  columns: readonly VirtualColumn<Row>[];
  row: Row | undefined;
  index: number;
  start: number;
  height: number;
  waiting: string;
}): JSX.Element {
  const { row } = props;
  return (
    // biome-ignore lint/a11y/useSemanticElements: see VirtualTable
    // biome-ignore lint/a11y/useFocusableInteractive: see VirtualTable
    <div
      role="row"
      aria-rowindex={props.index + 2}
      data-index={props.index}
      className={styles.row}
      style={{ height: props.height, transform: `translateY(${props.start}px)` }}
    >
      {props.columns.map((column, position) => (
        // biome-ignore lint/a11y/useSemanticElements: see VirtualTable
        <div
          key={column.key}
          role="cell"
          className={[styles.cell, column.isNumber ? styles.number : ''].join(' ')}
        >
          {row === undefined ? (
            <span className={styles.waiting}>
              {position === 0 && <span className="visually-hidden">{props.waiting}</span>}
            </span>
          ) : (
            column.render(row)
          )}
        </div>
      ))}
    </div>
  );
}

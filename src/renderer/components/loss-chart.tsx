// Loss by step as a curve and, beside it, as a table with the same numbers for eyes and ears that want them.
import { useComputedColorScheme } from '@mantine/core';
import { type JSX, useEffect, useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import uPlot from 'uplot';
import { type Format, useFormat } from '../i18n/format.ts';
import type { LossPoint } from '../round-run.ts';
import styles from './loss-chart.module.css';
import { SmallTable } from './parts.tsx';

const chartHeight = 220;
const drawnPoints = 1500;
const listedPoints = 8;

/** At most `count` of `points`, evenly spaced, the first and the last among them. */
export function thin(points: readonly LossPoint[], count: number): LossPoint[] {
  if (points.length <= count) return [...points];
  const step = (points.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, index) => points[Math.round(index * step)]).filter(
    (point) => point !== undefined,
  );
}

function columnsOf(points: readonly LossPoint[]): uPlot.AlignedData {
  const drawn = thin(points, drawnPoints);
  return [drawn.map((point) => point.step), drawn.map((point) => point.loss)];
}

function optionsFor(element: HTMLElement, format: Format, width: number): uPlot.Options {
  const color = (name: string): string => getComputedStyle(element).getPropertyValue(name).trim();
  const font = `11px ${color('--font-text')}`;
  const axis = {
    stroke: color('--ink-soft'),
    font,
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
    values: (_plot: uPlot, values: number[]) => values.map((value) => format.number(value)),
  };
  return {
    width,
    height: chartHeight,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false } },
    series: [{}, { stroke: color('--chart-line'), width: 2, points: { show: false } }],
    axes: [axis, { ...axis, size: 58 }],
    padding: [8, 12, 0, 0],
  };
}

export function LossChart({ points, stamp }: { points: readonly LossPoint[]; stamp: number }): JSX.Element {
  const { t } = useTranslation();
  const format = useFormat();
  const scheme = useComputedColorScheme('light', { getInitialValueInEffect: false });
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(points);
  latest.current = points;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours are read again when the scheme changes
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const made = new uPlot(
      optionsFor(element, format, element.clientWidth),
      columnsOf(latest.current),
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: chartHeight }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [scheme, format]);

  // `points` grows in place while a run lasts; `stamp` tells that it did.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  useEffect(() => plot.current?.setData(columnsOf(points)), [points, stamp]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  const listed = useMemo(() => thin(points, listedPoints), [points, stamp]);
  const first = listed[0];
  const last = listed.at(-1);
  const summary =
    first === undefined || last === undefined
      ? t('chart.none')
      : t('chart.summary', {
          first: format.number(first.loss),
          last: format.number(last.loss),
          steps: format.number(last.step),
        });
  return (
    <div className={styles.both}>
      <figure className={styles.chart}>
        <figcaption>{t('chart.caption')}</figcaption>
        <div ref={place} className={styles.canvas} role="img" aria-label={summary} />
      </figure>
      <SmallTable
        label={t('chart.table', { shown: format.number(listed.length), total: format.number(points.length) })}
        rows={listed}
        maxHeight={260}
        isDense
        columns={[
          { header: t('chart.step'), render: (point) => format.number(point.step) },
          { header: t('chart.loss'), isNumber: true, render: (point) => format.number(point.loss, 4) },
        ]}
      />
    </div>
  );
}

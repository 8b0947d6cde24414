// The charts of a report as inline SVG: values with their spread, one row each, lines over rounds, and bars.
import { type HistogramChart, type PartsChart, renderHistogram, renderParts } from './bar-charts.ts';
import { labelWidth, shortLabel } from './chart-label.ts';
import { html, type Markup } from './markup.ts';
import { createScale, formatTick, type Scale } from './scale.ts';

export interface IntervalChart {
  readonly kind: 'intervals';
  readonly caption: string;
  /** `spread` is drawn to both sides of the value. */
  readonly rows: readonly {
    readonly label: string;
    readonly value: number;
    readonly spread?: number;
    readonly accent?: boolean;
  }[];
  /** Vertical lines to compare with. */
  readonly references?: readonly { readonly label: string; readonly value: number }[];
  /** Digits after the point in the printed values. */
  readonly digits: number;
}

export interface LineChart {
  readonly kind: 'lines';
  readonly caption: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly lines: readonly {
    readonly label: string;
    readonly points: readonly (readonly [x: number, y: number])[];
  }[];
}

export type Chart = IntervalChart | LineChart | PartsChart | HistogramChart;

const chartWidth = 820;
const markCount = 6;
/** Lines differ by dash as well as by colour. */
const dashes = ['none', '7 4', '2 4', '10 4 2 4', '1 3', '14 6'];

/** A figure with the chart and its caption. Charts stand beside a table with the same numbers, so the image needs only a name. */
export function renderChart(chart: Chart): Markup {
  switch (chart.kind) {
    case 'intervals':
      return renderIntervals(chart);
    case 'lines':
      return renderLines(chart);
    case 'parts':
      return renderParts(chart);
    case 'histogram':
      return renderHistogram(chart);
  }
}

function renderIntervals({ caption, rows, references = [], digits }: IntervalChart): Markup {
  const [left, right, top, rowHeight] = [
    labelWidth(rows),
    chartWidth - 120,
    references.length > 0 ? 28 : 8,
    30,
  ];
  const bottom = top + rows.length * rowHeight;
  const values = rows.flatMap(({ value, spread = 0 }) => [value - spread, value + spread]);
  const scale = createScale([...values, ...references.map(({ value }) => value)], [left, right]);
  return html`<figure><figcaption>${caption}</figcaption>
<svg viewBox="0 0 ${chartWidth} ${bottom + 28}" role="img" aria-label="${caption}">
${scale.ticks.map((tick) => verticalTick(scale, tick, { top, bottom }))}
${references.map(
  ({
    label,
    value,
  }) => html`<line class="reference" x1="${scale.at(value)}" x2="${scale.at(value)}" y1="${top - 6}" y2="${bottom}"/>
<text x="${scale.at(value)}" y="${top - 12}" text-anchor="middle">${label}</text>`,
)}
${rows.map(({ label, value, spread = 0, accent = false }, index) => {
  const y = top + (index + 0.5) * rowHeight;
  const color = { markup: `var(--mark-${accent ? 2 : 1})` };
  const printed = spread > 0 ? `${value.toFixed(digits)} ± ${spread.toFixed(digits)}` : value.toFixed(digits);
  return html`<text class="name" x="${left - 14}" y="${y + 4}" text-anchor="end">${shortLabel(label)}</text>
<line x1="${scale.at(value - spread)}" x2="${scale.at(value + spread)}" y1="${y}" y2="${y}" stroke="${color}" stroke-width="3" stroke-linecap="round" opacity="0.55"/>
<circle cx="${scale.at(value)}" cy="${y}" r="5.5" fill="${color}"/>
<text class="value" x="${chartWidth - 4}" y="${y + 4}" text-anchor="end">${printed}</text>`;
})}
</svg></figure>`;
}

function verticalTick(scale: Scale, tick: number, { top, bottom }: { top: number; bottom: number }): Markup {
  const x = scale.at(tick);
  return html`<line class="grid" x1="${x}" x2="${x}" y1="${top}" y2="${bottom}"/>
<text x="${x}" y="${bottom + 20}" text-anchor="middle">${formatTick(tick, scale.ticks)}</text>`;
}

function renderLines({ caption, xLabel, yLabel, lines }: LineChart): Markup {
  const [left, right, top, bottom] = [64, chartWidth - 16, 28, 300];
  const points = lines.flatMap((line) => line.points);
  const xScale = createScale(
    points.map(([x]) => x),
    [left, right],
    { whole: true },
  );
  const yScale = createScale(
    points.map(([, y]) => y),
    [bottom, top],
  );
  return html`<figure><figcaption>${caption}</figcaption>
<svg viewBox="0 0 ${chartWidth} ${bottom + 48}" role="img" aria-label="${caption}">
<text x="${left}" y="14">${yLabel}</text>
${yScale.ticks.map(
  (
    tick,
  ) => html`<line class="grid" x1="${left}" x2="${right}" y1="${yScale.at(tick)}" y2="${yScale.at(tick)}"/>
<text x="${left - 8}" y="${yScale.at(tick) + 4}" text-anchor="end">${formatTick(tick, yScale.ticks)}</text>`,
)}
${xScale.ticks.map(
  (tick) =>
    html`<text x="${xScale.at(tick)}" y="${bottom + 20}" text-anchor="middle">${formatTick(tick, xScale.ticks)}</text>`,
)}
<text x="${(left + right) / 2}" y="${bottom + 42}" text-anchor="middle">${xLabel}</text>
${lines.map(({ points: path }, index) => {
  const at = path.map(([x, y]) => `${xScale.at(x)},${yScale.at(y)}`).join(' ');
  return html`<polyline points="${at}" fill="none" ${stroke(index)} stroke-width="2.5" stroke-linejoin="round"/>`;
})}
</svg>
<ul class="legend">${lines.map(
    ({ label }, index) =>
      html`<li><svg viewBox="0 0 28 12" aria-hidden="true"><line x1="0" x2="28" y1="6" y2="6" ${stroke(index)} stroke-width="3"/></svg>${label}</li>`,
  )}</ul></figure>`;
}

function stroke(index: number): Markup {
  const dash = dashes[index % dashes.length] ?? 'none';
  return { markup: `stroke="var(--mark-${(index % markCount) + 1})" stroke-dasharray="${dash}"` };
}

// Bars as inline SVG: parts of a whole, one row each, and how many lie in each bin of a histogram.
import { labelWidth, shortLabel } from './chart-label.ts';
import { html, type Markup } from './markup.ts';
import { createScale, formatTick } from './scale.ts';

export interface PartsChart {
  readonly kind: 'parts';
  readonly caption: string;
  /** What each part is, in the order of the rows' counts. */
  readonly parts: readonly string[];
  readonly rows: readonly {
    readonly label: string;
    /** undefined: not shown, and `note` says why. */
    readonly counts: readonly number[] | undefined;
    readonly note: string;
  }[];
}

export interface HistogramChart {
  readonly kind: 'histogram';
  readonly caption: string;
  readonly bins: readonly { readonly label: string; readonly count: number }[];
}

const chartWidth = 820;
const rowHeight = 30;

export function renderParts({ caption, parts, rows }: PartsChart): Markup {
  const [left, right] = [labelWidth(rows), chartWidth - 120];
  return html`<figure><figcaption>${caption}</figcaption>
<svg viewBox="0 0 ${chartWidth} ${rows.length * rowHeight + 8}" role="img" aria-label="${caption}">
${rows.map(({ label, counts, note }, index) => {
  const y = 4 + index * rowHeight;
  return html`<text class="name" x="${left - 14}" y="${y + 19}" text-anchor="end">${shortLabel(label)}</text>
<rect x="${left}" y="${y + 6}" width="${right - left}" height="18" fill="none" class="grid"/>
${counts === undefined ? [] : renderRow(counts, { left, right, y: y + 6 })}
<text class="value" x="${chartWidth - 4}" y="${y + 19}" text-anchor="end">${note}</text>`;
})}
</svg>
<ul class="legend">${parts.map(
    (part, index) =>
      html`<li><svg viewBox="0 0 28 12" aria-hidden="true"><rect width="28" height="12" ${fill(index)}/></svg>${part}</li>`,
  )}</ul></figure>`;
}

function renderRow(
  counts: readonly number[],
  { left, right, y }: { left: number; right: number; y: number },
): Markup[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let before = 0;
  return counts.map((count, index) => {
    const at = (part: number) => (total === 0 ? left : left + ((right - left) * part) / total);
    const [x, width] = [at(before), at(before + count) - at(before)];
    before += count;
    return html`<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="18" ${fill(index)}/>`;
  });
}

/** Later parts are paler as well as of another colour. */
function fill(index: number): Markup {
  return { markup: `fill="var(--mark-${index + 1})" opacity="${(1 - 0.2 * index).toFixed(1)}"` };
}

export function renderHistogram({ caption, bins }: HistogramChart): Markup {
  const [left, right, top, bottom] = [64, chartWidth - 16, 12, 200];
  const scale = createScale([0, ...bins.map(({ count }) => count)], [bottom, top], { whole: true });
  const width = (right - left) / Math.max(1, bins.length);
  return html`<figure><figcaption>${caption}</figcaption>
<svg viewBox="0 0 ${chartWidth} ${bottom + 30}" role="img" aria-label="${caption}">
${scale.ticks.map(
  (tick) => html`<line class="grid" x1="${left}" x2="${right}" y1="${scale.at(tick)}" y2="${scale.at(tick)}"/>
<text x="${left - 8}" y="${scale.at(tick) + 4}" text-anchor="end">${formatTick(tick, scale.ticks)}</text>`,
)}
${bins.map(({ label, count }, index) => {
  const x = left + index * width;
  return html`<rect x="${(x + 1).toFixed(1)}" y="${scale.at(count)}" width="${(width - 2).toFixed(1)}" height="${(bottom - scale.at(count)).toFixed(1)}" ${fill(0)}/>
<text x="${(x + width / 2).toFixed(1)}" y="${bottom + 20}" text-anchor="middle">${label}</text>`;
})}
</svg></figure>`;
}

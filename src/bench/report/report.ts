// Writes report.json (what a program reads) and report.html (what a person reads): one file without scripts, fonts or network.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Chart, renderChart } from './chart.ts';
import { html, type Markup } from './markup.ts';
import { reportStyle } from './style.ts';

export interface ReportTable {
  readonly caption: string;
  readonly columns: readonly string[];
  /** Numbers are set right; format them before where their digits matter. */
  readonly rows: readonly (readonly (string | number)[])[];
}

export interface ReportSection {
  readonly heading: string;
  readonly paragraphs?: readonly string[];
  readonly charts?: readonly Chart[];
  readonly tables?: readonly ReportTable[];
}

export interface ReportOptions {
  readonly outDirectory: string;
  readonly title: string;
  /** Under the title: what this is, in a sentence. */
  readonly summary?: string;
  /** Of its words: en where nothing is said. */
  readonly language?: 'en' | 'de';
  readonly sections: readonly ReportSection[];
  /** The content of report.json. */
  readonly data: unknown;
}

export interface WrittenReport {
  readonly htmlFile: string;
  readonly jsonFile: string;
}

/** Writes both files into `outDirectory`, which is made where it is missing. */
export function writeReport(options: ReportOptions): WrittenReport {
  mkdirSync(options.outDirectory, { recursive: true });
  const jsonFile = path.join(options.outDirectory, 'report.json');
  const htmlFile = path.join(options.outDirectory, 'report.html');
  writeFileSync(jsonFile, `${JSON.stringify(options.data, null, 2)}\n`);
  writeFileSync(htmlFile, renderReport(options));
  return { htmlFile, jsonFile };
}

/** The page of a report. Every text is escaped; the content policy lets nothing but its own style through. */
export function renderReport({
  title,
  summary,
  language = 'en',
  sections,
}: Omit<ReportOptions, 'outDirectory' | 'data'>): string {
  const page = html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${{ markup: reportStyle }}</style>
</head>
<body>
<main>
<header><h1>${title}</h1>${summary === undefined ? [] : html`<p class="summary">${summary}</p>`}</header>
${sections.map(renderSection)}
</main>
</body>
</html>
`;
  return page.markup;
}

function renderSection({ heading, paragraphs = [], charts = [], tables = [] }: ReportSection): Markup {
  return html`<section>
<h2>${heading}</h2>
${paragraphs.map((paragraph) => html`<p>${paragraph}</p>`)}
${charts.map(renderChart)}
${tables.map(renderTable)}
</section>`;
}

function renderTable({ caption, columns, rows }: ReportTable): Markup {
  const numeric = columns.map((_, column) => rows.length > 0 && rows.every((row) => isNumeric(row[column])));
  const alignment = (column: number): Markup => ({
    markup: numeric[column] === true ? ' class="number"' : '',
  });
  const cell = (value: string | number, column: number) =>
    column === 0
      ? html`<th scope="row"${alignment(column)}>${String(value)}</th>`
      : html`<td${alignment(column)}>${String(value)}</td>`;
  return html`<div class="table"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map((name, column) => html`<th scope="col"${alignment(column)}>${name}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>`)}</tbody>
</table></div>`;
}

/** Also of a figure with its spread, range or unit, as in `0.748 ± 0.027`, `0.74–0.84` and `12 kB`. */
function isNumeric(value: string | number | undefined): boolean {
  return (
    typeof value === 'number' ||
    (typeof value === 'string' &&
      /^(?:[-+–]?\d[\d.,\s]*(?:(?:± |–)[\d.]+)?(?: ?[a-zA-Z%]{1,3})?|–)$/.test(value))
  );
}

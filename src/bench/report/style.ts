// The look of a report: one column, light and dark by the reader's setting, colours that are told apart without hue as well.

export const reportStyle = `
:root {
  color-scheme: light dark;
  --page: #fbfbf9; --ink: #1c2024; --quiet: #5c656e; --line: #d8dbd6; --panel: #ffffff;
  --mark-1: #1f6f8b; --mark-2: #b4552d; --mark-3: #5b7f2b; --mark-4: #7d4f9c; --mark-5: #8a6d00; --mark-6: #5c656e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181b; --ink: #e7eaec; --quiet: #a2acb4; --line: #353c42; --panel: #1b2024;
    --mark-1: #63b7d3; --mark-2: #e8946f; --mark-3: #9fc46b; --mark-4: #c39bdd; --mark-5: #d7b84a; --mark-6: #a2acb4;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 56rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .5rem; text-wrap: balance; }
h2 { font-size: 1.2rem; margin: 0 0 .5rem; }
p { margin: 0 0 .75rem; max-width: 44rem; }
.summary { color: var(--quiet); }
section { margin-top: 2.5rem; }
figure { margin: 1rem 0; padding: 1rem; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; }
figcaption { color: var(--quiet); font-size: .875rem; margin-bottom: .5rem; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--quiet); font-size: 13px; }
svg text.name { fill: var(--ink); }
svg text.value { fill: var(--ink); font-variant-numeric: tabular-nums; }
.grid { stroke: var(--line); stroke-width: 1; }
.reference { stroke: var(--quiet); stroke-width: 1.5; stroke-dasharray: 4 4; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: .5rem 0 0; padding: 0; list-style: none; font-size: .875rem; }
.legend svg { display: inline-block; width: 28px; height: 12px; margin-right: .4rem; vertical-align: middle; }
.table { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
caption { text-align: left; color: var(--quiet); font-size: .875rem; padding-bottom: .35rem; }
th, td { text-align: left; padding: .4rem .75rem; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { color: var(--quiet); font-weight: 600; }
tbody th { font-weight: 400; }
th:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
@media print { body { background: none; } figure { break-inside: avoid; } }
`;

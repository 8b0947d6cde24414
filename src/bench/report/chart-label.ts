// Room for the names of rows: SVG neither measures nor wraps text.

/** Mean advance in px of 13 px letters in a wide font. */
const widestLetter = 7.4;
const longestLabel = 52;

/** In px, for the longest label. */
export function labelWidth(rows: readonly { readonly label: string }[]): number {
  const longest = Math.max(0, ...rows.map(({ label }) => shortLabel(label).length));
  return Math.max(120, Math.ceil(longest * widestLetter) + 20);
}

/** The table beside the chart has the whole name. */
export function shortLabel(label: string): string {
  return label.length > longestLabel ? `${label.slice(0, longestLabel - 1).trimEnd()}…` : label;
}

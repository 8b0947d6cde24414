// Markup built from parts: what is put into a template is escaped unless it is markup itself.

export interface Markup {
  readonly markup: string;
}

type Part = string | number | Markup | readonly Markup[];

/** Text as it may stand in an element or a quoted attribute. */
export function escapeText(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

/** Template tag for HTML and SVG. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const rendered = parts.map((part) => {
    if (typeof part === 'number') return String(part);
    if (typeof part === 'string') return escapeText(part);
    return 'markup' in part ? part.markup : part.map(({ markup }) => markup).join('\n');
  });
  return { markup: strings.map((text, at) => text + (rendered[at] ?? '')).join('') };
}

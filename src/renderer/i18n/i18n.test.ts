import { describe, expect, it } from 'vitest';
import german from './de.json';
import english from './en.json';
import { preferredLanguage } from './i18n.ts';

type Texts = { readonly [key: string]: string | Texts };

function flatten(texts: Texts, path: readonly string[] = []): [key: string, text: string][] {
  return Object.entries(texts).flatMap(([key, value]): [string, string][] =>
    typeof value === 'string' ? [[[...path, key].join('.'), value]] : flatten(value, [...path, key]),
  );
}

const englishTexts = new Map(flatten(english));
const germanTexts = new Map(flatten(german));
const placeholders = (text: string): string[] =>
  [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] ?? '').sort();

const sources: Record<string, string> = import.meta.glob(['../**/*.ts', '../**/*.tsx', '!../**/*.test.ts'], {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** Keys that the code asks for in so many words; those put together from a variable end at the variable. */
function askedKeys(source: string): string[] {
  const calls = source.matchAll(/\bt\(\s*(?:[\w.=\s]+\?\s*)?'([\w.-]+)'/g);
  const choices = source.matchAll(/\?\s*'(\w+\.[\w.]+)'\s*:\s*'(\w+\.[\w.]+)'/g);
  return [...calls]
    .map((match) => match[1] ?? '')
    .concat([...choices].flatMap((match) => [match[1] ?? '', match[2] ?? '']));
}

describe('the texts', () => {
  it('have the same keys in both languages', () => {
    expect([...germanTexts.keys()]).toEqual([...englishTexts.keys()]);
  });

  it('are never empty', () => {
    const all = [...englishTexts, ...germanTexts];
    expect(all.filter(([, text]) => text.trim() === '')).toEqual([]);
  });

  it('take the same values in both languages', () => {
    for (const [key, text] of englishTexts) {
      expect([key, placeholders(germanTexts.get(key) ?? '')]).toEqual([key, placeholders(text)]);
    }
  });

  it('exist for every key that the code names', () => {
    const isKnown = (key: string): boolean =>
      englishTexts.has(key) ||
      englishTexts.has(`${key}_other`) ||
      [...englishTexts.keys()].some((known) => known.startsWith(`${key}.`));
    const asked = Object.entries(sources).flatMap(([file, source]) =>
      askedKeys(source).map((key) => ({ file, key })),
    );
    expect(asked.length).toBeGreaterThan(200);
    expect(asked.filter(({ key }) => !isKnown(key))).toEqual([]);
  });

  it('give each error code a sentence and a next step', () => {
    expect(Object.keys(english.error.step)).toEqual(Object.keys(english.error.sentence));
  });
});

describe('text in the code', () => {
  // Words between tags, or in an attribute that is read out, belong into the resource files.
  const spoken =
    /(?:aria-label|title|label|placeholder|description|alt)="[^"]*[A-Za-zÄÖÜäöü]{2}|>\s*[A-Za-zÄÖÜ][a-zäöüß]+(?:\s[a-z]+)*[.!?]?\s*<\//;
  it.each(Object.keys(sources).filter((file) => file.endsWith('.tsx')))(
    'of %s has no words of its own',
    (file) => {
      const lines = (sources[file] ?? '').split('\n').filter((line) => !/^\s*(?:\/\/|\*|\/\*)/.test(line));
      expect(lines.filter((line) => spoken.test(line))).toEqual([]);
    },
  );
});

describe('the language at first start', () => {
  it.each([
    ['de', ['en-GB'], 'de'],
    [null, ['de-AT', 'en'], 'de'],
    [null, ['fr-FR', 'de'], 'en'],
    ['xx', ['en-US'], 'en'],
    [null, [], 'en'],
  ] as const)('stored %s, system %j: %s', (stored, system, language) => {
    expect(preferredLanguage(stored, system)).toBe(language);
  });
});

// Words that the site sends as keys (states, rules, actions, error codes) in the reader's language; unknown ones stay as they came.
import type { TFunction } from 'i18next';

/** @returns the word for `raw` under `group`, or null where there is none. A key from outside can reach nothing but that group. */
export function findTerm(t: TFunction, group: string, raw: string): string | null {
  const words: unknown = t(group, { returnObjects: true });
  if (typeof words !== 'object' || words === null || !Object.hasOwn(words, raw)) return null;
  const word: unknown = Reflect.get(words, raw);
  return typeof word === 'string' ? word : null;
}

export function term(t: TFunction, group: string, raw: string): string {
  return findTerm(t, group, raw) ?? raw;
}

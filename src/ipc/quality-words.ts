// The words of the data-quality report in both languages, and how its counts are shown: the same on a page as on the screen.
import type { QualityFinding } from '#ipc/quality-schema.ts';
import {
  englishFindings,
  englishPage,
  type FindingWords,
  type QualityPageWords,
} from '#ipc/quality-words-english.ts';
import { germanFindings, germanPage } from '#ipc/quality-words-german.ts';

export const qualityLanguages = ['en', 'de'] as const;
export type QualityLanguage = (typeof qualityLanguages)[number];

export interface QualityWords {
  readonly findings: Readonly<Record<string, FindingWords>>;
  readonly page: QualityPageWords;
}

export const qualityWords: Readonly<Record<QualityLanguage, QualityWords>> = {
  en: { findings: englishFindings, page: englishPage },
  de: { findings: germanFindings, page: germanPage },
};

export function shownCount(count: number | null, page: QualityPageWords): string {
  return count === null ? page.withheld : String(count);
}

/** What is so or is not: nobody is counted. */
const uncounted: ReadonlySet<string> = new Set(['code-not-found', 'code-near-miss', 'column-constant']);

/** Of a finding: `–` where it counts nobody. */
export function shownPatients(
  { code, subjectCount }: Pick<QualityFinding, 'code' | 'subjectCount'>,
  page: QualityPageWords,
): string {
  return uncounted.has(code) ? '–' : shownCount(subjectCount, page);
}

// Codes of a plan that nobody has, and what the store has instead that is probably meant.
import type { CodeReference, DataElements } from '#federation/records/data-elements.ts';
import { codeKey, codesOf } from '#site/cohort/index.ts';
import type { Store } from '#site/store/index.ts';
import type { CodeScan } from './code-scan.ts';
import type { QualityFinding } from './quality-report.ts';

/** Every code whose facts the plan reads, the index event's too, with the name it has there. */
export function plannedCodes(elements: DataElements): CodeReference[] {
  const { indexEvent } = elements;
  const codes = [...(indexEvent.kind === 'fact' ? [indexEvent.code] : []), ...codesOf(elements)];
  return [...new Map(codes.map((code) => [codeKey(code), withDisplay(code)])).values()];
}

function withDisplay(code: Pick<CodeReference, 'system' | 'code'> & { display?: string }): CodeReference {
  return { ...code, display: code.display ?? code.code };
}

export interface CoverageSource {
  readonly store: Store;
  readonly scan: (codes: readonly Pick<CodeReference, 'system' | 'code'>[]) => CodeScan;
}

/** Without counts: a code is there or not. */
export function checkCoverage(
  { store, scan }: CoverageSource,
  code: CodeReference,
  isAnywhere: boolean,
): QualityFinding[] {
  const about = code.display;
  const near = nearMisses(store, code).filter((one) => scan([one]).isAnywhere);
  const detail = near.map(({ system, code: name }) => `${name} (${system})`).join(', ');
  const shown = { about, subjectCount: null, recordCount: null };
  return [
    ...(isAnywhere
      ? []
      : [
          {
            ...shown,
            code: 'code-not-found',
            severity: 'problem',
            detail: `${code.code} (${code.system})`,
          } as const,
        ]),
    ...(near.length === 0
      ? []
      : [{ ...shown, code: 'code-near-miss', severity: 'warning', detail } as const]),
  ];
}

/** The same code in another system or in other letters, or one that is called as the plan calls its own. */
function nearMisses(store: Store, { system, code, display }: CodeReference): CodeReference[] {
  const found = store
    .prepareRows(
      `SELECT DISTINCT system, code FROM concept WHERE kind NOT IN ('answer', 'unit') AND lower(code) IN (lower(?), lower(?))
      AND NOT (system = ? AND code = ?) ORDER BY system, code`,
    )
    .all(code, display, system, code) as [string, string][];
  return found.map(([foundSystem, name]) => ({ system: foundSystem, code: name, display }));
}

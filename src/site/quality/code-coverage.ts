// Codes of a plan that nobody has, and what the store has instead that is probably meant.
import type { CodeReference, DataElements } from '#federation/records/data-elements.ts';
import { type Candidates, codeKey, codesOf, suppressCells } from '#site/cohort/index.ts';
import type { Store } from '#site/store/index.ts';
import { type CodeScan, isAnywhere } from './code-scan.ts';
import type { QualityFinding } from './quality-report.ts';
import { showPart } from './tally.ts';

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
  found: CodeScan,
): QualityFinding[] {
  const about = code.display;
  const near = nearMisses(store, code).filter((one) => isAnywhere(scan([one])));
  const detail = near.map(({ system, code: name }) => `${name} (${system})`).join(', ');
  const shown = { about, subjectCount: null, recordCount: null };
  return [
    ...(isAnywhere(found)
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

/**
 * Subjects with consent that are not in the report, for want of an index event, a criterion or a part.
 * @returns undefined where their number would tell a small one beside the preview of the cohort
 */
export function countOutside({ table, decisions, rows }: Candidates): number | undefined {
  const { standingNos } = table.subjects;
  const cells = [0, 0, 0, 0];
  for (const [subjectNo, standingNo] of standingNos.entries()) {
    if (subjectNo === 0 || standingNo !== subjectNo) continue;
    const isIndexed = (table.index.rows[subjectNo] ?? -1) >= 0;
    const isPermitted = decisions.isPermitted(subjectNo);
    const cell = 2 * Number(isIndexed) + Number(isPermitted);
    cells[cell] = (cells[cell] ?? 0) + 1;
  }
  const [, unindexed = 0, , indexed = 0] = cells;
  const shown = suppressCells([...cells.slice(0, 3), indexed - rows.length]);
  return shown.includes(null) ? undefined : unindexed + indexed - rows.length;
}

/** @param outsideCount of `countOutside` */
export function checkOutside(
  code: CodeReference,
  { outside }: CodeScan,
  outsideCount: number | undefined,
): QualityFinding[] {
  if (outsideCount === undefined) return [];
  const without = outsideCount - outside.subjectCount;
  if (without === 0) return [];
  const subjectCount = showPart(without, outsideCount);
  const finding = { code: 'code-missing-outside', severity: 'note', about: code.display } as const;
  return [{ ...finding, subjectCount, recordCount: null, detail: '' }];
}

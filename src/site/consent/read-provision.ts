// Which data of a subject one consent permits and which it denies, by days (security.md C5): asked at each day from which on the
// rules say something else.
import type { ConsentProvision, ProvisionRule } from '#site/store/index.ts';
import { hasPolicies } from './broad-consent.ts';
import { combineDays, startsOf } from './day-ranges.ts';
import { evaluateProvision } from './evaluate-provision.ts';
import type { ProvisionRequest } from './match-rule.ts';
import { type DataClass, type DayRange, type PermittedData, permittedData } from './permitted-data.ts';

export interface ProvisionReading {
  readonly permitted: PermittedData;
  /** What the patient denied, which no other consent permits. */
  readonly denied: PermittedData;
  /** The rules that decided, as `root/0/2`; sorted. */
  readonly path: readonly string[];
}

export type ProvisionScope = Pick<ProvisionRequest, 'researchStudyId' | 'consortium' | 'purposes' | 'day'>;

export function readProvision(provision: ConsentProvision, scope: ProvisionScope): ProvisionReading {
  const { root } = provision;
  const starts = startsOf([...dataPeriods(root), ...(hasPolicies(root) ? periods(root) : [])]);
  const path = new Set<string>();
  const read = (dataClass: DataClass) => {
    const days: Record<'permit' | 'deny', DayRange[]> = { permit: [], deny: [] };
    for (const [index, start] of starts.entries()) {
      const next = starts[index + 1];
      const until = next === undefined || next === null ? null : next - 1;
      const dataDay = start ?? until ?? 0;
      const found = evaluateProvision(provision, { ...scope, dataClass, dataDay });
      if (!found.isStated) continue;
      path.add(['root', ...found.path].join('/'));
      days[found.decision].push({ from: start, until });
    }
    return { permit: combineDays(days.permit, []), deny: combineDays(days.deny, []) };
  };
  const [clinical, imaging] = [read('clinical'), read('imaging')];
  return {
    permitted: permittedData(clinical.permit, imaging.permit),
    denied: permittedData(clinical.deny, imaging.deny),
    path: [...path].sort(),
  };
}

function dataPeriods(rule: ProvisionRule): DayRange[] {
  const { widest = rule } = rule;
  return [
    { from: rule.dataFromDay, until: rule.dataUntilDay },
    { from: widest.dataFromDay, until: widest.dataUntilDay },
    ...rule.children.flatMap((child) => dataPeriods(child)),
  ];
}

/** In a broad consent the period of a rule, or of one around it, may say of when the data are. */
function periods(rule: ProvisionRule): DayRange[] {
  const { widest = rule } = rule;
  return [
    { from: rule.fromDay, until: rule.untilDay },
    { from: widest.fromDay, until: widest.untilDay },
    ...rule.children.flatMap((child) => periods(child)),
  ];
}
